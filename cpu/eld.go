package cpu

import "softsgx/isa"

// ELDU loads into dst a page that EWB evicted, if it is the version in the slot
// (SDM vol. 3D, "ELDB/ELDU").
func (c *CPU) ELDU(pi *isa.PAGEINFO, dst, slot isa.EPCAddr) error { return c.load(pi, dst, slot, 0) }

// ELDB is ELDU, but leaves a child page blocked (SDM vol. 3D, "ELDB/ELDU").
func (c *CPU) ELDB(pi *isa.PAGEINFO, dst, slot isa.EPCAddr) error {
	return c.load(pi, dst, slot, flagBlocked)
}

func (c *CPU) load(pi *isa.PAGEINFO, dst, slot isa.EPCAddr, child entryFlags) error {
	if err := c.gate(); err != nil {
		return err
	}
	if !aligned(pi.Addr, isa.PAGEINFOAlign) || !aligned(dst, isa.PageSize) { // 1
		return isa.GPFault()
	}
	if err := c.slotOperand(dst, slot); err != nil { // 2, 3, 4
		return err
	}
	if err := pagingBuffers(pi); err != nil { // 5
		return err
	}
	l := eld{child: child}
	if err := l.pcmd.UnmarshalBinary(pi.SECINFO.Bytes); err != nil {
		return operandFault(pi.SECINFO)
	}
	if err := c.eldBegin(pi, dst, slot, &l); err != nil { // 6..14
		return err
	}
	page := new([isa.PageSize]byte)
	sealed := (*[isa.PageSize]byte)(pi.SRCPGE.Bytes)
	if c.paging.Open(page, sealed, l.pcmd.MAC, l.version, &l.header) != nil { // 15
		c.eldFail(dst, slot, &l)
		return isa.SGX_MAC_COMPARE_FAIL
	}
	c.eldFill(dst, page, &l)
	c.eldCommit(dst, slot, page, &l)
	return nil
}

// eld is one ELDB or ELDU in progress.
type eld struct {
	child   entryFlags // what a child page gets besides
	pcmd    isa.PCMD
	header  isa.MACHEADER
	s       *secs // the enclave of a child page
	version uint64
	bytes   []byte // where a child page goes
}

// eldBegin makes the checks that need the EPCM and takes the locks.
func (c *CPU) eldBegin(pi *isa.PAGEINFO, dst, slot isa.EPCAddr, l *eld) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, va := c.entry(dst), c.entry(slot)
	if !e.exclusiveFree() || !va.sharedFree() || !c.slotFree(va, slot) { // 6
		return isa.GPFault()
	}
	if e.is(flagValid) { // 7
		return epcFault(dst)
	}
	if !va.is(flagValid) || va.pt != isa.PT_VA { // 8
		return epcFault(slot)
	}
	if err := c.eldOwner(pi, l); err != nil { // 9..14
		return err
	}
	e.lockExclusive()
	l.version = c.lockSlot(slot)
	if l.s != nil {
		c.entry(l.s.page).lockShared()
		l.header.EID = l.s.eid
	}
	l.header.LINADDR, l.header.SECINFO, l.header.RSVD = pi.LINADDR, l.pcmd.SECINFO, l.pcmd.RESERVED
	return nil
}

// eldOwner finds the enclave of a child page.
func (c *CPU) eldOwner(pi *isa.PAGEINFO, l *eld) (err error) {
	switch l.pcmd.SECINFO.Type() {
	case isa.PT_REG, isa.PT_TCS, isa.PT_TRIM:
		if !aligned(pi.SECS, isa.PageSize) { // 9
			return isa.GPFault()
		}
		if c.entry(pi.SECS) == nil { // 10
			return epcFault(pi.SECS)
		}
		l.s, err = c.parent(pi.SECS) // 11, 12
		return err
	case isa.PT_SECS, isa.PT_VA:
		if pi.SECS == 0 { // 13
			return nil
		}
	}
	return isa.GPFault() // 14
}

// eldFail leaves everything as it was.
func (c *CPU) eldFail(dst, slot isa.EPCAddr, l *eld) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.eldUnlock(dst, slot, l.version, l)
}

// eldUnlock lets go of the locks and leaves a version in the slot.
func (c *CPU) eldUnlock(dst, slot isa.EPCAddr, version uint64, l *eld) {
	c.entry(dst).unlockExclusive()
	c.unlockSlot(slot, version)
	if l.s != nil {
		c.entry(l.s.page).unlockShared()
	}
}

// eldFill puts the plaintext of a child page in its place.
func (c *CPU) eldFill(dst isa.EPCAddr, page *[isa.PageSize]byte, l *eld) {
	if l.s == nil {
		return
	}
	c.mu.Lock()
	l.s.contents.take(dst, l.header.LINADDR)
	l.bytes = l.s.contents.bytes(dst, l.header.LINADDR)
	c.mu.Unlock()
	if !isZero(page[:]) {
		copy(l.bytes, page[:])
	}
}

// eldCommit makes the page valid and its slot empty.
func (c *CPU) eldCommit(dst, slot isa.EPCAddr, page *[isa.PageSize]byte, l *eld) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(dst)
	switch l.pcmd.SECINFO.Type() {
	case isa.PT_VA:
		v := new(vaPage)
		v.load(page)
		c.setVA(dst, e, v)
	case isa.PT_SECS:
		s := c.evicted[l.version]
		delete(c.evicted, l.version)
		s.page = dst
		e.set(s, 0, isa.PT_SECS, 0, 0)
	default:
		c.eldChild(dst, e, page, l)
	}
	c.eldUnlock(dst, slot, 0, l)
}

func (c *CPU) eldChild(dst isa.EPCAddr, e *entry, page *[isa.PageSize]byte, l *eld) {
	si := &l.pcmd.SECINFO
	flags := l.child
	for _, f := range secinfoFlags {
		if si.Flags&f.bit != 0 {
			flags |= f.flag
		}
	}
	e.set(l.s, l.header.LINADDR, si.Type(), si.RWX(), flags)
	l.s.children++
	if si.Type() == isa.PT_TCS && flags&flagModified == 0 {
		t := &tcs{lin: e.addr, epc: dst, page: l.bytes}
		if err := t.UnmarshalBinary(page[:]); err != nil {
			panic(err) // a page holds a TCS
		}
		l.s.tcs[dst] = t
	}
}
