package cpu

import (
	"bytes"
	"testing"

	"softsgx/isa"
)

// pager is an enclave and what evicts one of its pages.
type pager struct {
	*enclave
	pi   isa.PAGEINFO // of EWB, then of ELDU
	p    isa.EPCAddr  // the page
	slot isa.EPCAddr
}

func newPager(t *testing.T) *pager {
	t.Helper()
	e := newRig(t, fullConfig()).newEnclave(plan{})
	return &pager{enclave: e, pi: buffers(), p: e.epc[offMore], slot: e.va() + 24}
}

// buffers is a PAGEINFO with room for what EWB writes.
func buffers() isa.PAGEINFO {
	return isa.PAGEINFO{
		Addr: kernel, SRCPGE: operand(make([]byte, isa.PageSize)), SECINFO: operand(make([]byte, isa.PCMDSize)),
	}
}

func (x *pager) block() {
	x.t.Helper()
	must(x.t, x.c.EBLOCK(x.p))
}

// pageOf is the EPC page of an address in it.
func pageOf(p isa.EPCAddr) isa.EPCAddr { return p &^ (isa.PageSize - 1) }

// ewb does EWB.
func (x *pager) ewb() error { return x.c.EWB(&x.pi, x.p, x.slot) }

// evict does what evicts the page, whatever it is.
func (x *pager) evict() {
	x.t.Helper()
	if e := x.c.EPCM(x.p); e.PT != isa.PT_SECS && e.PT != isa.PT_VA && !e.Blocked {
		x.block()
		x.track()
	}
	must(x.t, x.ewb())
}

func (x *pager) pcmd() (p isa.PCMD) {
	x.t.Helper()
	must(x.t, p.UnmarshalBinary(x.pi.SECINFO.Bytes))
	return p
}

func (x *pager) version() uint64 {
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	return *x.c.slot(x.slot)
}

func TestEWB(t *testing.T) {
	blocked := func(x *pager) { x.block(); x.track() }
	pfSlot := outcome{vector: isa.PF, sgx: true, addr: 2}
	notTracked := code(isa.SGX_NOT_TRACKED)
	for _, row := range []struct {
		name string
		set  func(*pager)
		want outcome
	}{
		{"isa 218 REG", blocked, ok},
		{"isa 201 not blocked", func(*pager) {}, code(isa.SGX_PAGE_NOT_BLOCKED)},
		{"isa 202 no ETRACK", func(x *pager) { x.block() }, notTracked},
		{"isa 203 old thread inside", func(x *pager) { x.enter(); blocked(x) }, notTracked},
		{"isa 203 old thread has left", func(x *pager) { x.enter(); blocked(x); x.exit() }, ok},
		{"isa 204 newer thread inside", func(x *pager) { blocked(x); x.enter() }, ok},
		{"isa 205 RDX misaligned", func(x *pager) { blocked(x); x.slot += 4 }, gp},
		{"isa 206 RDX in REG", func(x *pager) { blocked(x); x.slot = x.epc[offData] }, pfSlot},
		{"RDX in a free page", func(x *pager) { blocked(x); x.slot = x.page() }, pfSlot},
		{"isa 207 RDX outside EPC", func(x *pager) { blocked(x); x.slot = outsideEPC }, pfSlot},
		{"isa 208 RDX and RCX in one page", func(x *pager) { x.p = pageOf(x.slot) }, gp},
		{"isa 209 LINADDR", func(x *pager) { blocked(x); x.pi.LINADDR = 0x1000 }, gp},
		{"isa 210 SECS", func(x *pager) { blocked(x); x.pi.SECS = x.secs }, gp},
		{"isa 211 PCMD misaligned", func(x *pager) { blocked(x); x.pi.SECINFO.Addr += 64 }, gp},
		{"SRCPGE misaligned", func(x *pager) { blocked(x); x.pi.SRCPGE.Addr += 128 }, gp},
		{"RBX misaligned", func(x *pager) { blocked(x); x.pi.Addr += 16 }, gp},
		{"RCX misaligned", func(x *pager) { blocked(x); x.p += 8 }, gp},
		{"RCX outside EPC", func(x *pager) { x.p = outsideEPC }, pfPage},
		{"SRCPGE not readable", func(x *pager) { blocked(x); x.pi.SRCPGE.Bytes = nil }, walkpf(kernel)},
		{"PCMD not readable", func(x *pager) { blocked(x); x.pi.SECINFO.Bytes = nil }, walkpf(kernel)},
		{"isa 212 free page", func(x *pager) { x.p = x.page() }, pfPage},
		{"isa 213 RCX locked", func(x *pager) { blocked(x); x.holdShared(x.p) }, gp},
		{"VA page locked", func(x *pager) { blocked(x); x.holdExclusive(x.slot) }, gp},
		{"VA page shared", func(x *pager) { blocked(x); x.holdShared(x.slot) }, ok},
		{"slot in use by another leaf", func(x *pager) { blocked(x); *x.c.slot(x.slot) = slotBusy }, gp},
		{"tracking busy", func(x *pager) { blocked(x); x.state().tracking = true }, gp},
		{"SECS locked", func(x *pager) { blocked(x); x.holdExclusive(x.secs) }, gp},
		{"isa 214 SECS with children", func(x *pager) { x.p = x.secs }, code(isa.SGX_CHILD_PRESENT)},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newPager(t)
			row.set(x)
			want := row.want
			switch want {
			case pfPage:
				want = epf(x.p)
			case pfSlot:
				want = epf(x.slot)
			}
			before, children := x.c.EPCM(x.p), x.state().children
			expect(t, want, x.ewb())
			if want == ok {
				before = EPCMEntry{}
				children--
			}
			if got := x.c.EPCM(x.p); got != before || x.state().children != children {
				t.Fatalf("EPCM %+v, %d children", got, x.state().children)
			}
		})
	}
}

