package insn

// evexSpec looks up an EVEX-encoded instruction (SDM vol. 2, "AVX-512" pages of
// the instructions, column "Tuple Type"). The size of the operand decides the
// scale of an 8-bit displacement, so it has to be right, not just large enough.
func (in *inst) evexSpec() spec {
	switch in.opmap {
	case map0F:
		return in.evex0F()
	case map0F38:
		return in.evex38()
	case map0F3A:
		return in.evex3A()
	case map5:
		return in.evexHalf5()
	case map6:
		return in.evexHalf6()
	}
	return spec{}
}

// evex0F is EVEX map 1.
func (in *inst) evex0F() spec {
	pp := in.pp()
	switch op := in.op; op {
	case 0x71, 0x72, 0x73: // shifts and rotates by immediate, here also from memory
		return rmImm(rd, sizeVL, immByte)
	case 0x2A, 0x6E:
		return rm(rd, sizeY)
	case 0x2C, 0x2D:
		return rm(rd, sizePacked)
	case 0x7E:
		if pp == pF3 {
			return rm(rd, 8)
		}
		return rm(wr, sizeY)
	case 0x78, 0x79: // VCVT(T)PS2UDQ, VCVT(T)PS2UQQ, VCVT(T)SS2USI
		if pp == pF3 || pp == pF2 {
			return rm(rd, sizePacked)
		}
		return rm(rd, in.fromSingle(pp == p66))
	case 0x7A: // VCVTTPS2QQ, VCVTUDQ2PD, VCVTUDQ2PS
		return rm(rd, in.fromSingle(pp == p66 || pp == pF3))
	case 0x7B: // VCVTPS2QQ, VCVTUSI2SS
		if pp == pF3 || pp == pF2 {
			return rm(rd, sizeY)
		}
		return rm(rd, in.fromSingle(pp == p66))
	case 0xE6: // VCVTDQ2PD, VCVTQQ2PD, VCVTPD2DQ
		return rm(rd, in.fromSingle(pp == pF3))
	default:
		if shiftByCount(op) {
			return rm(rd, 16)
		}
		if evexLike0F[op].form == 0 {
			return spec{}
		}
		return in.twoByteSpec()
	}
}

// evexLike0F marks the opcodes of the 0F map that have an EVEX form like the
// legacy one.
var evexLike0F = table([]row{
	{0x10, 0x17, op(immNone)}, {0x28, 0x29, op(immNone)}, {0x2B, 0x2B, op(immNone)}, {0x2E, 0x2F, op(immNone)},
	{0x51, 0x51, op(immNone)}, {0x54, 0x70, op(immNone)}, {0x74, 0x76, op(immNone)}, {0x7F, 0x7F, op(immNone)},
	{0xC2, 0xC2, op(immNone)}, {0xC4, 0xC6, op(immNone)}, {0xD4, 0xD6, op(immNone)}, {0xD8, 0xEF, op(immNone)},
	{0xF4, 0xF6, op(immNone)}, {0xF8, 0xFE, op(immNone)},
})

// fromSingle is the source size of a conversion from packed 4-byte elements: half
// the vector if they widen and W is clear.
func (in *inst) fromSingle(widens bool) size {
	if widens && !in.w {
		return sizeHalf
	}
	return sizeVL
}

// evex38 is EVEX map 2.
func (in *inst) evex38() spec {
	op, pp := in.op, in.pp()
	if pp == pF3 {
		switch {
		case op >= 0x10 && op <= 0x15, op >= 0x20 && op <= 0x25, op >= 0x30 && op <= 0x35:
			return rm(wr, narrowed[op&7]) // VPMOV with truncation
		case op == 0x28, op == 0x29, op == 0x38, op == 0x39, op == 0x2A, op == 0x3A:
			return reg(immNone) // VPMOVM2x, VPMOVx2M, VPBROADCASTM
		}
	}
	if pp == pF2 && (op == 0x9A || op == 0x9B || op == 0xAA || op == 0xAB || op == 0x52 || op == 0x53) {
		return rm(rd, 16) // 4FMAPS, 4VNNIW
	}
	if scalarFMA(op) {
		return rm(rd, sizeY)
	}
	return evex38[op]
}

