package cpu

import "softsgx/isa"

// eaccept agrees to what the system did to the page at RCX, if it is what the
// SECINFO at RBX says (SDM vol. 3D, "EACCEPT").
func (lp *LP) eaccept(ctx *Context) error {
	rbx, rcx := isa.LinAddr(ctx.Regs.RBX), isa.LinAddr(ctx.Regs.RCX)
	if !lp.placed(rbx, isa.SECINFOAlign) { // 1, 2
		return isa.GPFault()
	}
	si, err := lp.ownSECINFO(ctx, rbx) // 3
	if err != nil {
		return err
	}
	if !si.ReservedZero() || !lp.placed(rcx, isa.PageSize) { // 4, 5, 6
		return isa.GPFault()
	}
	p, err := lp.translate(ctx, rcx, isa.Read) // 7
	if err != nil {
		return err
	}
	if !describesChange(&si) { // 8
		return isa.GPFault()
	}
	return lp.acceptPage(p, rcx, &si) // 9..13
}

// describesChange reports whether si can be what some change awaits.
func describesChange(si *isa.SECINFO) bool {
	const state = isa.SECINFO_PENDING | isa.SECINFO_MODIFIED | isa.SECINFO_PR
	switch si.Type() {
	case isa.PT_REG:
		return si.Flags&isa.SECINFO_MODIFIED == 0 && si.Flags&state != 0
	case isa.PT_TCS, isa.PT_TRIM:
		return si.Flags&state == isa.SECINFO_MODIFIED
	}
	return false
}

func (lp *LP) acceptPage(p isa.EPCAddr, lin isa.LinAddr, si *isa.SECINFO) error {
	c, s := lp.cpu, lp.secs
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	if !e.child() || e.is(flagBlocked) || e.secs != s { // 9
		return isa.SGXPageFault(lin, isa.Read)
	}
	if !e.sgx2Free() || !e.sharedFree() { // 10
		return isa.GPFault()
	}
	if e.addr != lin || e.secinfo()&^isa.SECINFO_PR != si.Flags&^isa.SECINFO_PR { // 11
		return isa.SGX_PAGE_ATTRIBUTES_MISMATCH
	}
	if e.any(flagPR|flagModified) && !s.tracked(e.bepoch) { // 12
		return isa.SGX_NOT_TRACKED
	}
	if e.pt == isa.PT_TCS && !s.adoptTCS(p, e) { // 13
		return isa.GPFault()
	}
	e.flags &^= flagPending | flagModified | flagPR
	return nil
}

// adoptTCS reads the TCS that the enclave wrote into the page p, and reports
// whether it is one that EACCEPT takes.
func (s *secs) adoptTCS(p isa.EPCAddr, e *entry) bool {
	t := &tcs{lin: e.addr, epc: p, page: s.contents.bytes(p, e.addr)}
	if t.UnmarshalBinary(t.page) != nil || !t.ReservedZero() || t.FLAGS&isa.TCS_DBGOPTIN != 0 ||
		t.CSSA >= t.NSSA || t.AEP != 0 || t.STATE != isa.TCS_INACTIVE {
		return false
	}
	if !s.ATTRIBUTES.Has(isa.ATTR_MODE64BIT) && !limitsOK(&t.TCS) {
		return false
	}
	s.tcs[p] = t
	return true
}
