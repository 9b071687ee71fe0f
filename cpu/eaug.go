package cpu

import "softsgx/isa"

// EAUG adds a zero page to an initialised enclave, pending its EACCEPT (SDM
// vol. 3D, "EAUG").
func (c *CPU) EAUG(pi *isa.PAGEINFO, dst isa.EPCAddr) error {
	if err := c.gateSGX2(); err != nil {
		return err
	}
	if err := c.eaugOperands(pi, dst); err != nil { // 1..7
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	target := c.entry(dst)
	if !target.exclusiveFree() { // 8
		return isa.GPFault()
	}
	if target.is(flagValid) { // 9
		return epcFault(dst)
	}
	if pi.SECINFO.Addr != 0 { // 10: shadow-stack pages only
		return isa.GPFault()
	}
	s, err := c.parent(pi.SECS) // 11, 12
	if err != nil {
		return err
	}
	if !s.initialised() || !s.covers(pi.LINADDR) { // 13, 14
		return isa.GPFault()
	}
	s.contents.take(dst, pi.LINADDR)
	target.set(s, pi.LINADDR, isa.PT_REG, isa.Read|isa.Write, flagPending)
	s.children++
	return nil
}

func (c *CPU) eaugOperands(pi *isa.PAGEINFO, dst isa.EPCAddr) error {
	if !aligned(pi.Addr, isa.PAGEINFOAlign) || !aligned(dst, isa.PageSize) {
		return isa.GPFault()
	}
	if !c.inEPC(dst) {
		return epcFault(dst)
	}
	if !aligned(pi.SECINFO.Addr, isa.SECINFOAlign) || !aligned(pi.SECS, isa.PageSize) ||
		!aligned(pi.LINADDR, isa.PageSize) || pi.SRCPGE.Addr != 0 {
		return isa.GPFault()
	}
	if !c.inEPC(pi.SECS) {
		return epcFault(pi.SECS)
	}
	return nil
}
