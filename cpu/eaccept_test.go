package cpu

import (
	"testing"

	"softsgx/isa"
)

// SECINFO flags as EACCEPT takes them.
const (
	acceptRW   = flagsRW | isa.SECINFO_PENDING
	acceptR    = flagsR | isa.SECINFO_PR
	acceptTCS  = flagsTCS | isa.SECINFO_MODIFIED
	acceptTRIM = flagsTRIM | isa.SECINFO_MODIFIED
)

// enclaveCall is a call of a leaf inside the enclave, with its operands.
type enclaveCall struct {
	*enclave
	rbx, rcx, rdx isa.LinAddr
}

// restrict does EMODPR to R.
func (e *enclave) restrict(off uint64) {
	e.t.Helper()
	must(e.t, e.c.EMODPR(secinfo(flagsR), e.epc[off]))
}

// unreadable takes all rights of the page at offRO away.
func (e *enclave) unreadable() {
	e.t.Helper()
	must(e.t, e.c.EMODPR(secinfo(flagsNone), e.epc[offRO]))
}

// become makes the page at off a TCS that is not accepted yet, and tracked.
func (e *enclave) become(off uint64, t isa.TCS, spoil ...int) {
	e.t.Helper()
	b, err := t.MarshalBinary()
	must(e.t, err)
	for _, i := range spoil {
		b[i] = 1
	}
	e.poke(off, b)
	must(e.t, e.c.EMODT(secinfo(flagsTCS), e.epc[off]))
	e.track()
}

// newTCS is a TCS that EACCEPT takes.
var newTCS = isa.TCS{OSSA: offSSA, NSSA: 1, OENTRY: offCode}

func TestEACCEPT(t *testing.T) {
	mismatch := code(isa.SGX_PAGE_ATTRIBUTES_MISMATCH)
	more := func(x *enclaveCall) { x.rcx = at(offMore) }
	restricted := func(x *enclaveCall) { more(x); x.restrict(offMore); x.track() }
	aug := func(x *enclaveCall) { x.aug(offFree) }
	tcs := func(spoil ...int) func(*enclaveCall) {
		return func(x *enclaveCall) { more(x); x.become(offMore, newTCS, spoil...) }
	}
	for _, row := range []struct {
		name  string
		flags uint64
		set   func(*enclaveCall) // before the thread enters; the target is at offFree
		want  outcome
	}{
		{"isa 270 EAUG page", acceptRW, aug, ok},
		{"isa 271 again", acceptRW, func(x *enclaveCall) {
			aug(x)
			x.enter()
			x.accept(offFree, acceptRW)
			x.exit()
		}, mismatch},
		{"isa 272 other rights", flagsR | isa.SECINFO_PENDING, aug, mismatch},
		{"other type", flagsTRIM | isa.SECINFO_MODIFIED, aug, mismatch},
		{"isa 273 neither PR nor PENDING", flagsRW, aug, gp},
		{"isa 274 TCS not MODIFIED", flagsTCS, aug, gp},
		{"isa 275 TRIM PENDING and MODIFIED", 0x418, aug, gp},
		{"REG MODIFIED", acceptR | isa.SECINFO_MODIFIED, aug, gp},
		{"TRIM with PR", acceptTRIM | isa.SECINFO_PR, aug, gp},
		{"PT_SECS", isa.SECINFO_MODIFIED, aug, gp},
		{"isa 276 EMODPR page", acceptR, restricted, ok},
		{"isa 277 EMODPR page, no ETRACK", acceptR, func(x *enclaveCall) { more(x); x.restrict(offMore) },
			code(isa.SGX_NOT_TRACKED)},
		{"isa 278 EMODPR page, wrong rights", flagsRW | isa.SECINFO_PR, restricted, mismatch},
		{"isa 279 TCS", acceptTCS, tcs(), ok},
		{"isa 280 TCS with NSSA 0", acceptTCS, func(x *enclaveCall) { more(x); x.become(offMore, isa.TCS{}) }, gp},
		{"isa 280 TCS with CSSA 1 of 1", acceptTCS, tcs(isa.TCSOffsetCSSA), gp},
		{"isa 281 TCS with DBGOPTIN", acceptTCS, tcs(isa.TCSOffsetFLAGS), gp},
		{"isa 282 TCS byte 72", acceptTCS, tcs(72), gp},
		{"isa 282 TCS byte 4095", acceptTCS, tcs(4095), gp},
		{"TCS with AEP", acceptTCS, tcs(isa.TCSOffsetAEP), gp},
		{"TCS with STATE", acceptTCS, tcs(isa.TCSOffsetSTATE), gp},
		{"isa 283 TRIM", acceptTRIM, func(x *enclaveCall) { more(x); x.trim(offMore); x.track() }, ok},
		{"isa 284 TRIM, no ETRACK", acceptTRIM, func(x *enclaveCall) { more(x); x.trim(offMore) },
			code(isa.SGX_NOT_TRACKED)},
		{"isa 285 page of another enclave", acceptRW, func(x *enclaveCall) {
			x.space[at(offFree)] = pte{x.newEnclave(plan{}).aug(offFree), isa.Read}
		}, pf(at(offFree))},
		{"SECS", acceptRW, func(x *enclaveCall) { x.space[at(offFree)] = pte{x.secs, isa.Read} }, pf(at(offFree))},
		{"VA page", acceptRW, func(x *enclaveCall) { x.space[at(offFree)] = pte{x.va(), isa.Read} }, pf(at(offFree))},
		{"free page", acceptRW, func(x *enclaveCall) { x.space[at(offFree)] = pte{x.page(), isa.Read} }, pf(at(offFree))},
		{"not EPC", acceptRW, func(x *enclaveCall) { x.space[at(offFree)] = pte{0, isa.Read} }, pf(at(offFree))},
		{"not mapped", acceptRW, func(*enclaveCall) {}, walkpf(at(offFree))},
		{"PTEs read-only", acceptRW, func(x *enclaveCall) {
			x.space[at(offFree)] = pte{x.aug(offFree), isa.Read}
			x.space[at(offData)] = pte{x.epc[offData], isa.Read}
		}, ok},
		{"SECINFO not mapped", acceptRW, func(x *enclaveCall) { aug(x); delete(x.space, at(offData)) }, walkpf(at(offData))},
		{"isa 286 BLOCKED", acceptRW, func(x *enclaveCall) { must(x.t, x.c.EBLOCK(x.aug(offFree))) }, pf(at(offFree))},
		{"isa 287 RCX outside ELRANGE", acceptRW, func(x *enclaveCall) { x.rcx = at(0x100000) }, gp},
		{"RCX misaligned", acceptRW, func(x *enclaveCall) { aug(x); x.rcx += 8 }, gp},
		{"isa 288 RBX outside ELRANGE", acceptRW, func(x *enclaveCall) { aug(x); x.rbx = elbase - 64 }, gp},
		{"RBX misaligned", acceptRW, func(x *enclaveCall) { aug(x); x.rbx += 32 }, gp},
		{"isa 289 SECINFO not readable", acceptRW, func(x *enclaveCall) {
			aug(x)
			x.unreadable()
			x.rbx = at(offRO)
		}, pf(at(offRO))},
		{"SECINFO pending", acceptRW, func(x *enclaveCall) { aug(x); x.rbx = at(offFree) }, pf(at(offFree))},
		{"SECINFO reserved", acceptRW | 1<<16, aug, gp},
		{"isa 290 mismatch and not tracked", flagsRW | isa.SECINFO_PR, func(x *enclaveCall) { more(x); x.restrict(offMore) },
			mismatch},
		{"isa 291 sgx2 lock held", acceptRW, func(x *enclaveCall) { x.holdSGX2(x.aug(offFree)) }, gp},
		{"base lock held", acceptRW, func(x *enclaveCall) { x.holdExclusive(x.aug(offFree)) }, gp},
		{"at another address", acceptRW, func(x *enclaveCall) {
			x.space[at(offFree+0x1000)] = pte{x.aug(offFree), isa.Read}
			x.rcx = at(offFree + 0x1000)
		}, mismatch},
		{"PR accept of a settled page", flagsRW | isa.SECINFO_PR, more, ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			x := &enclaveCall{enclave: e, rbx: at(offData), rcx: at(offFree)}
			row.set(x)
			x.enter()
			x.info(row.flags)
			p := x.space[x.rcx].epc
			want := x.c.EPCM(p)
			same(t, row.want, x.enclu(isa.EACCEPT, x.rbx, x.rcx, 0))
			if row.want == ok {
				want.Pending, want.Modified, want.PR = false, false, false
			}
			if got := x.c.EPCM(p); got != want {
				t.Fatalf("EPCM %+v, want %+v", got, want)
			}
		})
	}
}

