package cpu

import (
	"encoding/binary"

	"softsgx/isa"
)

// EDBGWR writes 8 bytes of a debug enclave's page; of a TCS only FLAGS (SDM
// vol. 3D, "EDBGWR").
func (c *CPU) EDBGWR(p isa.EPCAddr, v uint64) error {
	if err := c.gate(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, err := c.debuggable(p, isa.PT_REG, isa.PT_TCS) // 1..6
	if err != nil {
		return err
	}
	in := p % isa.PageSize
	if e.pt == isa.PT_TCS && in != isa.TCSOffsetFLAGS { // 7
		return isa.GPFault()
	}
	if !e.secs.ATTRIBUTES.Has(isa.ATTR_DEBUG) { // 8
		return isa.GPFault()
	}
	page := p &^ (isa.PageSize - 1)
	if t := e.secs.tcs[page]; t != nil {
		t.FLAGS = v
		t.reflect()
		return nil
	}
	e.flags &^= flagZero
	binary.LittleEndian.PutUint64(e.secs.contents.bytes(page, e.addr)[in:], v)
	return nil
}