// narrowed gives the stored size of the VPMOV group by the low opcode bits: WB,
// DB, QB, DW, QW, QD.
var narrowed = [8]size{sizeHalf, sizeQuarter, sizeEighth, sizeHalf, sizeQuarter, sizeHalf}

// element returns mem with a displacement scaled by elements, of 4 bytes or 8
// with W (n = 4), or of 1 byte or 2 with W (n = 1).
func element(a access, n uint8) spec {
	s := rm(a, sizeVL).with(partial)
	s.elem = n
	return s
}

// evex38 is EVEX map 2 where prefix and W decide nothing.
var evex38 = table([]row{
	{0x00, 0x00, rm(rd, sizeVL)}, {0x04, 0x04, rm(rd, sizeVL)}, {0x0B, 0x0D, rm(rd, sizeVL)},
	{0x10, 0x12, rm(rd, sizeVL)}, {0x13, 0x13, rm(rd, sizeHalf)}, {0x14, 0x16, rm(rd, sizeVL)},
	{0x18, 0x18, rm(rd, 4)}, {0x19, 0x19, rm(rd, 8)}, {0x1A, 0x1A, mem(rd, 16)}, {0x1B, 0x1B, mem(rd, 32)},
	{0x1C, 0x1F, rm(rd, sizeVL)},
	{0x20, 0x20, rm(rd, sizeHalf)}, {0x21, 0x21, rm(rd, sizeQuarter)}, {0x22, 0x22, rm(rd, sizeEighth)},
	{0x23, 0x23, rm(rd, sizeHalf)}, {0x24, 0x24, rm(rd, sizeQuarter)}, {0x25, 0x25, rm(rd, sizeHalf)},
	{0x26, 0x29, rm(rd, sizeVL)}, {0x2A, 0x2A, mem(rd, sizeVL)}, {0x2B, 0x2C, rm(rd, sizeVL)},
	{0x2D, 0x2D, rm(rd, sizeY)}, // VSCALEFSS
	{0x30, 0x30, rm(rd, sizeHalf)}, {0x31, 0x31, rm(rd, sizeQuarter)}, {0x32, 0x32, rm(rd, sizeEighth)},
	{0x33, 0x33, rm(rd, sizeHalf)}, {0x34, 0x34, rm(rd, sizeQuarter)}, {0x35, 0x35, rm(rd, sizeHalf)},
	{0x36, 0x40, rm(rd, sizeVL)},
	{0x42, 0x42, rm(rd, sizeVL)}, {0x43, 0x43, rm(rd, sizeY)}, {0x44, 0x47, rm(rd, sizeVL)}, // VGETEXP, VPLZCNT, VPSRLV
	{0x4C, 0x4C, rm(rd, sizeVL)}, {0x4D, 0x4D, rm(rd, sizeY)}, // VRCP14
	{0x4E, 0x4E, rm(rd, sizeVL)}, {0x4F, 0x4F, rm(rd, sizeY)}, // VRSQRT14
	{0x50, 0x55, rm(rd, sizeVL)}, // VNNI, VPOPCNT
	{0x58, 0x58, rm(rd, 4)}, {0x59, 0x59, rm(rd, 8)}, {0x5A, 0x5A, mem(rd, 16)}, {0x5B, 0x5B, mem(rd, 32)},
	{0x62, 0x62, element(rd, 1)}, {0x63, 0x63, element(wr, 1)}, // VPEXPANDB, VPCOMPRESSB
	{0x64, 0x66, rm(rd, sizeVL)}, {0x68, 0x68, rm(rd, sizeVL)}, {0x70, 0x73, rm(rd, sizeVL)}, {0x75, 0x77, rm(rd, sizeVL)},
	{0x78, 0x78, rm(rd, 1)}, {0x79, 0x79, rm(rd, 2)}, {0x7A, 0x7C, reg(immNone)}, {0x7D, 0x7F, rm(rd, sizeVL)},
	{0x83, 0x83, rm(rd, sizeVL)},
	{0x88, 0x89, element(rd, 4)}, {0x8A, 0x8B, element(wr, 4)}, // VEXPANDPS, VCOMPRESSPS
	{0x8D, 0x8D, rm(rd, sizeVL)}, {0x8F, 0x8F, rm(rd, sizeVL)},
	{0x90, 0x93, mem(rd, sizeY).with(vectorIndex)}, // gathers
	{0x96, 0x9F, rm(rd, sizeVL)},
	{0xA0, 0xA3, mem(wr, sizeY).with(vectorIndex)}, // scatters
	{0xA6, 0xAF, rm(rd, sizeVL)}, {0xB4, 0xBF, rm(rd, sizeVL)},
	{0xC4, 0xC4, rm(rd, sizeVL)}, {0xC6, 0xC7, mem(none, sizeY).with(vectorIndex)}, // VPCONFLICT, gather prefetches
	{0xC8, 0xC8, rm(rd, sizeVL)}, {0xCA, 0xCA, rm(rd, sizeVL)}, {0xCC, 0xCC, rm(rd, sizeVL)}, // VEXP2, VRCP28, VRSQRT28
	{0xCB, 0xCB, rm(rd, sizeY)}, {0xCD, 0xCD, rm(rd, sizeY)},
	{0xCF, 0xCF, rm(rd, sizeVL)}, {0xDC, 0xDF, rm(rd, sizeVL)}, // GF2P8MULB, AES
})

