package cpu

import "softsgx/isa"

// emodpe adds the rights of the SECINFO at RBX to the page at RCX (SDM vol. 3D,
// "EMODPE").
func (lp *LP) emodpe(ctx *Context) error {
	rbx, rcx := isa.LinAddr(ctx.Regs.RBX), isa.LinAddr(ctx.Regs.RCX)
	if !lp.placed(rbx, isa.SECINFOAlign) || !lp.placed(rcx, isa.PageSize) { // 1, 2
		return isa.GPFault()
	}
	if _, err := lp.translate(ctx, rbx, isa.Read); err != nil { // 3
		return err
	}
	p, err := lp.translate(ctx, rcx, isa.Read)
	if err != nil {
		return err
	}
	si, err := lp.ownSECINFO(ctx, rbx) // 4
	if err != nil {
		return err
	}
	if !si.ReservedZero() { // 5
		return isa.GPFault()
	}
	return lp.extendRights(p, rcx, si.RWX())
}

func (lp *LP) extendRights(p isa.EPCAddr, lin isa.LinAddr, rwx isa.Access) error {
	c := lp.cpu
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	if !e.is(flagValid) || e.any(flagPending|flagModified|flagBlocked) || e.pt != isa.PT_REG || e.secs != lp.secs { // 6
		return isa.SGXPageFault(lin, isa.Read)
	}
	if !e.sgx2Free() { // 7
		return isa.GPFault()
	}
	if e.addr != lin { // 8
		return isa.SGXPageFault(lin, isa.Read)
	}
	if (e.rwx|rwx)&(isa.Read|isa.Write) == isa.Write { // 9
		return isa.GPFault()
	}
	e.rwx |= rwx
	return nil
}
