package cpu

import (
	"encoding/binary"
	"testing"

	"softsgx/isa"
)

// Offsets of GPRSGX fields in a frame of one page.
const (
	frameGPR    = offSSA + isa.PageSize - isa.GPRSGXSize
	frameRFLAGS = frameGPR + 128
	frameRIP    = frameGPR + 136
	frameFS     = frameGPR + gprFSBASE
	frameGS     = frameGPR + gprGSBASE
	frameNotify = frameGPR + isa.GPRSGXOffsetAEXNOTIFY
)

// interrupt makes the TCS one that an AEX left with CSSA n. The frames are as
// they are.
func (e *enclave) interrupt(n uint32) { e.state().tcs[e.epc[offTCS]].CSSA = n }

func (e *enclave) cssa() uint32 { return e.state().tcs[e.epc[offTCS]].CSSA }

func (e *enclave) poke64(off, v uint64) {
	b := make([]byte, 8)
	put64(b, 0, v)
	e.poke(off, b)
}

func TestERESUME(t *testing.T) {
	noisy := plan{flags: isa.ATTR_AEXNOTIFY}
	single := plan{flags: isa.ATTR_AEXNOTIFY, nssa: 1}
	notify := func(e *enclave) { e.poke(frameNotify, []byte{1}) }
	poke := func(off, v uint64) func(*enclave) { return func(e *enclave) { e.poke64(off, v) } }
	rows := append(entryRows(0), []entryRow{
		{"isa 348 CSSA 0", plan{}, func(e *enclave) { e.interrupt(0) }, gp},
		{"CSSA equals NSSA", plan{nssa: 1}, func(*enclave) {}, ok},
		{"isa 350 XSTATE_BV beyond XFRM", plan{}, poke(offSSA+xBV, 1<<5), gp},
		{"isa 350 XSTATE_BV with PKRU", plan{}, poke(offSSA+xBV, isa.XFRM_PKRU), gp},
		{"isa 351 header byte 520", plan{}, poke(offSSA+520, 1), gp},
		{"isa 351 XCOMP_BV of a compacted frame", plan{}, poke(offSSA+520, 1<<63), gp},
		{"isa 351 header byte 535", plan{}, poke(offSSA+528, 1<<56), gp},
		{"header byte 536", plan{}, poke(offSSA+536, 1), ok},
		{"isa 352 MXCSR bit 16", plan{}, poke(offSSA+xMXCSR, 1<<16), gp},
		{"isa 353 RIP not canonical", plan{}, poke(frameRIP, 1<<47), gp},
		{"FSBASE not canonical", plan{}, poke(frameFS, 1<<47), gp},
		{"GSBASE not canonical", plan{}, poke(frameGS, 1<<63), gp},
		{"isa 355 notify, NSSA 1", single, notify, gp},
		{"isa 356 notify", noisy, notify, ok},
		{"notify, frame CSSA not EPC", noisy, func(e *enclave) {
			notify(e)
			e.space[at(offSSA+0x1000)] = pte{0, isa.Read | isa.Write}
		}, pf(at(offSSA + 0x1000))},
		{"notify, frame CSSA-1 not EPC", noisy, func(e *enclave) {
			notify(e)
			e.space[at(offSSA)] = pte{0, isa.Read | isa.Write}
		}, pf(at(offSSA))},
		{"no notify, frame CSSA not EPC", noisy, func(e *enclave) {
			e.space[at(offSSA+0x1000)] = pte{0, isa.Read | isa.Write}
		}, ok},
		{"notify, saved RIP does not count", noisy, func(e *enclave) { notify(e); e.poke64(frameRIP, 1<<47) }, ok},
		{"notify, saved XSTATE_BV does not count", noisy, func(e *enclave) { notify(e); e.poke64(offSSA+xBV, ^uint64(0)) }, ok},
		{"notify, OENTRY not canonical", plan{flags: isa.ATTR_AEXNOTIFY, tcs: func(t *isa.TCS) {
			t.OENTRY, t.FLAGS = 1<<48, isa.TCS_AEXNOTIFY
		}}, notify, gp},
		{"isa 357 notify byte, no AEXNOTIFY in the TCS", plan{}, func(e *enclave) { notify(e) }, ok},
	}...)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(row.plan)
			e.interrupt(1)
			e.outside(isa.ERESUME)
			if row.set != nil {
				row.set(e)
			}
			e.tryEntry(t, row.want)
			if row.want != ok && e.x.stores != 0 {
				t.Fatal("a fault changed extended state")
			}
		})
	}
}

