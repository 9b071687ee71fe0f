package insn

import "encoding/binary"

// operands lists the memory of an instruction.
func (in *inst) operands() []MemRef {
	refs := in.implied()
	if !in.hasModRM || in.mod == 3 || in.spec.rm == none {
		return refs
	}
	m := in.mem
	m.Size = in.bytes(in.spec.size)
	m.Read, m.Write = in.spec.rm.reads(), in.spec.rm.writes()
	scale := m.Size
	if in.enc == evex && in.bcast {
		m.Size = in.broadcastElement()
		scale = m.Size
	}
	switch in.spec.also {
	case partial:
		scale = uint64(in.spec.elem)
		if in.w {
			scale *= 2
		}
	case vectorIndex:
		m.Scattered = true
	case bitString:
		m.Bit = Reg(in.reg | in.r)
	case popTo:
		if m.Base == RSP { // the address is computed after the pop
			m.Disp += int64(m.Size)
		}
	}
	if in.enc == evex && in.disp8 {
		m.Disp *= int64(scale)
	}
	return append(refs, m)
}

// at returns an operand of the current size at base + disp.
func (in *inst) at(base Reg, disp int64, size uint64, a access) MemRef {
	return MemRef{
		Base: base, Index: None, Scale: 1, Disp: disp, Bit: None, Byte: None,
		Size: size, Read: a.reads(), Write: a.writes(),
	}
}

// source and dest are the string operands. A segment prefix moves only the
// source.
func (in *inst) source(a access) MemRef {
	m := in.at(RSI, 0, in.bytes(in.spec.size), a)
	m.Segment, m.Addr32 = in.seg, in.addr32
	return m
}

func (in *inst) dest(a access) MemRef {
	m := in.at(RDI, 0, in.bytes(in.spec.size), a)
	m.Addr32 = in.addr32
	return m
}

// implied lists the memory that the instruction uses without naming it.
func (in *inst) implied() []MemRef {
	n := in.bytes(in.spec.size)
	switch in.spec.also {
	case push:
		if in.op == 0xFF && in.opmap == mapOne && in.reg == 2 {
			n = 8 // CALL
		}
		return []MemRef{in.at(RSP, -int64(n), n, wr)}
	case pop, popTo:
		return []MemRef{in.at(RSP, 0, n, rd)}
	case popFar:
		return []MemRef{in.at(RSP, 0, 2*n, rd)}
	case popFrame:
		return []MemRef{in.at(RSP, 0, 5*n, rd)}
	case pushFar:
		n = 2 * in.bytes(sizeV)
		return []MemRef{in.at(RSP, -int64(n), n, wr)}
	case leave:
		return []MemRef{in.at(RBP, 0, n, rd)}
	case enter:
		return in.enterFrame()
	case srcString:
		return []MemRef{in.source(rd)}
	case dstString:
		return []MemRef{in.dest(wr)}
	case scanString:
		return []MemRef{in.dest(rd)}
	case bothString:
		return []MemRef{in.source(rd), in.dest(wr)}
	case cmpString:
		return []MemRef{in.source(rd), in.dest(rd)}
	case translate:
		m := in.at(RBX, 0, 1, rd)
		m.Byte, m.Segment, m.Addr32 = RAX, in.seg, in.addr32
		return []MemRef{m}
	case offset:
		return []MemRef{in.mem}
	case maskedMove:
		m := in.at(RDI, 0, in.bytes(sizeMMX), wr)
		m.Segment, m.Addr32 = in.seg, in.addr32
		return []MemRef{m}
	case copyLine:
		m := in.at(Reg(in.reg|in.r), 0, 64, wr)
		m.Addr32 = in.addr32
		return []MemRef{m}
	}
	return nil
}

// enterFrame lists what ENTER touches: RBP, the outer frame pointers and the new
// one go below RSP, and the bottom of the new frame is probed for writing (SDM
// vol. 2, "ENTER").
func (in *inst) enterFrame() []MemRef {
	copied := 8 * int64(max(in.level, 1)-1)
	pushed := 8 + copied
	if in.level > 0 {
		pushed += 8
	}
	n := pushed + int64(in.frame)
	refs := []MemRef{in.at(RSP, -n, uint64(n), wr)}
	if copied > 0 {
		refs = append(refs, in.at(RBP, -copied, uint64(copied), rd))
	}
	return refs
}

// moffs takes the address of a MOV with an absolute offset from the immediate.
func (in *inst) moffs(b []byte) {
	in.mem = in.at(None, 0, in.bytes(in.spec.size), in.spec.rm)
	in.mem.Segment, in.mem.Addr32 = in.seg, in.addr32
	if len(b) == 4 {
		in.mem.Disp = int64(binary.LittleEndian.Uint32(b))
	} else {
		in.mem.Disp = int64(binary.LittleEndian.Uint64(b))
	}
}
