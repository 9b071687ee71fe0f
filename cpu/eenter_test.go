package cpu

import (
	"encoding/binary"
	"testing"

	"softsgx/isa"
)

// entryRow spoils what EENTER needs.
type entryRow struct {
	name string
	plan plan
	set  func(*enclave) // after outside
	want outcome
}

// entryRows are the rows that EENTER and ERESUME share. n is the frame that the
// leaf uses.
func entryRows(n uint64) []entryRow {
	page := offSSA + n*isa.PageSize
	wide := plan{frame: 2}
	gpr := at(offSSA + 2*n*isa.PageSize + 2*isa.PageSize - isa.GPRSGXSize)
	rbx := func(lin isa.LinAddr) func(*enclave) { return func(e *enclave) { e.regs.RBX = uint64(lin) } }
	tcs := func(f func(*isa.TCS)) plan { return plan{tcs: f} }
	maps := func(off uint64, p pte) func(*enclave) { return func(e *enclave) { e.space[at(off)] = p } }
	rw := isa.Read | isa.Write
	return []entryRow{
		{"isa 308 RBX misaligned", plan{}, rbx(at(8)), gp},
		{"isa 309 RBX not EPC", plan{}, maps(offTCS, pte{0, rw}), pf(at(0))},
		{"RBX beyond the EPC", plan{}, maps(offTCS, pte{outsideEPC, rw}), pf(at(0))},
		{"RBX not mapped", plan{}, func(e *enclave) { delete(e.space, at(offTCS)) }, walkpf(at(0))},
		{"RBX PTE read-only", plan{}, func(e *enclave) { e.space[at(0)] = pte{e.epc[offTCS], isa.Read} }, walkpf(at(0))},
		{"isa 310 RBX is REG", plan{}, rbx(at(offData)), pf(at(offData))},
		{"RBX is free", plan{}, func(e *enclave) { e.space[at(offTCS)] = pte{e.page(), rw} }, pf(at(0))},
		{"RBX is a SECS", plan{}, func(e *enclave) { e.space[at(offTCS)] = pte{e.secs, rw} }, pf(at(0))},
		{"isa 311 TCS at another address", plan{}, func(e *enclave) {
			e.space[at(offFree)] = e.space[at(offTCS)]
			e.regs.RBX = uint64(at(offFree))
		}, pf(at(offFree))},
		{"isa 312 TCS BLOCKED", plan{}, func(e *enclave) { must(e.t, e.c.EBLOCK(e.epc[offTCS])) }, pf(at(0))},
		{"isa 313 TCS not accepted", plan{}, func(e *enclave) {
			e.become(offData, newTCS)
			e.regs.RBX = uint64(at(offData))
		}, pf(at(offData))},
		{"TCS became TRIM", plan{}, func(e *enclave) { e.trim(offTCS) }, pf(at(0))},
		{"TCS locked", plan{}, func(e *enclave) { e.holdExclusive(e.epc[offTCS]) }, gp},
		{"TCS shared", plan{}, func(e *enclave) { e.holdShared(e.epc[offTCS]) }, ok},
		{"isa 314 not initialised", plan{}, func(e *enclave) { e.state().ATTRIBUTES.Flags &^= isa.ATTR_INIT }, gp},
		{"isa 315 OSSA misaligned", tcs(func(t *isa.TCS) { t.OSSA += 8 }), nil, gp},
		{"isa 316 OGSBASE misaligned", tcs(func(t *isa.TCS) { t.OGSBASE = 8 }), nil, gp},
		{"isa 316 OFSBASE misaligned", tcs(func(t *isa.TCS) { t.OFSBASE = 8 }), nil, gp},
		{"isa 317 FLAGS bit 2", tcs(func(t *isa.TCS) { t.FLAGS = 4 }), nil, gp},
		{"isa 317 FLAGS bit 63", tcs(func(t *isa.TCS) { t.FLAGS = 1 << 63 }), nil, gp},
		{"isa 320 SSA page not EPC", plan{}, maps(page, pte{0, rw}), pf(at(page))},
		{"isa 320 SSA page of another enclave", plan{}, func(e *enclave) {
			e.space[at(page)] = pte{e.newEnclave(plan{}).epc[page], rw}
		}, pf(at(page))},
		{"SSA page not mapped", plan{}, func(e *enclave) { delete(e.space, at(page)) }, walkpf(at(page))},
		{"SSA page PTE read-only", plan{}, func(e *enclave) { e.space[at(page)] = pte{e.epc[page], isa.Read} },
			walkpf(at(page))},
		{"isa 321 SSA page R", plan{}, func(e *enclave) { e.restrict(page) }, pf(at(page))},
		{"isa 322 SSA page PENDING", plan{}, func(e *enclave) {
			must(e.t, e.c.EREMOVE(e.epc[page]))
			e.aug(page)
		}, pf(at(page))},
		{"SSA page BLOCKED", plan{}, func(e *enclave) { must(e.t, e.c.EBLOCK(e.epc[page])) }, pf(at(page))},
		{"isa 323 GPR page not EPC", wide, maps(page+(n+1)*isa.PageSize, pte{0, rw}), pf(gpr)},
		{"isa 323 GPR page not mapped", wide, func(e *enclave) { delete(e.space, gpr.Page()) }, walkpf(gpr)},
		{"isa 324 XFRM beyond XCR0", plan{}, func(e *enclave) { e.state().ATTRIBUTES.XFRM |= 1 << 60 }, gp},
		{"isa 326 32-bit enclave", plan{}, func(e *enclave) { e.state().ATTRIBUTES.Flags &^= isa.ATTR_MODE64BIT }, gp},
		{"isa 327 AEP not canonical", plan{}, func(e *enclave) { e.regs.RCX = 1 << 47 }, gp},
		{"isa 328 TCS ACTIVE", plan{}, func(e *enclave) { e.state().tcs[e.epc[offTCS]].STATE = isa.TCS_ACTIVE }, gp},
		{"isa 329 AEXNOTIFY of the TCS only", tcs(func(t *isa.TCS) { t.FLAGS = isa.TCS_AEXNOTIFY }), nil, gp},
		{"isa 329 AEXNOTIFY of the SECS only",
			plan{flags: isa.ATTR_AEXNOTIFY, tcs: func(t *isa.TCS) { t.FLAGS = 0 }}, nil, gp},
		{"isa 330 AEXNOTIFY of the SECS only, opted in",
			plan{flags: isa.ATTR_AEXNOTIFY | isa.ATTR_DEBUG, tcs: func(t *isa.TCS) { t.FLAGS = 0 }},
			func(e *enclave) { must(e.t, e.c.EDBGWR(e.epc[offTCS]+isa.TCSOffsetFLAGS, isa.TCS_DBGOPTIN)) }, ok},
	}
}

