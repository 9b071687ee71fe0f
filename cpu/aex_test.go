package cpu

import (
	"encoding/binary"
	"testing"

	"softsgx/isa"
)

// saved reads GPRSGX and EXINFO of frame n.
func (e *enclave) saved(n uint64) (g isa.GPRSGX, ex isa.EXINFO) {
	e.t.Helper()
	off := frameGPR + n*isa.PageSize
	must(e.t, g.UnmarshalBinary(e.peek(off, isa.GPRSGXSize)))
	must(e.t, ex.UnmarshalBinary(e.peek(off-isa.EXINFOSize, isa.EXINFOSize)))
	return g, ex
}

// optIn makes the TCS of a debug enclave one that opted in to debugging.
func (e *enclave) optIn() {
	e.t.Helper()
	must(e.t, e.c.EDBGWR(e.epc[offTCS]+isa.TCSOffsetFLAGS, isa.TCS_DBGOPTIN))
}

func exception(vector uint8) Event { return Event{Valid: true, Vector: vector} }

func TestAEXEvents(t *testing.T) {
	const addr = 0x12345678
	debug := plan{flags: isa.ATTR_DEBUG, misc: isa.MISC_EXINFO}
	tells := plan{misc: isa.MISC_EXINFO}
	fault := Event{Valid: true, Vector: isa.PF, Addr: addr, ErrorCode: isa.PFECUser | isa.PFECSGX}
	protection := Event{Valid: true, Vector: isa.GP, ErrorCode: 0x18}
	untouched := isa.EXINFO{MADDR: 0xEEEE, ERRCD: 0xEE}
	for _, row := range []struct {
		name   string
		plan   plan
		ev     Event
		info   uint32
		exinfo isa.EXINFO
		rf     bool
	}{
		{"#DE", tells, exception(isa.DE), 0x80000300, untouched, true},
		{"isa 337 #UD", tells, exception(isa.UD), 0x80000306, untouched, true},
		{"isa 337 #UD, MISCSELECT 0", plan{}, exception(isa.UD), 0x80000306, untouched, true},
		{"isa 338 INT3, opt-out", tells, Event{Valid: true, Vector: isa.BP, Software: true}, 0x80000306, untouched, true},
		{"isa 339 INT3, opt-in", debug, Event{Valid: true, Vector: isa.BP, Software: true}, 0x80000603, untouched, true},
		{"#DB, opt-in", debug, exception(isa.DB), 0x80000301, untouched, false},
		{"#BR", tells, exception(isa.BR), 0x80000305, untouched, true},
		{"isa 341 #MF", tells, exception(isa.MF), 0x80000310, untouched, true},
		{"#AC", tells, exception(isa.AC), 0x80000311, untouched, true},
		{"isa 342 #XM", tells, exception(isa.XM), 0x80000313, untouched, true},
		{"isa 335 #PF", tells, fault, 0x8000030E, isa.EXINFO{MADDR: addr, ERRCD: fault.ErrorCode}, true},
		{"isa 336 #PF, MISCSELECT 0", plan{}, fault, 0, untouched, true},
		{"#PF of the system", tells, Event{Valid: true, Vector: isa.PF, Addr: addr, ErrorCode: 2}, 0, untouched, true},
		{"#GP", tells, protection, 0x8000030D, isa.EXINFO{ERRCD: 0x18}, true},
		{"#GP, MISCSELECT 0", plan{}, protection, 0, untouched, true},
		{"#NM", tells, exception(isa.NM), 0, untouched, true},
		{"#CP", tells, exception(isa.CP), 0, untouched, true},
		{"isa 340 interrupt", tells, Event{}, 0, untouched, false},
		{"isa 340 interrupt with a vector", tells, Event{Vector: isa.UD}, 0, untouched, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(row.plan)
			if row.plan.flags&isa.ATTR_DEBUG != 0 {
				e.optIn()
			}
			e.poke64(frameGPR-isa.EXINFOSize, untouched.MADDR)
			e.poke64(frameGPR-isa.EXINFOSize+8, uint64(untouched.ERRCD))
			e.poke64(frameGPR+gprEXITINFO, 0x5500_0000_FFFF_FFFF)
			e.enter()
			e.inside()
			must(t, e.lp.AEX(e.ctx(), row.ev))
			g, ex := e.saved(0)
			if g.EXITINFO != row.info || ex != row.exinfo {
				t.Fatalf("EXITINFO %#x, EXINFO %+v", g.EXITINFO, ex)
			}
			if rf := g.RFLAGS&flagRF != 0; rf != row.rf {
				t.Fatalf("RF %v", rf)
			}
			t.Run("isa 346 AEXNOTIFY", func(t *testing.T) {
				if g.AEXNOTIFY != 0x55 {
					t.Fatalf("%#x", g.AEXNOTIFY)
				}
			})
		})
	}
}

