package cpu

import "softsgx/isa"

// EREMOVE frees the page p (SDM vol. 3D, "EREMOVE").
func (c *CPU) EREMOVE(p isa.EPCAddr) error {
	if err := c.gate(); err != nil {
		return err
	}
	if !aligned(p, isa.PageSize) { // 1
		return isa.GPFault()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	if e == nil { // 2
		return epcFault(p)
	}
	if !e.exclusiveFree() { // 3
		return isa.GPFault()
	}
	if !e.is(flagValid) { // 4
		return nil
	}
	switch {
	case e.pt == isa.PT_VA: // 5
		c.freeVA(p, e)
	case e.pt == isa.PT_SECS: // 7, 8
		if e.secs.children != 0 {
			return isa.SGX_CHILD_PRESENT
		}
		e.free()
	case e.pt == isa.PT_TRIM && !e.is(flagModified): // 6
		c.freeChild(p, e)
	case e.secs.occupied(): // 9
		return isa.SGX_ENCLAVE_ACT
	default: // 10
		c.freeChild(p, e)
	}
	return nil
}

// freeChild frees a child page and its contents. c.mu is held; it is let go of
// while memory releases the contents, with the page locked instead.
func (c *CPU) freeChild(p isa.EPCAddr, e *entry) {
	s, lin := e.secs, e.addr
	s.retire(p)
	s.children--
	e.free()
	if s.contents.releases(p) {
		e.lockExclusive()
		c.mu.Unlock()
		s.contents.mem.Release(lin)
		c.mu.Lock()
		e.unlockExclusive()
	}
	s.contents.drop(p, lin)
}
