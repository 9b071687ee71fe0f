package cpu

import (
	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// EEXTEND measures the 256 bytes at chunk (SDM vol. 3D, "EEXTEND").
func (c *CPU) EEXTEND(secs, chunk isa.EPCAddr) error {
	return c.extend(secs, chunk, sgxcrypto.ChunkSize, nil)
}

// EEXTENDPage does the sixteen EEXTENDs of a page in ascending order as one. content,
// if it is not nil, is what EADD just put into the page: it is measured in the page's
// stead, which may be far from this processor's caches.
func (c *CPU) EEXTENDPage(secs, page isa.EPCAddr, content []byte) error {
	return c.extend(secs, page, isa.PageSize, content)
}

// extend measures size bytes of one page, chunk by chunk.
func (c *CPU) extend(secs, chunk isa.EPCAddr, size uint64, content []byte) error {
	if err := c.gate(); err != nil {
		return err
	}
	if !aligned(secs, isa.PageSize) { // 1
		return isa.GPFault()
	}
	if !c.inEPC(secs) { // 2
		return epcFault(secs)
	}
	if !aligned(chunk, size) { // 3
		return isa.GPFault()
	}
	x, err := c.eextendBegin(secs, chunk, content)
	if err != nil {
		return err
	}
	in := uint64(chunk) % isa.PageSize
	for end := in + size; in < end; in += sgxcrypto.ChunkSize {
		x.s.measurement.EEXTEND(x.offset+in, (*[sgxcrypto.ChunkSize]byte)(x.bytes[in:]))
	}
	c.eextendEnd(x.s, chunk)
	return nil
}

// eextend is one EEXTEND in progress.
type eextend struct {
	s      *secs
	bytes  []byte // the page
	offset uint64 // of the page in the enclave
}

func (c *CPU) eextendBegin(secs, chunk isa.EPCAddr, content []byte) (x eextend, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(chunk)
	if e == nil { // 4
		return x, epcFault(chunk)
	}
	if !e.sharedFree() { // 5
		return x, isa.GPFault()
	}
	if !e.is(flagValid) || e.pt != isa.PT_REG && e.pt != isa.PT_TCS { // 6, 7
		return x, epcFault(chunk)
	}
	s := e.secs
	if s.page != secs || s.measuring || s.initialised() { // 8, 9, 10
		return x, isa.GPFault()
	}
	e.lockShared()
	s.measuring = true
	if content == nil || e.pt != isa.PT_REG { // EADD changes a TCS
		content = c.bytes(chunk, e)
	}
	return eextend{s, content, uint64(e.addr - s.BASEADDR)}, nil
}

func (c *CPU) eextendEnd(s *secs, chunk isa.EPCAddr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.measuring = false
	c.entry(chunk).unlockShared()
}
