package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestLPInside(t *testing.T) {
	e := newRig(t, fullConfig()).newEnclave(plan{})
	check := func(in bool) {
		t.Helper()
		base, size, ok := e.lp.Inside()
		if ok != in || in && (base != elbase || size != 0x100000) {
			t.Fatalf("Inside: %#x, %#x, %v", uint64(base), size, ok)
		}
		if (e.lp.TCS() == at(offTCS)) != in || (e.lp.SECS() == e.secs) != in {
			t.Fatalf("TCS %#x, SECS %#x", uint64(e.lp.TCS()), uint64(e.lp.SECS()))
		}
	}
	check(false)
	e.enter()
	check(true)
	must(t, e.lp.AEX(e.ctx(), Event{}))
	check(false)
	must(t, e.resume())
	check(true)
	e.exit()
	check(false)
}

func TestAbandon(t *testing.T) {
	t.Run("inside", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		e.inside()
		frame := e.peek(offSSA, isa.PageSize)
		e.lp.Abandon()
		if _, _, in := e.lp.Inside(); in || e.cssa() != 0 || e.state().occupied() {
			t.Fatalf("inside %v, CSSA %d", in, e.cssa())
		}
		if string(e.peek(offSSA, isa.PageSize)) != string(frame) {
			t.Fatal("something was saved")
		}
		must(t, e.c.EREMOVE(e.epc[offData]))
	})
	t.Run("another thread takes the TCS", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		o := e.thread()
		o.outside(isa.EENTER)
		expect(t, gp, o.lp.ENCLU(o.ctx()))
		e.lp.Abandon()
		must(t, o.lp.ENCLU(o.ctx()))
	})
	t.Run("outside", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.lp.Abandon()
		e.enter()
	})
	t.Run("in any order", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{nssa: 1})
		offs := []uint64{offTCS, offData, offMore}
		for _, off := range offs[1:] {
			e.become(off, newTCS)
			e.entry(e.epc[off]).flags &^= flagModified // EACCEPT
			if !e.state().adoptTCS(e.epc[off], e.entry(e.epc[off])) {
				t.Fatal("no TCS")
			}
		}
		threads := []*enclave{e, e.thread(), e.thread()}
		for i, off := range offs {
			threads[i].outside(isa.EENTER)
			threads[i].regs.RBX = uint64(at(off))
			must(t, threads[i].lp.ENCLU(threads[i].ctx()))
		}
		for _, i := range []int{1, 0, 2} {
			if !e.state().occupied() {
				t.Fatal("the enclave is empty")
			}
			threads[i].lp.Abandon()
		}
		if s := e.state(); s.occupied() || s.cur != 0 || s.prev != 0 {
			t.Fatalf("%d and %d threads inside", s.cur, s.prev)
		}
	})
}

func TestInterrupted(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*enclave)
		want bool
	}{
		{"inside", nil, true},
		{"outside", func(e *enclave) { e.exit() }, true},
		{"a leaf in progress", func(e *enclave) { e.lp.leaf.Store(true) }, false},
		{"TCS BLOCKED", func(e *enclave) { must(e.t, e.c.EBLOCK(e.epc[offTCS])) }, false},
		{"TCS became TRIM", func(e *enclave) { e.trim(offTCS) }, false},
		{"SSA page BLOCKED", func(e *enclave) { must(e.t, e.c.EBLOCK(e.epc[offSSA])) }, false},
		{"SSA page R", func(e *enclave) { e.restrict(offSSA) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			e.enter()
			if row.set != nil {
				row.set(e)
			}
			e.track()
			if got := e.lp.Interrupted(); got != row.want {
				t.Fatalf("%v", got)
			}
			if stale := len(e.c.StaleLPs(e.secs)); row.want == (stale != 0) {
				t.Fatalf("%d stale", stale)
			}
		})
	}
	t.Run("StaleLPs of no SECS", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		e.track()
		for _, p := range []isa.EPCAddr{e.epc[offData], e.page(), outsideEPC} {
			if lps := e.c.StaleLPs(p); lps != nil {
				t.Fatalf("%v", lps)
			}
		}
	})
}
