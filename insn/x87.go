package insn

// x87 gives the memory forms of D8 to DF by opcode and ModRM.reg (SDM vol. 2,
// "x87 Opcode Map").
var x87 = [8][8]struct {
	access access
	size   size
}{
	{{rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}},   // D8: arithmetic, m32fp
	{{rd, 4}, {}, {wr, 4}, {wr, 4}, {rd, 28}, {rd, 2}, {wr, 28}, {wr, 2}},      // D9: FLD, FST, FLDENV, FLDCW...
	{{rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}, {rd, 4}},   // DA: arithmetic, m32int
	{{rd, 4}, {wr, 4}, {wr, 4}, {wr, 4}, {}, {rd, 10}, {}, {wr, 10}},           // DB: FILD, FISTTP, FLD m80...
	{{rd, 8}, {rd, 8}, {rd, 8}, {rd, 8}, {rd, 8}, {rd, 8}, {rd, 8}, {rd, 8}},   // DC: arithmetic, m64fp
	{{rd, 8}, {wr, 8}, {wr, 8}, {wr, 8}, {rd, 108}, {}, {wr, 108}, {wr, 2}},    // DD: FLD, FRSTOR, FNSAVE...
	{{rd, 2}, {rd, 2}, {rd, 2}, {rd, 2}, {rd, 2}, {rd, 2}, {rd, 2}, {rd, 2}},   // DE: arithmetic, m16int
	{{rd, 2}, {wr, 2}, {wr, 2}, {wr, 2}, {rd, 10}, {rd, 8}, {wr, 10}, {wr, 8}}, // DF: FILD, FBLD, FBSTP...
}

// x87Register says which register forms exist: for each of D8 to DF, one bit for
// each value of the low six bits of ModRM.
var x87Register = [8]uint64{
	0: 0xFFFFFFFF_FFFFFFFF,
	1: 0xFFFF7F33_0001FFFF,
	2: 0x00000200_FFFFFFFF,
	3: 0x00FFFF1F_FFFFFFFF,
	4: 0xFFFFFFFF_FFFFFFFF,
	5: 0x0000FFFF_FFFF00FF,
	6: 0xFFFFFFFF_0200FFFF,
	7: 0x00FFFF01_000000FF,
}

// x87Spec replaces the spec of an x87 instruction.
func (in *inst) x87Spec() spec {
	row := in.op - 0xD8
	if in.mod == 3 {
		if x87Register[row]>>(in.reg<<3|in.rm)&1 == 0 {
			return spec{}
		}
		return rm(none, 0)
	}
	f := x87[row][in.reg]
	if f.access == none {
		return spec{}
	}
	return rm(f.access, f.size)
}