// evex3A is EVEX map 3.
func (in *inst) evex3A() spec {
	s := evex3A[in.op]
	if s.form != 0 {
		s.imm = immByte
	}
	if pp := in.pp(); pp == np && s.size == sizeY || pp == pF3 { // VRNDSCALESH, VCMPSH...
		s.size = 2
	}
	return s
}

// evex3A is EVEX map 3 without the immediate byte, which all of it has.
var evex3A = table([]row{
	{0x00, 0x01, rm(rd, sizeVL)}, {0x03, 0x05, rm(rd, sizeVL)}, // VPERMQ, VALIGN, VPERMILPS
	{0x08, 0x09, rm(rd, sizeVL)}, {0x0A, 0x0B, rm(rd, sizeY)}, // VRNDSCALE
	{0x0F, 0x0F, rm(rd, sizeVL)},                                              // VPALIGNR
	{0x14, 0x14, rm(wr, 1)}, {0x15, 0x15, rm(wr, 2)}, {0x17, 0x17, rm(wr, 4)}, // VPEXTRB, W, VEXTRACTPS
	{0x16, 0x16, rm(wr, sizeY)}, // VPEXTRD
	{0x18, 0x18, rm(rd, 16)}, {0x19, 0x19, rm(wr, 16)}, {0x1A, 0x1A, rm(rd, 32)}, {0x1B, 0x1B, rm(wr, 32)},
	{0x1D, 0x1D, rm(wr, sizeHalf)}, {0x1E, 0x1F, rm(rd, sizeVL)}, // VCVTPS2PH, VPCMPU
	{0x20, 0x20, rm(rd, 1)}, {0x21, 0x21, rm(rd, 4)}, {0x22, 0x22, rm(rd, sizeY)}, // VPINSRB, VINSERTPS, VPINSRD
	{0x23, 0x23, rm(rd, sizeVL)}, {0x25, 0x26, rm(rd, sizeVL)}, {0x27, 0x27, rm(rd, sizeY)}, // VSHUFF32X4, VPTERNLOG, VGETMANT
	{0x38, 0x38, rm(rd, 16)}, {0x39, 0x39, rm(wr, 16)}, {0x3A, 0x3A, rm(rd, 32)}, {0x3B, 0x3B, rm(wr, 32)},
	{0x3E, 0x3F, rm(rd, sizeVL)}, {0x42, 0x44, rm(rd, sizeVL)}, // VPCMPUB, VDBPSADBW, VPCLMULQDQ
	{0x50, 0x50, rm(rd, sizeVL)}, {0x51, 0x51, rm(rd, sizeY)}, // VRANGE
	{0x54, 0x54, rm(rd, sizeVL)}, {0x55, 0x55, rm(rd, sizeY)}, // VFIXUPIMM
	{0x56, 0x56, rm(rd, sizeVL)}, {0x57, 0x57, rm(rd, sizeY)}, // VREDUCE
	{0x66, 0x66, rm(rd, sizeVL)}, {0x67, 0x67, rm(rd, sizeY)}, // VFPCLASS
	{0x70, 0x73, rm(rd, sizeVL)}, {0xC2, 0xC2, rm(rd, sizeVL)}, // VPSHLD, VCMPPH
	{0xCE, 0xCF, rm(rd, sizeVL)}, // GF2P8AFFINE
})

