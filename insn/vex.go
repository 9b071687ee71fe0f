package insn

// vexSpec looks up a VEX-encoded instruction. Map 1 repeats the legacy map with
// wider operands; the others are laid out anew.
func (in *inst) vexSpec() spec {
	switch in.opmap {
	case map0F:
		return in.vex0FSpec()
	case map0F38:
		return in.vex38Spec()
	case map0F3A:
		return vex3A[in.op]
	}
	return spec{}
}

// vex0F marks the opcodes of the 0F map that have a VEX form like the legacy one.
var vex0F = table([]row{
	{0x10, 0x17, op(immNone)}, {0x28, 0x2F, op(immNone)},
	{0x50, 0x70, op(immNone)}, {0x71, 0x77, op(immNone)}, {0x7C, 0x7F, op(immNone)},
	{0xAE, 0xAE, op(immNone)}, {0xC2, 0xC2, op(immNone)}, {0xC4, 0xC6, op(immNone)},
	{0xD0, 0xFE, op(immNone)},
})

// vex0FSpec looks up map 1, where the opmask instructions (K...) come in.
func (in *inst) vex0FSpec() spec {
	switch op := in.op; {
	case op >= 0x41 && op <= 0x4B, op == 0x92, op == 0x93, op == 0x98, op == 0x99:
		return reg(immNone)
	case op == 0x90:
		return rm(rd, in.maskSize())
	case op == 0x91:
		return mem(wr, in.maskSize())
	case shiftByCount(op):
		return rm(rd, 16)
	case vex0F[op].form == 0:
		return spec{}
	}
	return in.twoByteSpec()
}

// maskSize returns the operand size of KMOV: B, W, D or Q by the prefix and W.
func (in *inst) maskSize() size {
	switch {
	case in.w && in.data16:
		return 4
	case in.w:
		return 8
	case in.data16:
		return 1
	}
	return 2
}

// vex38 is VEX map 2.
var vex38 = table([]row{
	{0x00, 0x0F, rm(rd, sizeVL)},                     // VPSHUFB..., VPERMILPS, VTESTPS
	{0x13, 0x13, rm(rd, sizeHalf)},                   // VCVTPH2PS
	{0x16, 0x17, rm(rd, sizeVL)},                     // VPERMPS, VPTEST
	{0x18, 0x18, rm(rd, 4)}, {0x19, 0x19, rm(rd, 8)}, // VBROADCASTSS, SD
	{0x1A, 0x1A, mem(rd, 16)}, {0x1C, 0x1E, rm(rd, sizeVL)}, // VBROADCASTF128, VPABS
	{0x20, 0x20, rm(rd, sizeHalf)}, {0x21, 0x21, rm(rd, sizeQuarter)}, // VPMOVSX
	{0x22, 0x22, rm(rd, sizeEighth)}, {0x23, 0x23, rm(rd, sizeHalf)},
	{0x24, 0x24, rm(rd, sizeQuarter)}, {0x25, 0x25, rm(rd, sizeHalf)},
	{0x28, 0x29, rm(rd, sizeVL)}, {0x2A, 0x2A, mem(rd, sizeVL)}, // VPMULDQ, VMOVNTDQA
	{0x2B, 0x2B, rm(rd, sizeVL)}, {0x2C, 0x2D, mem(rd, sizeVL)}, // VPACKUSDW, VMASKMOV loads
	{0x2E, 0x2F, mem(wr, sizeVL)},                                     // VMASKMOV stores
	{0x30, 0x30, rm(rd, sizeHalf)}, {0x31, 0x31, rm(rd, sizeQuarter)}, // VPMOVZX
	{0x32, 0x32, rm(rd, sizeEighth)}, {0x33, 0x33, rm(rd, sizeHalf)},
	{0x34, 0x34, rm(rd, sizeQuarter)}, {0x35, 0x35, rm(rd, sizeHalf)},
	{0x36, 0x41, rm(rd, sizeVL)}, {0x45, 0x47, rm(rd, sizeVL)}, // VPERMD..., VPSRLV
	{0x49, 0x49, rm(rd, 64)},                         // LDTILECFG
	{0x4B, 0x4B, mem(rd, 1024).with(vectorIndex)},    // TILELOADD
	{0x50, 0x53, rm(rd, sizeVL)},                     // VNNI
	{0x58, 0x58, rm(rd, 4)}, {0x59, 0x59, rm(rd, 8)}, // VPBROADCASTD, Q
	{0x5A, 0x5A, mem(rd, 16)}, {0x5C, 0x5E, reg(immNone)}, // VBROADCASTI128, AMX products
	{0x6C, 0x6C, reg(immNone)}, {0x72, 0x72, rm(rd, sizeVL)}, // AMX, VCVTNEPS2BF16
	{0x78, 0x78, rm(rd, 1)}, {0x79, 0x79, rm(rd, 2)}, // VPBROADCASTB, W
	{0x8C, 0x8C, mem(rd, sizeVL)}, {0x8E, 0x8E, mem(wr, sizeVL)}, // VPMASKMOV
	{0x90, 0x93, mem(rd, sizeY).with(vectorIndex)},             // gathers
	{0x96, 0x9F, rm(rd, sizeVL)}, {0xA6, 0xAF, rm(rd, sizeVL)}, // FMA
	{0xB0, 0xB1, mem(rd, sizeVL)}, {0xB4, 0xB5, rm(rd, sizeVL)}, // NE-CONVERT, IFMA
	{0xB6, 0xBF, rm(rd, sizeVL)},                           // FMA
	{0xCB, 0xCC, reg(immNone)}, {0xCD, 0xCD, reg(immNone)}, // SHA512
	{0xCF, 0xCF, rm(rd, sizeVL)}, {0xD2, 0xD3, rm(rd, sizeVL)}, // GF2P8MULB, VNNI-INT16
	{0xDA, 0xDF, rm(rd, sizeVL)},                             // SM4, AES
	{0xE0, 0xEF, mem(rw, sizeY)},                             // CMPccXADD
	{0xF2, 0xF3, rm(rd, sizeY)}, {0xF5, 0xF7, rm(rd, sizeY)}, // BMI
})

