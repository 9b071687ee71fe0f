package insn

// pageMask keeps the offset in a 4 KiB page.
const pageMask = 4096 - 1

// Address computes where the operand lies, for an instruction of n bytes. It
// reports false for scattered operands.
func (m MemRef) Address(regs *RegFile, n int) (uint64, bool) {
	if m.Scattered {
		return 0, false
	}
	a := uint64(m.Disp)
	if m.RIPRel {
		a += regs.RIP + uint64(n)
	}
	if m.Base != None {
		a += regs.R[m.Base]
	}
	if m.Index != None {
		a += regs.R[m.Index] * uint64(m.Scale)
	}
	if m.Byte != None {
		a += regs.R[m.Byte] & 0xFF
	}
	if m.Bit != None {
		a += bitOffset(regs.R[m.Bit], m.Size)
	}
	if m.Addr32 {
		a = uint64(uint32(a))
	}
	switch m.Segment {
	case FS:
		a += regs.FSBase
	case GS:
		a += regs.GSBase
	}
	return a, true
}

// bitOffset returns how far a signed bit offset moves an operand of size bytes
// (SDM vol. 2, "BT").
func bitOffset(bits, size uint64) uint64 {
	n := int64(bits)
	switch size {
	case 2:
		n = int64(int16(bits))
	case 4:
		n = int64(int32(bits))
	}
	perUnit := int64(size) * 8
	unit := n / perUnit
	if n%perUnit < 0 {
		unit--
	}
	return uint64(unit) * size
}

// AccessAt says whether the instruction in code, about to execute with regs,
// wrote to addr or read from it when it faulted. addr need only be in the right
// page. It reports ok = false if the instruction has no operand there, as with a
// fault of the instruction fetch.
//
// An operand that is both read and written counts as written: processors ask for
// the right to write before they read it. Where a read operand and a written one
// share the page, the write counts too, since it needs more rights.
func AccessAt(code []byte, regs RegFile, addr uint64) (write, ok bool) {
	e, err := Decode(code)
	if err != nil {
		return false, false
	}
	for _, m := range e.Mem {
		if !m.touches(&regs, e.Len, addr) {
			continue
		}
		ok = true
		write = write || m.Write
	}
	return write, ok
}

// touches says whether the operand overlaps the page of addr. Scattered operands
// may lie anywhere.
func (m MemRef) touches(regs *RegFile, n int, addr uint64) bool {
	first, known := m.Address(regs, n)
	if !known {
		return true
	}
	page := addr &^ pageMask
	last := first + max(m.Size, 1) - 1
	if last < first { // around the end of the address space
		return first <= page|pageMask || page <= last
	}
	return first <= page|pageMask && page <= last
}
