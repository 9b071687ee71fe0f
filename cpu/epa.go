package cpu

import "softsgx/isa"

// vaPage is the contents of a PT_VA page: a version per slot, 0 for empty.
type vaPage [isa.PageSize / 8]uint64

// EPA makes dst a version array page. rbx names the type, which must be PT_VA
// (SDM vol. 3D, "EPA").
func (c *CPU) EPA(rbx uint64, dst isa.EPCAddr) error {
	if err := c.gate(); err != nil {
		return err
	}
	if rbx != uint64(isa.PT_VA) || !aligned(dst, isa.PageSize) { // 1
		return isa.GPFault()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(dst)
	if e == nil { // 2
		return epcFault(dst)
	}
	if !e.exclusiveFree() { // 3
		return isa.GPFault()
	}
	if e.is(flagValid) { // 4
		return epcFault(dst)
	}
	c.setVA(dst, e, new(vaPage))
	return nil
}

func (c *CPU) setVA(p isa.EPCAddr, e *entry, v *vaPage) {
	i, _ := c.index(p)
	c.va[i] = v
	e.set(nil, 0, isa.PT_VA, 0, 0)
}

// freeVA frees a version array page. SECSs whose version it holds can never be
// loaded again.
func (c *CPU) freeVA(p isa.EPCAddr, e *entry) {
	i, _ := c.index(p)
	if len(c.evicted) != 0 {
		for _, version := range c.va[i] {
			delete(c.evicted, version)
		}
	}
	delete(c.va, i)
	e.free()
}

// slot returns the slot at p, which is in a valid PT_VA page.
func (c *CPU) slot(p isa.EPCAddr) *uint64 {
	i, _ := c.index(p)
	return &c.va[i][p%isa.PageSize/8]
}