func TestEWBEffects(t *testing.T) {
	t.Run("isa 218 PAGEINFO, PCMD and slot", func(t *testing.T) {
		x := newPager(t)
		x.evict()
		if x.pi.LINADDR != at(offMore) || x.version() == 0 || x.version()%versionStep != 0 {
			t.Fatalf("LINADDR %#x, version %#x", uint64(x.pi.LINADDR), x.version())
		}
		want := isa.PCMD{SECINFO: isa.SECINFO{Flags: flagsRW}, ENCLAVEID: x.state().eid, MAC: x.pcmd().MAC}
		if x.pcmd() != want || want.MAC == [16]byte{} {
			t.Fatalf("PCMD %+v", x.pcmd())
		}
		if bytes.Contains(x.pi.SRCPGE.Bytes, fill(0x22)[:16]) {
			t.Fatal("plaintext")
		}
		if x.peek(offMore, 1)[0] != 0 {
			t.Fatal("the contents are still there")
		}
	})
	t.Run("isa 215 SECS without children", func(t *testing.T) {
		x := newPager(t)
		o := x.create(plan{})
		eid := o.state().eid
		x.p = o.secs
		must(t, x.ewb())
		if x.pcmd().ENCLAVEID != eid || x.pi.LINADDR != 0 {
			t.Fatalf("PCMD %+v", x.pcmd())
		}
	})
	t.Run("isa 216 VA page", func(t *testing.T) {
		x := newPager(t)
		x.p = x.va()
		must(t, x.ewb())
		if pcmd := x.pcmd(); pcmd.ENCLAVEID != 0 || pcmd.SECINFO.Type() != isa.PT_VA {
			t.Fatalf("PCMD %+v", pcmd)
		}
	})
	t.Run("isa 217 slot occupied", func(t *testing.T) {
		x := newPager(t)
		x.evict()
		old := x.version()
		x.p, x.pi = x.epc[offData], buffers()
		x.block()
		x.track()
		expect(t, code(isa.SGX_VA_SLOT_OCCUPIED), x.ewb())
		if x.c.EPCM(x.p).Valid || x.version() == old || x.version() == 0 {
			t.Fatalf("version %#x", x.version())
		}
		must(t, x.reload())
	})
	t.Run("isa 219 evicted twice", func(t *testing.T) {
		x := newPager(t)
		x.evict()
		first, mac := append([]byte(nil), x.pi.SRCPGE.Bytes...), x.pcmd().MAC
		must(t, x.reload())
		x.pi = buffers()
		x.evict()
		if bytes.Equal(first, x.pi.SRCPGE.Bytes) || mac == x.pcmd().MAC {
			t.Fatal("the same again")
		}
	})
}
