package cpu

import (
	"testing"

	"softsgx/isa"
)

// TestEDBG reads and writes pages of a debug enclave. The data page holds 22H.
func TestEDBG(t *testing.T) {
	const data = 0x2222222222222222
	debug := plan{flags: isa.ATTR_DEBUG}
	va := func(version uint64) func(*pageCall) {
		return func(x *pageCall) { x.p = x.va() + 16; *x.c.slot(x.p) = version }
	}
	tcs := func(off isa.EPCAddr) func(*pageCall) {
		return func(x *pageCall) { x.p = x.epc[offTCS] + off }
	}
	notDebuggable := code(isa.SGX_PAGE_NOT_DEBUGGABLE)
	for _, row := range []struct {
		name  string
		plan  plan
		set   func(*pageCall)
		read  outcome
		value uint64 // that EDBGRD gets
		write outcome
	}{
		{"isa 406 REG of a debug enclave", debug, func(*pageCall) {}, ok, data, ok},
		{"isa 406 offset FF8H", debug, func(x *pageCall) { x.p += 0xFF8 }, ok, data, ok},
		{"isa 407 419 REG of a production enclave", plan{}, func(*pageCall) {}, gp, 0, gp},
		{"isa 408 misaligned", debug, func(x *pageCall) { x.p += 4 }, gp, 0, gp},
		{"outside EPC", debug, func(x *pageCall) { x.p = outsideEPC }, pfPage, 0, pfPage},
		{"isa 409 SECS", debug, func(x *pageCall) { x.p = x.secs }, pfPage, 0, pfPage},
		{"isa 410 TRIM", debug, func(x *pageCall) { x.trim(offMore) }, pfPage, 0, pfPage},
		{"isa 411 PENDING", debug, func(x *pageCall) { x.p = x.aug(offFree) }, notDebuggable, 0, notDebuggable},
		{"isa 411 TCS MODIFIED", debug, func(x *pageCall) { x.become(offMore, newTCS) }, notDebuggable, 0, notDebuggable},
		{"isa 412 418 VA slot empty", plan{}, va(0), ok, 0, pfPage},
		{"isa 412 418 VA slot occupied", plan{}, va(8), ok, ^uint64(0), pfPage},
		{"isa 412 VA slot empty and locked", plan{}, va(slotBusy), ok, 0, pfPage},
		{"isa 413 TCS offset 72", debug, tcs(72), gp, 0, gp},
		{"TCS offset 32", debug, tcs(32), ok, offCode, gp},
		{"isa 416 TCS offset 8", debug, tcs(isa.TCSOffsetFLAGS), ok, 0, ok},
		{"isa 417 TCS offset 16", debug, tcs(isa.TCSOffsetOSSA), ok, offSSA, gp},
		{"TCS of a production enclave", plan{}, tcs(isa.TCSOffsetFLAGS), gp, 0, gp},
		{"isa 414 free page", debug, func(x *pageCall) { x.p = x.page() }, pfPage, 0, pfPage},
		{"isa 415 no rights", debug, func(x *pageCall) { must(x.t, x.c.EMODPR(secinfo(flagsNone), x.p)) }, ok, data, ok},
		{"isa 420 page R", debug, func(x *pageCall) { x.p = x.epc[offRO] }, ok, 0x1111111111111111, ok},
		{"BLOCKED", debug, func(x *pageCall) { must(x.t, x.c.EBLOCK(x.p)) }, ok, data, ok},
		{"locked", debug, func(x *pageCall) { x.holdExclusive(x.p) }, gp, 0, gp},
		{"shared", debug, func(x *pageCall) { x.holdShared(x.p) }, ok, data, ok},
		{"uninitialised", plan{flags: isa.ATTR_DEBUG, cold: true}, func(*pageCall) {}, ok, data, ok},
		{"zero page, uninitialised", plan{flags: isa.ATTR_DEBUG, cold: true}, func(x *pageCall) { x.p = x.epc[offData] }, ok, 0, ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(row.plan)
			x := &pageCall{enclave: e, p: e.epc[offMore]}
			row.set(x)
			v, err := x.c.EDBGRD(x.p)
			expect(t, x.resolve(row.read), err)
			if v != row.value {
				t.Fatalf("EDBGRD %#x", v)
			}
			expect(t, x.resolve(row.write), x.c.EDBGWR(x.p, 0x123456789))
			v, _ = x.c.EDBGRD(x.p)
			if row.write == ok && v != 0x123456789 {
				t.Fatalf("EDBGRD %#x after EDBGWR", v)
			}
			if row.write != ok && v != row.value {
				t.Fatalf("EDBGRD %#x after a fault", v)
			}
		})
	}
	t.Run("isa 416 DBGOPTIN", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(debug)
		e.optIn()
		e.enter()
		if !e.lp.optIn {
			t.Fatal("did not opt in")
		}
		if v, err := e.c.EDBGRD(e.epc[offTCS]); err != nil || v != isa.TCS_ACTIVE {
			t.Fatalf("STATE %d, %v", v, err)
		}
	})
	t.Run("a page written is measured as written", func(t *testing.T) {
		measure := func(write bool) string {
			e := newRig(t, fullConfig()).newEnclave(plan{flags: isa.ATTR_DEBUG, cold: true})
			if write {
				must(t, e.c.EDBGWR(e.epc[offData], 5))
			}
			e.measure(offData)
			return e.mrenclave()
		}
		if measure(true) == measure(false) {
			t.Fatal("measured as zero")
		}
	})
}
