package insn

import "encoding/binary"

// decode takes the instruction at the start of code apart.
func (in *inst) decode(code []byte) error {
	r := reader{code: code}
	if err := in.opcode(&r); err != nil {
		return err
	}
	if in.mandatory()&in.pp() == 0 {
		return ErrUndefined
	}
	in.spec = in.lookup()
	if in.spec.form&valid == 0 {
		return ErrUndefined
	}
	if in.spec.form&modRM != 0 {
		if err := in.modRM(&r); err != nil {
			return err
		}
		in.group()
	}
	if err := in.check(); err != nil {
		return err
	}
	at := r.n
	if !r.skip(in.immediate()) {
		return r.end()
	}
	in.len = r.n
	switch imm := code[at:r.n]; in.spec.imm {
	case immOffset:
		in.moffs(imm)
	case immWordByte:
		in.frame, in.level = binary.LittleEndian.Uint16(imm), imm[2]&31
	}
	return nil
}

// check rejects combinations that no processor accepts.
func (in *inst) check() error {
	isMem := in.hasModRM && in.mod != 3
	switch f := in.spec.form; {
	case f&valid == 0,
		f&memOnly != 0 && !isMem,
		f&regOnly != 0 && isMem,
		in.lock && !(isMem && in.lockable()),
		in.enc == evex && isMem && in.vlen > 64:
		return ErrUndefined
	}
	return nil
}

// lockable says whether LOCK may stand before the instruction (SDM vol. 2,
// "LOCK"): of those that modify memory, not the shifts and the save areas.
func (in *inst) lockable() bool {
	if !in.spec.rm.reads() || !in.spec.rm.writes() {
		return false
	}
	switch in.opmap {
	case mapOne:
		return in.op < 0xC0 || in.op >= 0xF6
	case map0F:
		return in.op == 0xAB || in.op >= 0xB0
	}
	return false
}

// modRM reads ModRM, SIB and displacement (SDM vol. 2, tables "64-Bit Addressing
// Forms with the ModR/M Byte" and "... with the SIB Byte").
func (in *inst) modRM(r *reader) error {
	c, ok := r.next()
	if !ok {
		return r.end()
	}
	in.hasModRM = true
	in.mod, in.reg, in.rm = c>>6, c>>3&7, c&7
	if in.mod == 3 || in.spec.form&alwaysReg != 0 {
		in.mod = 3
		return nil
	}
	in.mem = in.at(Reg(in.rm|in.b), 0, 0, none)
	in.mem.Segment, in.mem.Addr32 = in.seg, in.addr32
	if in.rm == 4 {
		return in.sib(r)
	}
	if in.mod == 0 && in.rm == 5 {
		in.mem.Base, in.mem.RIPRel = None, true
		return in.displacement(r, 4)
	}
	return in.displacement(r, dispBytes[in.mod])
}

// dispBytes is the length of the displacement by ModRM.mod.
var dispBytes = [3]int{0, 1, 4}

// sib reads SIB and displacement.
func (in *inst) sib(r *reader) error {
	c, ok := r.next()
	if !ok {
		return r.end()
	}
	in.mem.Scale = 1 << (c >> 6)
	if index := Reg(c>>3&7 | in.x); index != RSP {
		in.mem.Index = index
	}
	if in.mod == 0 && c&7 == 5 {
		in.mem.Base = None
		return in.displacement(r, 4)
	}
	in.mem.Base = Reg(c&7 | in.b)
	return in.displacement(r, dispBytes[in.mod])
}

// displacement reads n bytes of displacement.
func (in *inst) displacement(r *reader, n int) error {
	at := r.n
	if !r.skip(n) {
		return r.end()
	}
	switch n {
	case 1:
		in.disp8 = true
		in.mem.Disp = int64(int8(r.code[at]))
	case 4:
		in.mem.Disp = int64(int32(binary.LittleEndian.Uint32(r.code[at:])))
	}
	return nil
}

// immediate returns how many bytes follow ModRM and displacement.
func (in *inst) immediate() int {
	switch in.spec.imm {
	case immByte:
		return 1
	case immWord:
		return 2
	case immWordByte:
		return 3
	case immDword:
		return 4
	case immZ:
		if in.data16 && !in.w {
			return 2
		}
		return 4
	case immV:
		if in.w {
			return 8
		}
		if in.data16 {
			return 2
		}
		return 4
	case immOffset:
		if in.addr32 {
			return 4
		}
		return 8
	}
	return 0
}