// inside sets registers to what an enclave may have.
func (e *enclave) inside() Regs {
	e.regs = Regs{
		RAX: 0x101, RBX: 0x102, RCX: 0x103, RDX: 0x104, RSI: 0x105, RDI: 0x106, RBP: 0x107, RSP: 0x108,
		R8: 0x109, R9: 0x10A, R10: 0x10B, R11: 0x10C, R12: 0x10D, R13: 0x10E, R14: 0x10F, R15: 0x110,
		RIP: uint64(at(offCode + 0x123)), RFLAGS: 0x202 | arithmeticFlags | flagDF | flagAC | flagID,
		FSBase: uint64(at(0x3000)), GSBase: uint64(at(0x4000)),
	}
	return e.regs
}

func TestERESUMEEffects(t *testing.T) {
	t.Run("isa 349 registers after AEX", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		want := e.inside()
		must(t, e.lp.AEX(e.ctx(), Event{}))
		if e.cssa() != 1 {
			t.Fatalf("CSSA %d", e.cssa())
		}
		must(t, e.resume())
		if e.regs != want || e.cssa() != 0 {
			t.Fatalf("CSSA %d, %+v", e.cssa(), e.regs)
		}
		e.exit()
		if e.regs.FSBase != outFS || e.regs.GSBase != outGS || e.regs.RCX != outAEP {
			t.Fatalf("outside: %+v", e.regs)
		}
	})
	t.Run("isa 349 URSP and URBP are those of EENTER", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		must(t, e.lp.AEX(e.ctx(), Event{}))
		e.outside(isa.ERESUME)
		e.regs.RSP, e.regs.RBP = 1, 2
		must(t, e.lp.ENCLU(e.ctx()))
		must(t, e.lp.AEX(e.ctx(), Event{}))
		if e.regs.RSP != outRSP || e.regs.RBP != outRBP {
			t.Fatalf("RSP %#x, RBP %#x", e.regs.RSP, e.regs.RBP)
		}
	})
	t.Run("isa 349 AEP and TF are those of ERESUME", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		must(t, e.lp.AEX(e.ctx(), Event{}))
		e.outside(isa.ERESUME)
		e.regs.RCX, e.regs.FSBase, e.regs.RFLAGS = 0x1234, 0x99, 0x202|flagTF
		must(t, e.lp.ENCLU(e.ctx()))
		if e.regs.RFLAGS&flagTF != 0 {
			t.Fatal("TF inside")
		}
		must(t, e.lp.AEX(e.ctx(), Event{}))
		if e.regs.RIP != 0x1234 || e.regs.FSBase != 0x99 || e.regs.RFLAGS&flagTF == 0 {
			t.Fatalf("%+v", e.regs)
		}
	})
	t.Run("isa 354 saved TF, opt-out", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.interrupt(1)
		e.poke64(frameRFLAGS, flagTF)
		must(t, e.resume())
		if e.regs.RFLAGS&flagTF != 0 {
			t.Fatal("TF")
		}
	})
	t.Run("saved TF, opt-in", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{flags: isa.ATTR_DEBUG})
		must(t, e.c.EDBGWR(e.epc[offTCS]+isa.TCSOffsetFLAGS, isa.TCS_DBGOPTIN))
		e.interrupt(1)
		e.poke64(frameRFLAGS, flagTF)
		must(t, e.resume())
		if e.regs.RFLAGS&flagTF == 0 {
			t.Fatal("no TF")
		}
	})
	t.Run("saved system flags do not count", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.interrupt(1)
		e.poke64(frameRFLAGS, ^uint64(0))
		must(t, e.resume())
		if want := 0x202 | userFlags; e.regs.RFLAGS != want {
			t.Fatalf("RFLAGS %#x, want %#x", e.regs.RFLAGS, want)
		}
	})
	t.Run("isa 356 notify", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{flags: isa.ATTR_AEXNOTIFY})
		e.enter()
		e.poke(frameNotify, []byte{1})
		saved := e.inside()
		must(t, e.lp.AEX(e.ctx(), Event{}))
		e.outside(isa.ERESUME)
		want := e.regs
		want.RAX, want.RCX, want.RIP = 1, outRIP+isa.ENCLULength, uint64(at(offCode))
		want.FSBase, want.GSBase = uint64(elbase), uint64(elbase)
		must(t, e.lp.ENCLU(e.ctx()))
		if e.regs != want || e.cssa() != 1 {
			t.Fatalf("CSSA %d, %+v", e.cssa(), e.regs)
		}
		if binary.LittleEndian.Uint64(e.peek(frameGPR+isa.PageSize+gprURSP, 8)) != outRSP {
			t.Fatal("URSP of frame 1")
		}
		if e.peek(frameNotify, 1)[0] != 1 || binary.LittleEndian.Uint64(e.peek(frameRIP, 8)) != saved.RIP {
			t.Fatal("frame 0 changed")
		}
	})
}