// vex38Spec looks up map 2 and applies what prefix and W decide.
func (in *inst) vex38Spec() spec {
	switch op := in.op; {
	case op == 0x49: // LDTILECFG, STTILECFG, TILERELEASE, TILEZERO
		if in.data16 {
			return mem(wr, 64)
		}
		if in.rep == 0xF2 {
			return reg(immNone)
		}
	case op == 0x4B && in.rep == 0xF3: // TILESTORED
		return mem(wr, 1024).with(vectorIndex)
	case op == 0xB1: // VBCSTNEBF162PS, VBCSTNESH2PS
		return mem(rd, 2)
	case scalarFMA(op):
		return rm(rd, sizeY)
	}
	return vex38[in.op]
}

// scalarFMA says whether an opcode of map 2 (or EVEX map 6) is a scalar fused
// multiply-add.
func scalarFMA(op byte) bool {
	row := op & 0xF0
	return (row == 0x90 || row == 0xA0 || row == 0xB0) && op&0x0F >= 8 && op&1 == 1
}

// vex3A is VEX map 3. Every instruction there has an immediate byte.
var vex3A = table([]row{
	{0x00, 0x02, rmImm(rd, sizeVL, immByte)}, {0x04, 0x06, rmImm(rd, sizeVL, immByte)}, // VPERMQ, VPBLENDD, VPERMILPS
	{0x08, 0x09, rmImm(rd, sizeVL, immByte)}, {0x0A, 0x0A, rmImm(rd, 4, immByte)}, // VROUND
	{0x0B, 0x0B, rmImm(rd, 8, immByte)}, {0x0C, 0x0F, rmImm(rd, sizeVL, immByte)}, // VROUND, VBLEND, VPALIGNR
	{0x14, 0x14, rmImm(wr, 1, immByte)}, {0x15, 0x15, rmImm(wr, 2, immByte)}, // VPEXTRB, W
	{0x16, 0x16, rmImm(wr, sizeY, immByte)}, {0x17, 0x17, rmImm(wr, 4, immByte)}, // VPEXTRD, VEXTRACTPS
	{0x18, 0x18, rmImm(rd, 16, immByte)}, {0x19, 0x19, rmImm(wr, 16, immByte)}, // VINSERTF128, VEXTRACTF128
	{0x1D, 0x1D, rmImm(wr, sizeHalf, immByte)},                               // VCVTPS2PH
	{0x20, 0x20, rmImm(rd, 1, immByte)}, {0x21, 0x21, rmImm(rd, 4, immByte)}, // VPINSRB, VINSERTPS
	{0x22, 0x22, rmImm(rd, sizeY, immByte)}, {0x30, 0x33, reg(immByte)}, // VPINSRD, KSHIFT
	{0x38, 0x38, rmImm(rd, 16, immByte)}, {0x39, 0x39, rmImm(wr, 16, immByte)}, // VINSERTI128, VEXTRACTI128
	{0x40, 0x42, rmImm(rd, sizeVL, immByte)}, {0x44, 0x44, rmImm(rd, sizeVL, immByte)}, // VDPPS, VMPSADBW, VPCLMULQDQ
	{0x46, 0x46, rmImm(rd, sizeVL, immByte)}, {0x4A, 0x4C, rmImm(rd, sizeVL, immByte)}, // VPERM2I128, VBLENDVPS
	{0x60, 0x63, rmImm(rd, sizeVL, immByte)},                                          // VPCMPxSTRx
	{0xCE, 0xCF, rmImm(rd, sizeVL, immByte)},                                          // GF2P8AFFINE
	{0xDE, 0xDF, rmImm(rd, sizeVL, immByte)}, {0xF0, 0xF0, rmImm(rd, sizeY, immByte)}, // VSM3RNDS2, VAESKEYGEN, RORX
})

// shiftByCount says whether an opcode of the 0F map is a vector shift by a count
// of 128 bits, whatever the vector length.
func shiftByCount(op byte) bool {
	switch op {
	case 0xD1, 0xD2, 0xD3, 0xE1, 0xE2, 0xF1, 0xF2, 0xF3:
		return true
	}
	return false
}