func TestAEXRegisters(t *testing.T) {
	for _, row := range []struct {
		name  string
		ev    Event
		optIn bool
		flags uint64 // of the thread inside, besides those of inside()
		saved uint64 // more or less of them in the frame
	}{
		{"isa 333 exception", exception(isa.UD), false, 0, flagRF},
		{"isa 333 interrupt", Event{}, false, 0, 0},
		{"isa 344 TF, opt-in", Event{}, true, flagTF, 0},
		{"RF inside", Event{}, false, flagRF, flagRF},
		{"NT inside", Event{}, false, flagNT, flagNT},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{flags: isa.ATTR_DEBUG})
			if row.optIn {
				e.optIn()
			}
			e.enter()
			in := e.inside()
			e.regs.RFLAGS |= row.flags
			must(t, e.lp.AEX(e.ctx(), row.ev))

			g, _ := e.saved(0)
			g.EXITINFO = 0
			want := isa.GPRSGX{
				RAX: in.RAX, RCX: in.RCX, RDX: in.RDX, RBX: in.RBX, RSP: in.RSP, RBP: in.RBP, RSI: in.RSI, RDI: in.RDI,
				R8: in.R8, R9: in.R9, R10: in.R10, R11: in.R11, R12: in.R12, R13: in.R13, R14: in.R14, R15: in.R15,
				RFLAGS: in.RFLAGS | row.saved, RIP: in.RIP, URSP: outRSP, URBP: outRBP,
				FSBASE: in.FSBase, GSBASE: in.GSBase,
			}
			if g != want { // isa 347: at the end of the frame
				t.Fatalf("saved %+v", g)
			}
			out := Regs{
				RAX: uint64(isa.ERESUME), RBX: uint64(at(offTCS)), RCX: outAEP, RIP: outAEP, RSP: outRSP, RBP: outRBP,
				RFLAGS: (in.RFLAGS | row.flags) &^ (arithmeticFlags | flagRF), FSBase: outFS, GSBase: outGS,
			}
			if e.regs != out { // isa 334: with DF
				t.Fatalf("outside %+v", e.regs)
			}
			if _, _, in := e.lp.Inside(); in || e.cssa() != 1 || e.state().tcs[e.epc[offTCS]].STATE != isa.TCS_INACTIVE {
				t.Fatalf("inside %v, CSSA %d", in, e.cssa())
			}
		})
	}
}

func TestAEXFrames(t *testing.T) {
	t.Run("isa 347 frame of two pages", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{frame: 2})
		e.enter()
		in := e.inside()
		must(t, e.lp.AEX(e.ctx(), Event{}))
		if g, _ := e.saved(1); g.RIP != in.RIP {
			t.Fatalf("RIP %#x", g.RIP)
		}
		if binary.LittleEndian.Uint64(e.peek(offSSA+xBV, 8)) == 0 && e.peek(offSSA, 1)[0] == 0 {
			t.Fatal("no XSAVE area in the first page")
		}
	})
	t.Run("isa 333 second frame", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enterAbove()
		if e.regs.RAX != 1 {
			t.Fatalf("RAX %d", e.regs.RAX)
		}
		in := e.inside()
		must(t, e.lp.AEX(e.ctx(), Event{}))
		if g, _ := e.saved(1); g.RIP != in.RIP || e.cssa() != 2 {
			t.Fatalf("RIP %#x, CSSA %d", g.RIP, e.cssa())
		}
		e.outside(isa.EENTER)
		expect(t, gp, e.lp.ENCLU(e.ctx()))
	})
	t.Run("a frame blocked after entry is still used", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		must(t, e.c.EBLOCK(e.epc[offSSA]))
		delete(e.space, at(offSSA))
		in := e.inside()
		must(t, e.lp.AEX(e.ctx(), Event{}))
		if g, _ := e.saved(0); g.RIP != in.RIP {
			t.Fatalf("RIP %#x", g.RIP)
		}
	})
	t.Run("outside", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		if e.lp.AEX(e.ctx(), Event{}) == nil {
			t.Fatal("AEX of a thread outside")
		}
	})
}

func TestDelivered(t *testing.T) {
	int3 := Event{Valid: true, Vector: isa.BP, Software: true}
	fault := func(a isa.LinAddr) Event { return Event{Valid: true, Vector: isa.PF, Addr: a, ErrorCode: 6} }
	for _, row := range []struct {
		name     string
		optIn    bool
		ev, want Event
	}{
		{"isa 335 #PF", false, fault(0x12345678), fault(0x12345000)},
		{"isa 338 INT3, opt-out", false, int3, exception(isa.UD)},
		{"isa 339 INT3, opt-in", true, int3, int3},
		{"#GP", false, Event{Valid: true, Vector: isa.GP, ErrorCode: 8}, Event{Valid: true, Vector: isa.GP, ErrorCode: 8}},
		{"isa 340 interrupt", false, Event{Vector: isa.PF, Addr: 0x123}, Event{Vector: isa.PF, Addr: 0x123}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{flags: isa.ATTR_DEBUG})
			if row.optIn {
				e.optIn()
			}
			e.enter()
			if got := e.lp.Delivered(row.ev); got != row.want {
				t.Fatalf("%+v", got)
			}
		})
	}
}
