package cpu

import "softsgx/isa"

// EMODT changes the type of a page, pending its EACCEPT (SDM vol. 3D, "EMODT").
func (c *CPU) EMODT(si isa.Operand, p isa.EPCAddr) error {
	if err := c.gateSGX2(); err != nil {
		return err
	}
	info, err := c.modifyOperands(si, p) // 1..3
	if err != nil {
		return err
	}
	pt := info.Type()
	if !info.ReservedZero() || pt != isa.PT_TCS && pt != isa.PT_TRIM { // 4
		return isa.GPFault()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	switch {
	case !e.exclusiveFree(): // 5
		return isa.SGX_EPC_PAGE_CONFLICT
	case !e.is(flagValid): // 6
		return epcFault(p)
	case !e.sgx2Free(): // 7
		return isa.SGX_EPC_PAGE_CONFLICT
	case e.pt != isa.PT_REG && !(e.pt == isa.PT_TCS && pt == isa.PT_TRIM): // 8
		return epcFault(p)
	case e.any(flagPending | flagModified): // 9
		return isa.SGX_PAGE_NOT_MODIFIABLE
	case !e.secs.initialised(): // 10
		return isa.GPFault()
	}
	e.secs.retire(p)
	e.flags = e.flags&^flagPR | flagModified
	e.pt, e.rwx = pt, 0
	e.bepoch = e.secs.epoch
	return nil
}
