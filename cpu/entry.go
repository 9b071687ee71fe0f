package cpu

import "softsgx/isa"

// entering is an EENTER or ERESUME in progress.
type entering struct {
	epc  isa.EPCAddr // the TCS page
	s    *secs
	t    *tcs
	cssa uint32 // TCS.CSSA
	// mayNotify is TCS.FLAGS.AEXNOTIFY.
	mayNotify bool
}

// enterOperands makes the checks of RBX and RCX that need no EPCM.
func (lp *LP) enterOperands(ctx *Context, x *entering) error {
	rbx := isa.LinAddr(ctx.Regs.RBX)
	if !aligned(rbx, isa.PageSize) { // 2
		return isa.GPFault()
	}
	epc, fault := ctx.Space.Translate(rbx, isa.Read|isa.Write)
	if fault != nil {
		return fault
	}
	if epc == 0 || !lp.cpu.inEPC(epc) { // 3
		return isa.SGXPageFault(rbx, isa.Write)
	}
	if !canonical(ctx.Regs.RCX) { // 4
		return isa.GPFault()
	}
	x.epc = epc &^ (isa.PageSize - 1)
	return nil
}

// claim makes the checks of the TCS that EENTER and ERESUME share, and locks
// its page. cssa says which CSSA the leaf can start from.
func (lp *LP) claim(ctx *Context, x *entering, cssa func(*tcs) bool) error {
	c := lp.cpu
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(x.epc)
	t, err := c.enterable(e, x.epc, isa.LinAddr(ctx.Regs.RBX)) // 5..9
	if err != nil {
		return err
	}
	if !c.startable(e.secs, t) || !cssa(t) { // 10..17, 18
		return isa.GPFault()
	}
	e.lockShared()
	x.s, x.t, x.cssa = e.secs, t, t.CSSA
	x.mayNotify = t.FLAGS&isa.TCS_AEXNOTIFY != 0
	return nil
}

// release undoes claim. c.mu is held.
func (c *CPU) release(x *entering) { c.entry(x.epc).unlockShared() }

// enterable makes the EPCM checks of a TCS page. c.mu is held.
func (c *CPU) enterable(e *entry, p isa.EPCAddr, lin isa.LinAddr) (*tcs, error) {
	if !e.sharedFree() { // 5
		return nil, isa.GPFault()
	}
	if !e.is(flagValid) || e.is(flagBlocked) || e.pt != isa.PT_TCS || e.addr != lin || // 6, 7, 8
		e.any(flagPending|flagModified) { // 9
		return nil, isa.SGXPageFault(lin, isa.Write)
	}
	return e.secs.tcs[p], nil
}

// startable makes checks 10 to 17 of EENTER and ERESUME.
func (c *CPU) startable(s *secs, t *tcs) bool {
	const flags = isa.TCS_DBGOPTIN | isa.TCS_AEXNOTIFY
	return aligned(t.OSSA, isa.PageSize) && // 10
		aligned(t.OFSBASE, isa.PageSize) && aligned(t.OGSBASE, isa.PageSize) && // 11
		t.FLAGS&^flags == 0 && // 12
		s.initialised() && // 13
		s.ATTRIBUTES.Has(isa.ATTR_MODE64BIT) && // 14: threads run in 64-bit mode
		s.ATTRIBUTES.XFRM&^c.cfg.XLayout.XCR0 == 0 && // 16
		(t.optIn() || s.ATTRIBUTES.Has(isa.ATTR_AEXNOTIFY) == (t.FLAGS&isa.TCS_AEXNOTIFY != 0)) // 17
}

// idle makes the last check of EENTER and ERESUME: nobody runs on the TCS, or
// ran on it since claim. c.mu is held.
func (x *entering) idle() bool { return x.t.STATE == isa.TCS_INACTIVE && x.t.CSSA == x.cssa }

// begin puts the thread at OENTRY, in the frame f, as EENTER and a notifying
// ERESUME do.
func (lp *LP) begin(r *Regs, x *entering, f *frame) {
	f.setOuterStack(r.RSP, r.RBP)
	lp.putAside(r)
	r.RAX = uint64(x.cssa)
	r.RCX = r.RIP + isa.ENCLULength
	r.RIP = x.target()
	r.FSBase, r.GSBase = x.bases()
}

func (x *entering) target() uint64 { return uint64(x.s.BASEADDR) + x.t.OENTRY }

func (x *entering) bases() (fs, gs uint64) {
	return uint64(x.s.BASEADDR) + x.t.OFSBASE, uint64(x.s.BASEADDR) + x.t.OGSBASE
}

// startsCanonical reports whether OENTRY, OFSBASE and OGSBASE lead to canonical
// addresses.
func (x *entering) startsCanonical() bool {
	fs, gs := x.bases()
	return canonical(x.target()) && canonical(fs) && canonical(gs)
}

// useFrame makes the walked frame the current one. The other's memory stays in
// use for the next walk.
func (lp *LP) useFrame() { lp.frame, lp.walked = lp.walked, lp.frame }
