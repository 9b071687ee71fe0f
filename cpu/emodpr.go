package cpu

import "softsgx/isa"

// EMODPR takes rights of a page away, pending its EACCEPT (SDM vol. 3D,
// "EMODPR").
func (c *CPU) EMODPR(si isa.Operand, p isa.EPCAddr) error {
	if err := c.gateSGX2(); err != nil {
		return err
	}
	info, err := c.modifyOperands(si, p) // 1..3
	if err != nil {
		return err
	}
	if !info.ReservedZero() || info.RWX()&(isa.Read|isa.Write) == isa.Write { // 4
		return isa.GPFault()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	switch {
	case !e.sharedFree(): // 5
		return isa.GPFault()
	case !e.is(flagValid): // 6
		return epcFault(p)
	case !e.sgx2Free(): // 7
		return isa.SGX_EPC_PAGE_CONFLICT
	case e.any(flagPending | flagModified): // 8
		return isa.SGX_PAGE_NOT_MODIFIABLE
	case e.pt != isa.PT_REG: // 9
		return epcFault(p)
	case !e.secs.initialised(): // 10
		return isa.GPFault()
	}
	e.flags |= flagPR
	e.rwx &= info.RWX()
	e.bepoch = e.secs.epoch
	return nil
}

// modifyOperands makes the operand checks that EMODPR and EMODT share.
func (c *CPU) modifyOperands(si isa.Operand, p isa.EPCAddr) (isa.SECINFO, error) {
	if !aligned(si.Addr, isa.SECINFOAlign) || !aligned(p, isa.PageSize) {
		return isa.SECINFO{}, isa.GPFault()
	}
	if !c.inEPC(p) {
		return isa.SECINFO{}, epcFault(p)
	}
	return readSECINFO(si)
}