// evexHalf5 is EVEX map 5: half precision, laid out like the 0F map.
func (in *inst) evexHalf5() spec {
	pp := in.pp()
	scalar := pp == pF3 || pp == pF2
	switch op := in.op; {
	case op == 0x10, op == 0x11: // VMOVSH
		if op == 0x11 {
			return rm(wr, 2)
		}
		return rm(rd, 2)
	case op == 0x1D: // VCVTPS2PHX, VCVTSS2SH
		if pp == np {
			return rm(rd, 4)
		}
		return rm(rd, sizeVL)
	case op == 0x2A, op == 0x7B && scalar: // VCVTSI2SH, VCVTUSI2SH
		return rm(rd, sizeY)
	case op >= 0x2C && op <= 0x2F, op == 0x6E: // VCVTTSH2SI, VUCOMISH, VMOVW
		return rm(rd, 2)
	case op == 0x7E:
		return rm(wr, 2)
	case op == 0x5A: // VCVTPH2PD, VCVTPD2PH, VCVTSH2SD, VCVTSD2SH
		return rm(rd, map[prefixes]size{np: sizeQuarter, p66: sizeVL, pF3: 2, pF2: 8}[pp])
	case op == 0x5B && (pp == p66 || pp == pF3), op == 0x78 && pp == np, op == 0x79 && pp == np:
		return rm(rd, sizeHalf) // VCVTPH2DQ, VCVTPH2UDQ
	case op == 0x7A && pp == pF2: // VCVTUDQ2PH
		return rm(rd, sizeVL)
	case op >= 0x78 && op <= 0x7B && pp == p66: // VCVTPH2QQ, VCVTPH2UQQ
		return rm(rd, sizeQuarter)
	case op == 0x5B, op == 0x7C, op == 0x7D:
		return rm(rd, sizeVL)
	case op == 0x51, op == 0x58, op == 0x59, op >= 0x5C && op <= 0x5F, op == 0x78, op == 0x79:
		if scalar {
			return rm(rd, 2)
		}
		return rm(rd, sizeVL)
	}
	return spec{}
}

// evexHalf6 is EVEX map 6: half precision, laid out like the 0F 38 map.
func (in *inst) evexHalf6() spec {
	switch op := in.op; {
	case op == 0x13: // VCVTSH2SS, VCVTPH2PSX
		if in.pp() == p66 {
			return rm(rd, sizeHalf)
		}
		return rm(rd, 2)
	case op == 0x57, op == 0xD7: // VFMADDCSH, VFMULCSH
		return rm(rd, 4)
	case op == 0x2D, op == 0x43, op == 0x4D, op == 0x4F, scalarFMA(op):
		return rm(rd, 2)
	case op == 0x2C, op == 0x42, op == 0x4C, op == 0x4E, op == 0x56, op == 0xD6,
		op >= 0x96 && op <= 0x9F, op >= 0xA6 && op <= 0xAF, op >= 0xB6 && op <= 0xBF:
		return rm(rd, sizeVL)
	}
	return spec{}
}

// broadcastElement returns the bytes that an EVEX instruction with broadcast
// reads.
func (in *inst) broadcastElement() uint64 {
	n := in.bytes(sizeY)
	pp := in.pp()
	switch in.opmap {
	case map0F3A:
		if pp == np { // VCMPPH and other half-precision forms
			return 2
		}
	case map5:
		switch {
		case in.op == 0x5B && pp == np, in.op == 0x1D, in.op == 0x5A && pp == p66, in.op == 0x7A && pp == pF2:
			return n // from integers or wider floats
		}
		return 2
	case map6:
		if in.op == 0x56 || in.op == 0xD6 { // complex pairs
			return 4
		}
		return 2
	}
	return n
}