// tryEntry executes EENTER or ERESUME of a spoiled enclave. A fault must leave
// the thread outside and the TCS as it was.
func (e *enclave) tryEntry(t *testing.T, want outcome) {
	t.Helper()
	tcs := e.state().tcs[e.epc[offTCS]]
	var before isa.TCS
	if tcs != nil {
		before = tcs.TCS
	}
	regs, held := e.regs, e.entry(e.epc[offTCS]).hold
	expect(t, want, e.lp.ENCLU(e.ctx()))
	_, _, inside := e.lp.Inside()
	if inside != (want == ok) {
		t.Fatalf("inside: %v", inside)
	}
	if e.entry(e.epc[offTCS]).hold != held {
		t.Fatal("a lock is still held")
	}
	if want == ok {
		return
	}
	if tcs != nil {
		before.AEP = tcs.AEP // what XRSTOR refuses comes after the AEP is stored
	}
	if e.regs != regs || tcs != nil && tcs.TCS != before || e.state().occupied() {
		t.Fatal("a fault left a mark")
	}
}

func TestEENTER(t *testing.T) {
	rows := append(entryRows(0), []entryRow{
		{"isa 318 NSSA 0", plan{tcs: func(t *isa.TCS) { t.NSSA = 0 }}, nil, gp},
		{"isa 319 CSSA equals NSSA", plan{}, func(e *enclave) { e.state().tcs[e.epc[offTCS]].CSSA = 2 }, gp},
		{"OENTRY not canonical", plan{tcs: func(t *isa.TCS) { t.OENTRY = 1 << 48 }}, nil, gp},
		{"OFSBASE not canonical", plan{tcs: func(t *isa.TCS) { t.OFSBASE = 1 << 48 }}, nil, gp},
		{"OGSBASE not canonical", plan{tcs: func(t *isa.TCS) { t.OGSBASE = 1 << 48 }}, nil, gp},
		{"TCS PENDING", plan{}, func(e *enclave) {
			e.aug(offFree)
			e.regs.RBX = uint64(at(offFree))
		}, pf(at(offFree))},
	}...)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(row.plan)
			e.outside(isa.EENTER)
			if row.set != nil {
				row.set(e)
			}
			e.tryEntry(t, row.want)
		})
	}
}

func TestEENTEREffects(t *testing.T) {
	e := newRig(t, fullConfig()).newEnclave(plan{tcs: func(t *isa.TCS) { t.OFSBASE, t.OGSBASE = 0x3000, 0x4000 }})
	e.outside(isa.EENTER)
	e.regs.RFLAGS |= flagTF | flagDF | flagZF
	want := e.regs
	frame := e.peek(offSSA, isa.PageSize)
	must(t, e.lp.ENCLU(e.ctx()))
	t.Run("isa 307 332 registers", func(t *testing.T) {
		want.RAX, want.RCX, want.RIP = 0, outRIP+isa.ENCLULength, uint64(at(offCode))
		want.FSBase, want.GSBase = uint64(at(0x3000)), uint64(at(0x4000))
		want.RFLAGS &^= flagTF
		if e.regs != want {
			t.Fatalf("%+v", e.regs)
		}
	})
	t.Run("isa 331 URSP and URBP", func(t *testing.T) {
		gprs := frame[isa.PageSize-isa.GPRSGXSize:]
		put64(gprs, gprURSP, outRSP)
		put64(gprs, gprURBP, outRBP)
		if string(e.peek(offSSA, isa.PageSize)) != string(frame) {
			t.Fatal("the frame differs by more or less")
		}
	})
	t.Run("isa 307 TCS", func(t *testing.T) {
		b := e.peek(offTCS, isa.TCSSize)
		if binary.LittleEndian.Uint64(b[isa.TCSOffsetSTATE:]) != isa.TCS_ACTIVE ||
			binary.LittleEndian.Uint64(b[isa.TCSOffsetAEP:]) != outAEP {
			t.Fatal("STATE or AEP")
		}
	})
	t.Run("isa 328 entered by another thread", func(t *testing.T) {
		o := e.thread()
		o.outside(isa.EENTER)
		expect(t, gp, o.lp.ENCLU(o.ctx()))
	})
	t.Run("what the page says about the TCS does not count", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.poke(offTCS, fill(0xFF))
		e.enter()
		if e.regs.RIP != uint64(at(offCode)) {
			t.Fatalf("RIP %#x", e.regs.RIP)
		}
	})
}
