package cpu

import "softsgx/isa"

// ETRACK starts a new tracking cycle of an enclave: once every thread now
// inside has left, no translation older than now is left either (SDM vol. 3D,
// "ETRACK").
func (c *CPU) ETRACK(secs isa.EPCAddr) error {
	if err := c.gate(); err != nil {
		return err
	}
	if !aligned(secs, isa.PageSize) { // 1
		return isa.GPFault()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(secs)
	if e == nil { // 2
		return epcFault(secs)
	}
	if !e.sharedFree() || e.is(flagValid) && e.pt == isa.PT_SECS && e.secs.tracking { // 3
		return isa.GPFault()
	}
	if !e.is(flagValid) || e.pt != isa.PT_SECS { // 4, 5
		return epcFault(secs)
	}
	if !e.secs.advance() { // 6
		return isa.SGX_PREV_TRK_INCMPL
	}
	return nil
}
