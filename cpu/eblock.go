package cpu

import "softsgx/isa"

// EBLOCK marks p so that no new translation to it can be made (SDM vol. 3D,
// "EBLOCK").
func (c *CPU) EBLOCK(p isa.EPCAddr) error {
	if err := c.gate(); err != nil {
		return err
	}
	if !aligned(p, isa.PageSize) { // 1
		return isa.GPFault()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	switch {
	case e == nil: // 2
		return epcFault(p)
	case !e.sharedFree(): // 3
		return isa.SGX_EPC_PAGE_CONFLICT
	case !e.is(flagValid): // 4
		return isa.SGX_PG_INVLD
	case e.pt == isa.PT_SECS: // 5
		return isa.SGX_PG_IS_SECS
	case e.pt == isa.PT_VA: // 6
		return isa.SGX_NOTBLOCKABLE
	case e.secs.tracking: // 7
		return isa.SGX_ENTRYEPOCH_LOCKED
	case e.is(flagBlocked): // 8
		return isa.SGX_BLKSTATE
	}
	e.flags |= flagBlocked
	e.bepoch = e.secs.epoch
	return nil
}