// TestEACCEPTTracking lets threads be inside while pages change.
func TestEACCEPTTracking(t *testing.T) {
	notTracked := code(isa.SGX_NOT_TRACKED)
	begin := func(t *testing.T) *enclave {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		e.restrict(offMore)
		same(t, notTracked, e.accept(offMore, acceptR))
		e.track()
		same(t, notTracked, e.accept(offMore, acceptR))
		return e
	}
	t.Run("isa 276 after the thread exits", func(t *testing.T) {
		e := begin(t)
		e.exit()
		e.enter()
		same(t, ok, e.accept(offMore, acceptR))
	})
	t.Run("isa 276 after AEX and ERESUME", func(t *testing.T) {
		e := begin(t)
		must(t, e.lp.AEX(e.ctx(), Event{}))
		must(t, e.resume())
		same(t, ok, e.accept(offMore, acceptR))
	})
	t.Run("isa 276 after an interrupt", func(t *testing.T) {
		e := begin(t)
		if lps := e.c.StaleLPs(e.secs); len(lps) != 1 || lps[0] != e.lp {
			t.Fatalf("stale: %v", lps)
		}
		if !e.lp.Interrupted() {
			t.Fatal("not in one go")
		}
		if lps := e.c.StaleLPs(e.secs); len(lps) != 0 {
			t.Fatalf("stale: %v", lps)
		}
		same(t, ok, e.accept(offMore, acceptR))
	})
	t.Run("accepted rights count", func(t *testing.T) {
		e := begin(t)
		e.exit()
		e.enter()
		same(t, ok, e.accept(offMore, acceptR))
		expect(t, pf(at(offMore)), e.lp.Access(e.space, at(offMore), isa.Write))
		must(t, e.lp.Access(e.space, at(offMore), isa.Read))
	})
	t.Run("isa 279 an accepted TCS can be entered", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.become(offMore, newTCS)
		e.enter()
		same(t, ok, e.accept(offMore, acceptTCS))
		e.exit()
		e.outside(isa.EENTER)
		e.regs.RBX = uint64(at(offMore))
		must(t, e.lp.ENCLU(e.ctx()))
		if e.lp.TCS() != at(offMore) {
			t.Fatalf("TCS %#x", uint64(e.lp.TCS()))
		}
	})
}
