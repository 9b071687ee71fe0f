package cpu

import (
	"encoding/binary"
	"testing"

	"softsgx/isa"
)

// enterAbove interrupts the thread in frame 0 and enters again, in frame 1.
func (e *enclave) enterAbove() {
	e.t.Helper()
	e.enter()
	must(e.t, e.lp.AEX(e.ctx(), Event{}))
	e.enter()
}

func TestEDECCSSA(t *testing.T) {
	rw := isa.Read | isa.Write
	for _, row := range []struct {
		name  string
		enter func(*enclave)
		set   func(*enclave)
		want  outcome
	}{
		{"isa 360 CSSA 0", (*enclave).enter, nil, gp},
		{"isa 361 CSSA 1", (*enclave).enterAbove, nil, ok},
		{"isa 362 page R", (*enclave).enterAbove, func(e *enclave) { e.restrict(offSSA) }, pf(at(offSSA))},
		{"isa 362 page BLOCKED", (*enclave).enterAbove, func(e *enclave) { must(e.t, e.c.EBLOCK(e.epc[offSSA])) }, pf(at(offSSA))},
		{"isa 362 page not EPC", (*enclave).enterAbove, func(e *enclave) { e.space[at(offSSA)] = pte{0, rw} }, pf(at(offSSA))},
		{"page not mapped", (*enclave).enterAbove, func(e *enclave) { delete(e.space, at(offSSA)) }, walkpf(at(offSSA))},
		{"page of frame 1 does not count", (*enclave).enterAbove, func(e *enclave) { e.restrict(offSSA + 0x1000) }, ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			row.enter(e)
			if row.set != nil {
				row.set(e)
			}
			cssa := e.cssa()
			same(t, row.want, e.enclu(isa.EDECCSSA, 0, 0, 0))
			if row.want == ok {
				cssa--
			}
			if e.cssa() != cssa {
				t.Fatalf("CSSA %d", e.cssa())
			}
			if binary.LittleEndian.Uint32(e.peek(isa.TCSOffsetCSSA, 4)) != cssa {
				t.Fatal("CSSA in the page")
			}
		})
	}
	t.Run("isa 363 next AEX", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enterAbove()
		above := e.peek(offSSA+isa.PageSize, isa.PageSize)
		same(t, ok, e.enclu(isa.EDECCSSA, 0, 0, 0))
		saved := e.inside()
		must(t, e.lp.AEX(e.ctx(), Event{}))
		if binary.LittleEndian.Uint64(e.peek(frameRIP, 8)) != saved.RIP || e.cssa() != 1 {
			t.Fatalf("RIP not in frame 0, or CSSA %d", e.cssa())
		}
		if string(e.peek(offSSA+isa.PageSize, isa.PageSize)) != string(above) {
			t.Fatal("frame 1 changed")
		}
		if e.regs.RSP != outRSP {
			t.Fatalf("RSP %#x", e.regs.RSP)
		}
	})
}
