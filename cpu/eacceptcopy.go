package cpu

import "softsgx/isa"

// eacceptcopy fills the pending page at RCX with the contents of the page at
// RDX and accepts it with the rights of the SECINFO at RBX (SDM vol. 3D,
// "EACCEPTCOPY").
func (lp *LP) eacceptcopy(ctx *Context) error {
	rbx, rcx, rdx := isa.LinAddr(ctx.Regs.RBX), isa.LinAddr(ctx.Regs.RCX), isa.LinAddr(ctx.Regs.RDX)
	if !lp.placed(rbx, isa.SECINFOAlign) || !lp.placed(rcx, isa.PageSize) || !lp.placed(rdx, isa.PageSize) { // 1, 2
		return isa.GPFault()
	}
	if _, err := lp.translate(ctx, rbx, isa.Read); err != nil { // 3
		return err
	}
	target, err := lp.translate(ctx, rcx, isa.Write)
	if err != nil {
		return err
	}
	if _, err = lp.translate(ctx, rdx, isa.Read); err != nil {
		return err
	}
	si, err := lp.ownSECINFO(ctx, rbx) // 4
	if err != nil {
		return err
	}
	if !si.ReservedZero() || si.RWX()&(isa.Read|isa.Write) == isa.Write || si.Type() != isa.PT_REG { // 5
		return isa.GPFault()
	}
	source, err := lp.own(ctx, rdx, isa.Read) // 6
	if err != nil {
		return err
	}
	return lp.acceptCopy(target, rcx, source, si.RWX())
}

func (lp *LP) acceptCopy(p isa.EPCAddr, lin isa.LinAddr, source []byte, rwx isa.Access) error {
	c, s := lp.cpu, lp.secs
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	if !e.is(flagValid|flagPending) || e.any(flagModified|flagBlocked) || e.pt != isa.PT_REG || e.secs != s { // 7
		return isa.SGX_PAGE_ATTRIBUTES_MISMATCH
	}
	if !e.sgx2Free() { // 8
		return isa.GPFault()
	}
	if e.rwx != isa.Read|isa.Write || e.addr != lin { // 9
		return isa.SGX_PAGE_ATTRIBUTES_MISMATCH
	}
	e.lockSGX2()
	bytes := s.contents.bytes(p, lin)
	c.mu.Unlock()
	copy(bytes, source[:isa.PageSize])
	c.mu.Lock()
	e.unlockSGX2()
	e.rwx = rwx
	e.flags &^= flagPending
	return nil
}
