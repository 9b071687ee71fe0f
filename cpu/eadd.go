package cpu

import "softsgx/isa"

// EADD copies a page into dst and makes it part of an enclave that is not
// initialised yet (SDM vol. 3D, "EADD").
func (c *CPU) EADD(pi *isa.PAGEINFO, dst isa.EPCAddr) error {
	if err := c.gate(); err != nil {
		return err
	}
	var a eadd
	if err := c.eaddOperands(pi, dst, &a); err != nil { // 1..6
		return err
	}
	if a.t != nil && a.t.UnmarshalBinary(pi.SRCPGE.Bytes) != nil || len(pi.SRCPGE.Bytes) < isa.PageSize {
		return operandFault(pi.SRCPGE)
	}
	if err := c.eaddBegin(pi, dst, &a); err != nil { // 8..19
		return err
	}
	zero := a.fill(pi, dst)
	a.s.measurement.EADD(uint64(pi.LINADDR-a.s.BASEADDR), &a.si)
	c.eaddEnd(pi, dst, &a, zero)
	return nil
}

// eadd is one EADD in progress.
type eadd struct {
	si    isa.SECINFO
	t     *tcs // for PT_TCS
	s     *secs
	bytes []byte // where the page's contents go
}

func (c *CPU) eaddOperands(pi *isa.PAGEINFO, dst isa.EPCAddr, a *eadd) (err error) {
	if !aligned(pi.Addr, isa.PAGEINFOAlign) || !aligned(dst, isa.PageSize) {
		return isa.GPFault()
	}
	if !c.inEPC(dst) {
		return epcFault(dst)
	}
	if !aligned(pi.SRCPGE.Addr, isa.PageSize) || !aligned(pi.SECS, isa.PageSize) ||
		!aligned(pi.LINADDR, isa.PageSize) || !aligned(pi.SECINFO.Addr, isa.SECINFOAlign) {
		return isa.GPFault()
	}
	if !c.inEPC(pi.SECS) {
		return epcFault(pi.SECS)
	}
	if a.si, err = readSECINFO(pi.SECINFO); err != nil {
		return err
	}
	const state = isa.SECINFO_PENDING | isa.SECINFO_MODIFIED | isa.SECINFO_PR
	if !a.si.ReservedZero() || a.si.Flags&state != 0 {
		return isa.GPFault()
	}
	switch a.si.Type() {
	case isa.PT_REG:
	case isa.PT_TCS:
		a.t = &tcs{lin: pi.LINADDR, epc: dst}
	default:
		return isa.GPFault()
	}
	return nil
}

// eaddBegin makes the checks that need the EPCM and takes the locks.
func (c *CPU) eaddBegin(pi *isa.PAGEINFO, dst isa.EPCAddr, a *eadd) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	target := c.entry(dst)
	if !target.exclusiveFree() { // 8
		return isa.GPFault()
	}
	if target.is(flagValid) { // 9
		return epcFault(dst)
	}
	s, err := c.parent(pi.SECS) // 10, 11
	if err != nil {
		return err
	}
	if a.t != nil {
		if !a.t.ReservedZero() || !s.ATTRIBUTES.Has(isa.ATTR_MODE64BIT) && !limitsOK(&a.t.TCS) { // 12, 13
			return isa.GPFault()
		}
	} else if a.si.RWX()&(isa.Read|isa.Write) == isa.Write { // 15
		return isa.GPFault()
	}
	if !s.covers(pi.LINADDR) || s.measuring || s.initialised() { // 17, 18, 19
		return isa.GPFault()
	}
	target.lockExclusive()
	c.entry(pi.SECS).lockShared()
	s.measuring = true
	s.contents.take(dst, pi.LINADDR)
	a.s, a.bytes = s, s.contents.bytes(dst, pi.LINADDR)
	return nil
}

// fill copies the source into the EPC page, a TCS with the fields cleared that
// EADD clears. It reports whether the page was left as zero as it was.
func (a *eadd) fill(pi *isa.PAGEINFO, dst isa.EPCAddr) (zero bool) {
	if a.t != nil {
		a.si = isa.NewSECINFO(isa.PT_TCS, 0)
		a.t.FLAGS &^= isa.TCS_DBGOPTIN
		a.t.STATE, a.t.CSSA, a.t.AEP = isa.TCS_INACTIVE, 0, 0
		a.t.page = a.bytes
		a.t.store(a.bytes)
		return false
	}
	if isZero(pi.SRCPGE.Bytes[:isa.PageSize]) {
		return true
	}
	a.s.contents.fill(dst, pi.LINADDR, pi.SRCPGE.Bytes[:isa.PageSize])
	return false
}

func (c *CPU) eaddEnd(pi *isa.PAGEINFO, dst isa.EPCAddr, a *eadd, zero bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var flags entryFlags
	if zero {
		flags = flagZero
	}
	if a.t != nil {
		a.s.tcs[dst] = a.t
	}
	target := c.entry(dst)
	target.set(a.s, pi.LINADDR, a.si.Type(), a.si.RWX(), flags)
	target.unlockExclusive()
	a.s.children++
	a.s.measuring = false
	c.entry(a.s.page).unlockShared()
}
