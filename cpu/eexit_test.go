package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestEEXIT(t *testing.T) {
	for _, row := range []struct {
		name string
		rbx  uint64
		want outcome
	}{
		{"isa 358 not canonical", 1 << 47, gp},
		{"isa 359 outside", outRIP, ok},
		{"isa 359 upper half", 0xFFFF_8000_0000_0000, ok},
		{"target in ELRANGE", uint64(at(offCode)), ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			e.outside(isa.EENTER)
			e.regs.RFLAGS |= flagTF
			must(t, e.lp.ENCLU(e.ctx()))
			e.inside()
			e.regs.RAX, e.regs.RBX = uint64(isa.EEXIT), row.rbx
			want := e.regs
			expect(t, row.want, e.lp.ENCLU(e.ctx()))
			if row.want == ok {
				want.RIP, want.RCX = row.rbx, outAEP
				want.FSBase, want.GSBase = outFS, outGS
				want.RFLAGS |= flagTF
			}
			if e.regs != want {
				t.Fatalf("%+v", e.regs)
			}
			_, _, in := e.lp.Inside()
			active := e.state().tcs[e.epc[offTCS]].STATE == isa.TCS_ACTIVE
			if in != (row.want != ok) || active != in || e.cssa() != 0 {
				t.Fatalf("inside %v, active %v, CSSA %d", in, active, e.cssa())
			}
		})
	}
	t.Run("TF stays with an opted-in thread", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{flags: isa.ATTR_DEBUG})
		must(t, e.c.EDBGWR(e.epc[offTCS]+isa.TCSOffsetFLAGS, isa.TCS_DBGOPTIN))
		e.outside(isa.EENTER)
		e.regs.RFLAGS |= flagTF
		must(t, e.lp.ENCLU(e.ctx()))
		if e.regs.RFLAGS&flagTF == 0 {
			t.Fatal("TF cleared at entry")
		}
		e.regs.RFLAGS &^= flagTF
		e.exit()
		if e.regs.RFLAGS&flagTF != 0 {
			t.Fatal("TF came back")
		}
	})
}
