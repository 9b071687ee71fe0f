package cpu

import (
	"sync/atomic"

	"softsgx/isa"
)

// LP is a logical processor: what one thread of a process runs on. Its methods
// belong to that thread, except Interrupted.
type LP struct {
	cpu  *CPU
	leaf atomic.Bool // an ENCLU is in progress

	// Guarded by CPU.mu: where the thread is and since when.
	secs       *secs // nil outside enclaves
	tcs        *tcs
	epoch      uint64
	next, prev *LP // in epochs.inside

	outer  outer
	optIn  bool  // TCS.FLAGS.DBGOPTIN at entry
	frame  frame // current SSA frame
	walked frame // a frame that a leaf is checking
	vector vectorState
}

// outer is what EENTER and ERESUME put aside until the thread leaves.
type outer struct {
	fsBase, gsBase uint64
	tf             uint64 // RFLAGS.TF, if opted out
}

// NewLP returns a logical processor that is outside any enclave.
func (c *CPU) NewLP() *LP { return &LP{cpu: c} }

// Inside returns ELRANGE of the enclave that the thread executes in.
func (lp *LP) Inside() (base isa.LinAddr, size uint64, ok bool) {
	if lp.secs == nil {
		return 0, 0, false
	}
	return lp.secs.BASEADDR, lp.secs.SIZE, true
}

// TCS returns the address of the TCS that the thread executes on, 0 outside.
func (lp *LP) TCS() isa.LinAddr {
	if lp.tcs == nil {
		return 0
	}
	return lp.tcs.lin
}

// SECS returns the EPC page of the enclave that the thread executes in, 0
// outside.
func (lp *LP) SECS() isa.EPCAddr {
	lp.cpu.mu.Lock()
	defer lp.cpu.mu.Unlock()
	if lp.secs == nil {
		return 0
	}
	return lp.secs.page
}

// Abandon says that the thread is gone. If it was inside an enclave, its TCS
// becomes inactive and nothing is saved. While the registers are known, AEX is
// what hardware would do.
func (lp *LP) Abandon() {
	lp.cpu.mu.Lock()
	defer lp.cpu.mu.Unlock()
	if lp.secs != nil {
		lp.leave()
	}
}

// Interrupted stands for an interrupt that makes the thread leave its enclave
// and at once come back: for tracking, it counts as entered now. It reports
// false if the detour has to be made in full, by AEX and ERESUME, because
// ERESUME would not find its TCS and SSA frame as they must be, or if a leaf is
// in progress. Any goroutine may call it.
func (lp *LP) Interrupted() bool {
	lp.cpu.mu.Lock()
	defer lp.cpu.mu.Unlock()
	if lp.secs == nil {
		return true
	}
	if lp.leaf.Load() || lp.tcs.page == nil || !lp.cpu.reenterable(lp) {
		return false
	}
	lp.secs.refresh(lp)
	return true
}

// reenterable reports whether the EPCM would let ERESUME use the frame of lp.
func (c *CPU) reenterable(lp *LP) bool {
	e := c.entry(lp.tcs.epc)
	return e.is(flagValid) && !e.any(flagBlocked|flagPending|flagModified) && e.pt == isa.PT_TCS &&
		c.checkFrame(lp.secs, &lp.frame) == nil
}

// enter puts the thread inside the enclave on t. CPU.mu is held.
func (lp *LP) enter(s *secs, t *tcs, aep uint64) {
	lp.secs, lp.tcs, lp.optIn = s, t, t.optIn()
	s.epochs.enter(lp)
	t.STATE, t.AEP = isa.TCS_ACTIVE, aep
	t.reflect()
}

// leave takes the thread out of its enclave. CPU.mu is held.
func (lp *LP) leave() {
	lp.secs.epochs.leave(lp)
	lp.tcs.STATE = isa.TCS_INACTIVE
	lp.tcs.reflect()
	lp.secs, lp.tcs = nil, nil
}

// putAside saves what the thread gets back when it leaves, and takes RFLAGS.TF
// away unless the enclave opted in to debugging.
func (lp *LP) putAside(r *Regs) {
	lp.outer = outer{fsBase: r.FSBase, gsBase: r.GSBase}
	if !lp.optIn {
		lp.outer.tf = r.RFLAGS & flagTF
		r.RFLAGS &^= flagTF
	}
}

// bringBack undoes putAside.
func (lp *LP) bringBack(r *Regs) {
	r.FSBase, r.GSBase = lp.outer.fsBase, lp.outer.gsBase
	if !lp.optIn {
		r.RFLAGS = r.RFLAGS&^flagTF | lp.outer.tf
	}
}
