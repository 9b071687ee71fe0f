package cpu

import (
	"encoding/binary"

	"softsgx/isa"
)

// EWB encrypts the page p to PAGEINFO.SRCPGE and its PCMD, puts its version in
// the version array slot and frees it. Where the page was goes to
// PAGEINFO.LINADDR (SDM vol. 3D, "EWB"). SGX_VA_SLOT_OCCUPIED is a success: it
// only says that the slot's old version is lost.
func (c *CPU) EWB(pi *isa.PAGEINFO, p, slot isa.EPCAddr) error {
	if err := c.gate(); err != nil {
		return err
	}
	if err := c.ewbOperands(pi, p, slot); err != nil { // 1..7
		return err
	}
	w, err := c.ewbBegin(p, slot) // 8..15
	if err != nil {
		return err
	}
	sealed := (*[isa.PageSize]byte)(pi.SRCPGE.Bytes)
	pcmd := isa.PCMD{SECINFO: w.header.SECINFO, ENCLAVEID: w.enclaveID}
	pcmd.MAC = c.paging.Seal(sealed, &w.page, w.version, &w.header)
	if _, err := pcmd.AppendBinary(pi.SECINFO.Bytes[:0]); err != nil {
		return err
	}
	pi.LINADDR = w.header.LINADDR
	return c.ewbEnd(p, slot, w)
}

// ewb is one EWB in progress.
type ewb struct {
	page      [isa.PageSize]byte // plaintext
	header    isa.MACHEADER
	enclaveID uint64
	version   uint64
	old       uint64 // what the slot held
}

func (c *CPU) ewbOperands(pi *isa.PAGEINFO, p, slot isa.EPCAddr) error {
	if !aligned(pi.Addr, isa.PAGEINFOAlign) || !aligned(p, isa.PageSize) { // 1
		return isa.GPFault()
	}
	if err := c.slotOperand(p, slot); err != nil { // 2, 3, 4
		return err
	}
	if slot&^(isa.PageSize-1) == p || pi.LINADDR != 0 || pi.SECS != 0 { // 5, 6
		return isa.GPFault()
	}
	return pagingBuffers(pi) // 7
}

// slotOperand makes the checks of RCX and RDX that EWB and ELDU share.
func (c *CPU) slotOperand(p, slot isa.EPCAddr) error {
	if !c.inEPC(p) {
		return epcFault(p)
	}
	if !aligned(slot, 8) {
		return isa.GPFault()
	}
	if !c.inEPC(slot) {
		return epcFault(slot)
	}
	return nil
}

// pagingBuffers checks where the ciphertext and PCMD are.
func pagingBuffers(pi *isa.PAGEINFO) error {
	if !aligned(pi.SECINFO.Addr, isa.PCMDAlign) || !aligned(pi.SRCPGE.Addr, isa.PageSize) {
		return isa.GPFault()
	}
	if len(pi.SRCPGE.Bytes) < isa.PageSize {
		return operandFault(pi.SRCPGE)
	}
	if len(pi.SECINFO.Bytes) < isa.PCMDSize {
		return operandFault(pi.SECINFO)
	}
	return nil
}

// ewbBegin makes the checks that need the EPCM, takes the locks and copies what
// is to be encrypted.
func (c *CPU) ewbBegin(p, slot isa.EPCAddr) (*ewb, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, va := c.entry(p), c.entry(slot)
	if !e.exclusiveFree() || !va.sharedFree() || !c.slotFree(va, slot) { // 8, 9
		return nil, isa.GPFault()
	}
	if !e.is(flagValid) { // 10
		return nil, epcFault(p)
	}
	if !va.is(flagValid) || va.pt != isa.PT_VA { // 11
		return nil, epcFault(slot)
	}
	if err := c.evictable(e); err != nil { // 12..15
		return nil, err
	}
	e.lockExclusive()
	c.version += versionStep
	w := &ewb{version: c.version, old: c.lockSlot(slot)}
	w.header.SECINFO.Flags = e.secinfo()
	c.plaintext(p, e, w)
	return w, nil
}

// versionStep keeps bits 2:0 of a version zero, so that EDBGRD, which masks
// them, always sees an occupied slot as occupied, and bit 0 can be slotBusy.
const versionStep = 8

func (c *CPU) evictable(e *entry) error {
	switch {
	case e.pt == isa.PT_VA:
		return nil
	case e.pt == isa.PT_SECS:
		if e.secs.children != 0 { // 15
			return isa.SGX_CHILD_PRESENT
		}
		return nil
	case e.secs.tracking || !c.entry(e.secs.page).sharedFree(): // 12
		return isa.GPFault()
	case !e.is(flagBlocked): // 13
		return isa.SGX_PAGE_NOT_BLOCKED
	case !e.secs.tracked(e.bepoch): // 14
		return isa.SGX_NOT_TRACKED
	}
	return nil
}

// plaintext fills in what depends on the type of the page. c.mu is held.
func (c *CPU) plaintext(p isa.EPCAddr, e *entry, w *ewb) {
	switch e.pt {
	case isa.PT_VA:
		i, _ := c.index(p)
		c.va[i].store(&w.page)
	case isa.PT_SECS:
		w.enclaveID = e.secs.eid
		e.secs.store(&w.page)
	default:
		w.enclaveID = e.secs.eid
		w.header.EID, w.header.LINADDR = e.secs.eid, e.addr
		copy(w.page[:], c.bytes(p, e))
	}
}

// store writes the SECS as it is evicted: its architectural part and, in the
// reserved bytes at its end, the EID.
func (s *secs) store(page *[isa.PageSize]byte) {
	if _, err := s.AppendBinary(page[:0]); err != nil {
		panic(err) // a SECS fits its page
	}
	binary.LittleEndian.PutUint64(page[isa.PageSize-8:], s.eid)
}

func (v *vaPage) store(page *[isa.PageSize]byte) {
	for i, version := range v {
		binary.LittleEndian.PutUint64(page[8*i:], version)
	}
}

func (v *vaPage) load(page *[isa.PageSize]byte) {
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(page[8*i:])
	}
}

func (c *CPU) ewbEnd(p, slot isa.EPCAddr, w *ewb) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	e.unlockExclusive()
	switch e.pt {
	case isa.PT_VA:
		i, _ := c.index(p)
		delete(c.va, i) // its versions live on in the ciphertext
		e.free()
	case isa.PT_SECS:
		c.evicted[w.version] = e.secs
		e.free()
	default:
		c.freeChild(p, e)
	}
	c.unlockSlot(slot, w.version)
	if w.old != 0 { // 16
		delete(c.evicted, w.old)
		return isa.SGX_VA_SLOT_OCCUPIED
	}
	return nil
}