// userFlags are the flags that a frame decides about in a thread that did not
// opt in to debugging.
const userFlags = arithmeticFlags | flagDF | flagNT | flagRF | flagAC | flagID

// FuzzERESUME resumes an SSA frame that hostile code in the enclave wrote.
func FuzzERESUME(f *testing.F) {
	f.Add([]byte{}, []byte{}, uint8(0))
	f.Add([]byte{0x7F, 3}, []byte{1, 2, 3}, uint8(1))
	frame := make([]byte, isa.PageSize)
	put64(frame, xBV, 0xE7)
	f.Add(frame[:600], frame[len(frame)-isa.GPRSGXSize:], uint8(2))
	put32(frame, xMXCSR, 0xFFFFFFFF)
	f.Add(frame[:600], fill(0xFF)[:isa.GPRSGXSize], uint8(5))
	xfrms := []uint64{3, 7, 0xE7}
	f.Fuzz(func(t *testing.T, area, gprs []byte, kind uint8) {
		cfg, p := fullConfig(), plan{xfrm: xfrms[int(kind)%len(xfrms)]}
		if kind&4 != 0 {
			cfg.XLayout = amdLayout()
		}
		if kind&8 != 0 {
			p.flags = isa.ATTR_AEXNOTIFY
		}
		e := newRig(t, cfg).newEnclave(p)
		e.interrupt(1)
		e.poke(offSSA, area[:min(len(area), isa.PageSize)])
		e.poke(frameGPR, gprs[:min(len(gprs), isa.GPRSGXSize)])
		e.outside(isa.ERESUME)
		before := e.regs
		err := e.lp.ENCLU(e.ctx())
		if err != nil {
			same(t, gp, result(t, err))
			if _, _, in := e.lp.Inside(); in || e.regs != before || e.cssa() != 1 || e.x.stores != 0 {
				t.Fatal("a fault left a mark")
			}
			return
		}
		e.checkResumed(before, p.xfrm)
		must(t, e.lp.AEX(e.ctx(), Event{}))
	})
}

// checkResumed checks what no frame may bring about.
func (e *enclave) checkResumed(before Regs, xfrm uint64) {
	e.t.Helper()
	if (e.regs.RFLAGS^before.RFLAGS)&^userFlags != 0 {
		e.t.Fatalf("RFLAGS %#x", e.regs.RFLAGS)
	}
	if !canonical(e.regs.RIP) || !canonical(e.regs.FSBase) || !canonical(e.regs.GSBase) {
		e.t.Fatalf("not canonical: %+v", e.regs)
	}
	if bv(e.x.b)&^xfrm != 0 || !isZeroBytes(e.x.b[xReserved:xHeaderEnd]) {
		e.t.Fatalf("XSAVE header % x", e.x.b[xBV:xHeaderEnd])
	}
	if binary.LittleEndian.Uint32(e.x.b[xMXCSR:])&^mxcsrMask(e.x.b) != 0 {
		e.t.Fatal("MXCSR")
	}
}
