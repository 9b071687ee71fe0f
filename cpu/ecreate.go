package cpu

import (
	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// ECREATE makes dst the SECS of a new enclave, whose pages will lie in mem (SDM
// vol. 3D, "ECREATE").
func (c *CPU) ECREATE(pi *isa.PAGEINFO, dst isa.EPCAddr, mem isa.Memory) error {
	if err := c.gate(); err != nil {
		return err
	}
	if err := c.ecreateOperands(pi, dst); err != nil { // 1..6
		return err
	}
	s := &secs{page: dst, epochs: epochs{epoch: 1}, tcs: make(map[isa.EPCAddr]*tcs)}
	if err := s.UnmarshalBinary(pi.SRCPGE.Bytes); err != nil {
		return operandFault(pi.SRCPGE)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	target := c.entry(dst)
	if !target.exclusiveFree() { // 7
		return isa.GPFault()
	}
	if target.is(flagValid) { // 8
		return epcFault(dst)
	}
	if !c.acceptable(&s.SECS) { // 9..21
		return isa.GPFault()
	}
	s.MRENCLAVE, s.MRSIGNER = [32]byte{}, [32]byte{}
	s.ISVPRODID, s.ISVSVN = 0, 0
	s.measurement = sgxcrypto.NewMeasurement(s.SSAFRAMESIZE, s.SIZE)
	s.contents = newContents(mem, s.BASEADDR)
	c.eid++
	s.eid = c.eid
	target.set(s, 0, isa.PT_SECS, 0, 0)
	return nil
}

func (c *CPU) ecreateOperands(pi *isa.PAGEINFO, dst isa.EPCAddr) error {
	if !aligned(pi.Addr, isa.PAGEINFOAlign) || !aligned(dst, isa.PageSize) {
		return isa.GPFault()
	}
	if !c.inEPC(dst) {
		return epcFault(dst)
	}
	if !aligned(pi.SRCPGE.Addr, isa.PageSize) || !aligned(pi.SECINFO.Addr, isa.SECINFOAlign) {
		return isa.GPFault()
	}
	if pi.LINADDR != 0 || pi.SECS != 0 {
		return isa.GPFault()
	}
	si, err := readSECINFO(pi.SECINFO)
	if err != nil {
		return err
	}
	if !si.ReservedZero() || si.Type() != isa.PT_SECS {
		return isa.GPFault()
	}
	return nil
}

// acceptable makes ECREATE's checks of the SECS itself, all of which end in #GP.
func (c *CPU) acceptable(s *isa.SECS) bool {
	return c.offers.legalXFRM(s.ATTRIBUTES.XFRM) && // 9, 10
		s.MISCSELECT&^c.offers.miscselect == 0 && // 12
		c.frameFits(s) && // 13
		rangeOK(s) && // 14..18
		s.ATTRIBUTES.Flags&^c.offers.flags == 0 && // 19
		s.ReservedZero() && // 11, 20
		(s.ATTRIBUTES.Has(isa.ATTR_KSS) || s.CONFIGID == [64]byte{} && s.CONFIGSVN == 0) // 21
}

func (c *CPU) frameFits(s *isa.SECS) bool {
	need := c.cfg.XLayout.SaveSize(s.ATTRIBUTES.XFRM) + isa.GPRSGXSize + isa.MiscSize(s.MISCSELECT)
	return uint64(s.SSAFRAMESIZE)*isa.PageSize >= uint64(need)
}

func rangeOK(s *isa.SECS) bool {
	base, largest := uint64(s.BASEADDR), uint64(1)<<maxSize64
	if s.ATTRIBUTES.Has(isa.ATTR_MODE64BIT) {
		if !canonical(base) {
			return false
		}
	} else {
		if base>>32 != 0 {
			return false
		}
		largest = 1 << maxSize32
	}
	return s.SIZE <= largest && s.SIZE >= 2*isa.PageSize && s.SIZE&(s.SIZE-1) == 0 && base&(s.SIZE-1) == 0
}

func readSECINFO(op isa.Operand) (isa.SECINFO, error) {
	var si isa.SECINFO
	if si.UnmarshalBinary(op.Bytes) != nil {
		return si, operandFault(op)
	}
	return si, nil
}
