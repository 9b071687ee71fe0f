package cpu

import (
	"testing"

	"softsgx/isa"
)

// pageCall is a call of a system leaf that names one EPC page.
type pageCall struct {
	*enclave
	p  isa.EPCAddr
	si isa.Operand // of EMODPR and EMODT
}

// pfPage stands for #PF at the page of the call.
var pfPage = outcome{vector: isa.PF, sgx: true, addr: 1}

func (x *pageCall) resolve(o outcome) outcome {
	if o == pfPage {
		return epf(x.p)
	}
	return o
}

// pageRow is a row of the tables of such leaves. set starts from an initialised
// enclave and the EPC page of its data.
type pageRow struct {
	name string
	set  func(*pageCall)
	want outcome
}

func newPageCall(t *testing.T) *pageCall {
	t.Helper()
	e := newRig(t, fullConfig()).newEnclave(plan{})
	return &pageCall{enclave: e, p: e.epc[offData]}
}

// trim makes the data page PT_TRIM, not accepted yet.
func (e *enclave) trim(off uint64) {
	e.t.Helper()
	must(e.t, e.c.EMODT(secinfo(flagsTRIM), e.epc[off]))
}

// track does what lets an EACCEPT or EWB of an enclave without threads go on.
func (e *enclave) track() {
	e.t.Helper()
	must(e.t, e.c.ETRACK(e.secs))
}

// trimAccepted makes the page at off PT_TRIM, and leaves the thread inside.
func (e *enclave) trimAccepted(off uint64) {
	e.t.Helper()
	e.trim(off)
	e.track()
	e.enter()
	same(e.t, ok, e.acceptWith(offMore, off, acceptTRIM))
}

func TestEREMOVE(t *testing.T) {
	for _, row := range []pageRow{
		{"isa 168 misaligned", func(x *pageCall) { x.p += 8 }, gp},
		{"isa 169 outside EPC", func(x *pageCall) { x.p = outsideEPC }, pfPage},
		{"isa 170 locked", func(x *pageCall) { x.holdShared(x.p) }, gp},
		{"isa 171 free page", func(x *pageCall) { x.p = x.page() }, ok},
		{"isa 172 SECS with children", func(x *pageCall) { x.p = x.secs }, code(isa.SGX_CHILD_PRESENT)},
		{"isa 173 SECS without children", func(x *pageCall) { x.p = x.create(plan{}).secs }, ok},
		{"isa 174 REG, thread inside", func(x *pageCall) { x.enter() }, code(isa.SGX_ENCLAVE_ACT)},
		{"isa 174 TCS, thread inside", func(x *pageCall) { x.enter(); x.p = x.epc[offTCS] }, code(isa.SGX_ENCLAVE_ACT)},
		{"isa 175 REG", func(*pageCall) {}, ok},
		{"isa 175 REG, thread has left", func(x *pageCall) { x.enter(); x.exit() }, ok},
		{"isa 176 TRIM accepted, thread inside", func(x *pageCall) { x.trimAccepted(offData) }, ok},
		{"isa 177 TRIM not accepted, thread inside", func(x *pageCall) { x.trim(offData); x.enter() },
			code(isa.SGX_ENCLAVE_ACT)},
		{"TRIM not accepted", func(x *pageCall) { x.trim(offData) }, ok},
		{"isa 178 VA page in use", func(x *pageCall) { x.p = x.va(); *x.c.slot(x.p) = 8 }, ok},
		{"isa 179 BLOCKED REG", func(x *pageCall) { must(x.t, x.c.EBLOCK(x.p)) }, ok},
		{"PENDING REG", func(x *pageCall) { x.p = x.aug(offFree) }, ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newPageCall(t)
			row.set(x)
			before := x.c.EPCM(x.p)
			expect(t, x.resolve(row.want), x.c.EREMOVE(x.p))
			if row.want == ok {
				before = EPCMEntry{}
			}
			if got := x.c.EPCM(x.p); got != before {
				t.Fatalf("EPCM %+v", got)
			}
		})
	}
	t.Run("isa 180 last child, then SECS", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		for _, p := range e.epc {
			expect(t, code(isa.SGX_CHILD_PRESENT), e.c.EREMOVE(e.secs))
			must(t, e.c.EREMOVE(p))
		}
		must(t, e.c.EREMOVE(e.secs))
		if len(e.mem.pages) != 0 {
			t.Fatal("contents outlive the enclave")
		}
	})
	t.Run("a removed page can be used again", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{cold: true})
		p := e.epc[offMore]
		must(t, e.c.EREMOVE(p))
		must(t, e.c.EADD(e.pageinfo(offMore, flagsRW, nil), p))
		if e.peek(offMore, 1)[0] != 0 {
			t.Fatal("the old contents are back")
		}
	})
}
