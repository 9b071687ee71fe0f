package cpu

import (
	"encoding/binary"

	"softsgx/isa"
)

// EDBGRD reads 8 bytes of a debug enclave's page, or tells whether a version
// array slot is in use (SDM vol. 3D, "EDBGRD").
func (c *CPU) EDBGRD(p isa.EPCAddr) (uint64, error) {
	if err := c.gate(); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, err := c.debuggable(p, isa.PT_REG, isa.PT_TCS, isa.PT_VA) // 1..6
	if err != nil {
		return 0, err
	}
	if e.pt == isa.PT_VA {
		if *c.slot(p)&^7 != 0 {
			return ^uint64(0), nil
		}
		return 0, nil
	}
	in := p % isa.PageSize
	if e.pt == isa.PT_TCS && in >= isa.TCSReservedOffset { // 7
		return 0, isa.GPFault()
	}
	if !e.secs.ATTRIBUTES.Has(isa.ATTR_DEBUG) { // 8
		return 0, isa.GPFault()
	}
	return binary.LittleEndian.Uint64(c.bytes(p, e)[in:]), nil
}

// debuggable makes the checks that EDBGRD and EDBGWR share. c.mu is held.
func (c *CPU) debuggable(p isa.EPCAddr, types ...isa.PageType) (*entry, error) {
	if !aligned(p, 8) { // 1
		return nil, isa.GPFault()
	}
	e := c.entry(p)
	if e == nil { // 2
		return nil, epcFault(p)
	}
	if !e.sharedFree() { // 3
		return nil, isa.GPFault()
	}
	if !e.is(flagValid) { // 4
		return nil, epcFault(p)
	}
	for _, t := range types {
		if e.pt != t {
			continue
		}
		if e.any(flagPending | flagModified) { // 6
			return nil, isa.SGX_PAGE_NOT_DEBUGGABLE
		}
		return e, nil
	}
	return nil, epcFault(p) // 5
}
