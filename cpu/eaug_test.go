package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestEAUG(t *testing.T) {
	type call struct {
		*enclave
		pi  *isa.PAGEINFO
		dst isa.EPCAddr
	}
	gpf := func(*call) outcome { return gp }
	rcx := func(x *call) outcome { return epf(x.dst) }
	secs := func(x *call) outcome { return epf(x.pi.SECS) }
	fine := func(*call) outcome { return ok }
	for _, row := range []struct {
		name string
		set  func(*call)
		want func(*call) outcome
	}{
		{"isa 239 initialised enclave", func(*call) {}, fine},
		{"isa 239 thread inside", func(x *call) { x.enter() }, fine},
		{"RBX misaligned", func(x *call) { x.pi.Addr += 16 }, gpf},
		{"RCX misaligned", func(x *call) { x.dst += 8 }, gpf},
		{"RCX outside EPC", func(x *call) { x.dst = outsideEPC }, rcx},
		{"SECINFO misaligned", func(x *call) { x.pi.SECINFO.Addr = kernel + 32 }, gpf},
		{"SECS misaligned", func(x *call) { x.pi.SECS += 8 }, gpf},
		{"LINADDR misaligned", func(x *call) { x.pi.LINADDR += 8 }, gpf},
		{"isa 240 before EINIT", func(x *call) { x.pi.SECS = x.create(plan{}).secs }, gpf},
		{"isa 241 SRCPGE", func(x *call) { x.pi.SRCPGE.Addr = kernel }, gpf},
		{"isa 242 below ELRANGE", func(x *call) { x.pi.LINADDR = elbase - isa.PageSize }, gpf},
		{"isa 242 above ELRANGE", func(x *call) { x.pi.LINADDR = at(0x100000) }, gpf},
		{"isa 243 target valid", func(x *call) { x.dst = x.epc[offData] }, rcx},
		{"isa 244 SECS is REG", func(x *call) { x.pi.SECS = x.epc[offData] }, secs},
		{"SECS is free", func(x *call) { x.pi.SECS = x.page() }, secs},
		{"SECS outside EPC", func(x *call) { x.pi.SECS = outsideEPC }, secs},
		{"SECS outside EPC comes before target valid", func(x *call) {
			x.pi.SECS, x.dst = outsideEPC, x.epc[offData]
		}, secs},
		{"isa 245 SECINFO of REG", func(x *call) { x.pi.SECINFO = secinfo(flagsRW) }, gpf},
		{"target locked", func(x *call) { x.holdShared(x.dst) }, gpf},
		{"SECS locked", func(x *call) { x.holdExclusive(x.secs) }, gpf},
		{"SECS shared", func(x *call) { x.holdShared(x.secs) }, fine},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			x := &call{e, e.augInfo(offFree), e.page()}
			row.set(x)
			want, before, children := row.want(x), e.c.EPCM(x.dst), e.state().children
			expect(t, want, x.c.EAUG(x.pi, x.dst))
			if want == ok {
				before = EPCMEntry{Valid: true, Pending: true, RWX: isa.Read | isa.Write, PT: isa.PT_REG, Addr: at(offFree)}
				children++
			}
			if got := x.c.EPCM(x.dst); got != before || e.state().children != children {
				t.Fatalf("EPCM %+v, %d children", got, e.state().children)
			}
		})
	}
	t.Run("isa 246 not accessible before EACCEPT", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.aug(offFree)
		e.enter()
		expect(t, pf(at(offFree)), e.lp.Access(e.space, at(offFree), isa.Read))
		same(t, ok, e.accept(offFree, acceptRW))
		must(t, e.lp.Access(e.space, at(offFree), isa.Read|isa.Write))
	})
	t.Run("zero after a page was removed there", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		must(t, e.c.EREMOVE(e.epc[offMore]))
		e.aug(offMore)
		if e.peek(offMore, 1)[0] != 0 {
			t.Fatal("the old contents are back")
		}
	})
	t.Run("not measured", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		before := e.state().MRENCLAVE
		e.aug(offFree)
		if e.state().MRENCLAVE != before {
			t.Fatal("MRENCLAVE changed")
		}
	})
}
