package insn

// twoByte is the 0F map (SDM vol. 2, table "Two-byte Opcode Map"; AMD APM vol. 3
// for SSE4A). Where a prefix has a say, twoByteSpec corrects it.
var twoByte = table([]row{
	{0x00, 0x01, rm(none, 0)},                                          // groups 6 and 7
	{0x02, 0x03, rm(rd, 2)},                                            // LAR, LSL
	{0x05, 0x09, op(immNone)},                                          // SYSCALL, CLTS, SYSRET, INVD, WBINVD
	{0x0B, 0x0B, op(immNone)},                                          // UD2
	{0x0D, 0x0D, rm(none, 0)},                                          // PREFETCHW
	{0x10, 0x10, rm(rd, sizePacked)}, {0x11, 0x11, rm(wr, sizePacked)}, // MOVUPS, MOVSS...
	{0x12, 0x12, rm(rd, 8)}, {0x13, 0x13, mem(wr, 8)}, // MOVLPS
	{0x14, 0x15, rm(rd, sizeVL)},                      // UNPCKLPS, UNPCKHPS
	{0x16, 0x16, rm(rd, 8)}, {0x17, 0x17, mem(wr, 8)}, // MOVHPS
	{0x18, 0x1F, rm(none, 0)},                                  // prefetches, hint NOPs, ENDBR64
	{0x20, 0x23, spec{form: valid | modRM | alwaysReg}},        // MOV CRn, DRn
	{0x28, 0x28, rm(rd, sizeVL)}, {0x29, 0x29, rm(wr, sizeVL)}, // MOVAPS
	{0x2A, 0x2A, rm(rd, 8)},                              // CVTPI2PS, CVTSI2SS...
	{0x2B, 0x2B, mem(wr, sizeVL)},                        // MOVNTPS
	{0x2C, 0x2D, rm(rd, 8)},                              // CVTTPS2PI, CVTSS2SI...
	{0x2E, 0x2F, rm(rd, 4)},                              // UCOMISS, COMISS
	{0x30, 0x35, op(immNone)}, {0x37, 0x37, op(immNone)}, // WRMSR to SYSEXIT, GETSEC
	{0x40, 0x4F, rm(rd, sizeV)},                                    // CMOVcc
	{0x50, 0x50, reg(immNone)},                                     // MOVMSKPS
	{0x51, 0x53, rm(rd, sizePacked)}, {0x54, 0x57, rm(rd, sizeVL)}, // SQRTPS...
	{0x58, 0x5F, rm(rd, sizePacked)}, {0x5B, 0x5B, rm(rd, sizeVL)}, // ADDPS..., CVTDQ2PS
	{0x60, 0x62, rm(rd, sizeMMXLow)}, {0x63, 0x6B, rm(rd, sizeMMX)}, // PUNPCK, PACK, PCMPGT
	{0x6C, 0x6D, rm(rd, sizeVL)}, {0x6E, 0x6E, rm(rd, sizeY)}, // PUNPCKLQDQ, MOVD
	{0x6F, 0x6F, rm(rd, sizeMMX)}, {0x70, 0x70, rmImm(rd, sizeMMX, immByte)}, // MOVQ, PSHUF
	{0x71, 0x73, reg(immByte)},                               // groups 12 to 14: shifts
	{0x74, 0x76, rm(rd, sizeMMX)}, {0x77, 0x77, op(immNone)}, // PCMPEQ, EMMS
	{0x78, 0x78, rm(wr, 8)}, {0x79, 0x79, rm(rd, 8)}, // VMREAD, VMWRITE
	{0x7C, 0x7D, rm(rd, sizeVL)},                               // HADDPS, HSUBPS
	{0x7E, 0x7E, rm(wr, sizeY)}, {0x7F, 0x7F, rm(wr, sizeMMX)}, // MOVD, MOVQ
	{0x80, 0x8F, op(immDword)},                                           // Jcc rel32
	{0x90, 0x9F, rm(wr, 1)},                                              // SETcc
	{0xA0, 0xA0, opAlso(push, sizeStack, immNone)},                       // PUSH FS
	{0xA1, 0xA1, opAlso(pop, sizeStack, immNone)},                        // POP FS
	{0xA2, 0xA2, op(immNone)},                                            // CPUID
	{0xA3, 0xA3, rm(rd, sizeV).with(bitString)},                          // BT
	{0xA4, 0xA4, rmImm(rw, sizeV, immByte)}, {0xA5, 0xA5, rm(rw, sizeV)}, // SHLD
	{0xA8, 0xA8, opAlso(push, sizeStack, immNone)},                       // PUSH GS
	{0xA9, 0xA9, opAlso(pop, sizeStack, immNone)},                        // POP GS
	{0xAA, 0xAA, op(immNone)},                                            // RSM
	{0xAB, 0xAB, rm(rw, sizeV).with(bitString)},                          // BTS
	{0xAC, 0xAC, rmImm(rw, sizeV, immByte)}, {0xAD, 0xAD, rm(rw, sizeV)}, // SHRD
	{0xAE, 0xAE, rm(none, 0)},                            // group 15
	{0xAF, 0xAF, rm(rd, sizeV)},                          // IMUL
	{0xB0, 0xB0, rm(rw, 1)}, {0xB1, 0xB1, rm(rw, sizeV)}, // CMPXCHG
	{0xB2, 0xB2, mem(rd, sizeFar)},                   // LSS
	{0xB3, 0xB3, rm(rw, sizeV).with(bitString)},      // BTR
	{0xB4, 0xB5, mem(rd, sizeFar)},                   // LFS, LGS
	{0xB6, 0xB6, rm(rd, 1)}, {0xB7, 0xB7, rm(rd, 2)}, // MOVZX
	{0xB8, 0xB8, rm(rd, sizeV)}, {0xB9, 0xB9, rm(none, 0)}, // POPCNT, UD1
	{0xBA, 0xBA, rmImm(rw, sizeV, immByte)},          // group 8: bit tests
	{0xBB, 0xBB, rm(rw, sizeV).with(bitString)},      // BTC
	{0xBC, 0xBD, rm(rd, sizeV)},                      // BSF, BSR, TZCNT, LZCNT
	{0xBE, 0xBE, rm(rd, 1)}, {0xBF, 0xBF, rm(rd, 2)}, // MOVSX
	{0xC0, 0xC0, rm(rw, 1)}, {0xC1, 0xC1, rm(rw, sizeV)}, // XADD
	{0xC2, 0xC2, rmImm(rd, sizePacked, immByte)},                    // CMPPS...
	{0xC3, 0xC3, mem(wr, sizeY)},                                    // MOVNTI
	{0xC4, 0xC4, rmImm(rd, 2, immByte)}, {0xC5, 0xC5, reg(immByte)}, // PINSRW, PEXTRW
	{0xC6, 0xC6, rmImm(rd, sizeVL, immByte)},                    // SHUFPS
	{0xC7, 0xC7, rm(none, 0)},                                   // group 9
	{0xC8, 0xCF, op(immNone)},                                   // BSWAP
	{0xD0, 0xD0, rm(rd, sizeVL)}, {0xD1, 0xD5, rm(rd, sizeMMX)}, // ADDSUBPS, shifts...
	{0xD6, 0xD6, rm(wr, 8)}, {0xD7, 0xD7, reg(immNone)}, // MOVQ, PMOVMSKB
	{0xD8, 0xE5, rm(rd, sizeMMX)},                                // packed integers
	{0xE6, 0xE6, rm(rd, sizeVL)}, {0xE7, 0xE7, mem(wr, sizeMMX)}, // CVTDQ2PD..., MOVNTQ
	{0xE8, 0xEF, rm(rd, sizeMMX)}, {0xF0, 0xF0, mem(rd, sizeVL)}, // packed integers, LDDQU
	{0xF1, 0xF6, rm(rd, sizeMMX)},                            // packed integers
	{0xF7, 0xF7, reg(immNone).with(maskedMove)},              // MASKMOVQ
	{0xF8, 0xFE, rm(rd, sizeMMX)}, {0xFF, 0xFF, rm(none, 0)}, // packed integers, UD0
})

// twoByteSpec looks up the 0F map and applies mandatory prefixes.
func (in *inst) twoByteSpec() spec {
	s := twoByte[in.op]
	switch in.op {
	case 0x12, 0x16: // MOVDDUP (12 only), MOVSLDUP, MOVSHDUP
		switch in.pp() {
		case p66: // MOVLPD, MOVHPD
			s = mem(rd, 8)
		case pF3:
			s = rm(rd, sizeVL)
		case pF2:
			s = rm(rd, sizeDup)
		}
	case 0x2A: // CVTSI2SS, CVTSI2SD
		if in.rep != 0 {
			s = rm(rd, sizeY)
		}
	case 0x2B: // MOVNTSS, MOVNTSD
		if in.rep != 0 {
			s = mem(wr, sizePacked)
		}
	case 0x2C, 0x2D: // CVTPD2PI, CVTSS2SI
		if in.rep == 0xF3 {
			s = rm(rd, 4)
		} else if in.rep == 0 && in.data16 {
			s = rm(rd, sizeVL)
		}
	case 0x2E, 0x2F: // UCOMISD, COMISD
		if in.data16 {
			s = rm(rd, 8)
		}
	case 0x5A: // CVTPS2PD
		if in.rep == 0 && !in.data16 {
			s = rm(rd, sizeHalf)
		}
	case 0x78, 0x79: // EXTRQ, INSERTQ
		if in.data16 || in.rep == 0xF2 {
			s = reg(immNone)
			if in.op == 0x78 {
				s.imm = immWord
			}
		}
	case 0x7E:
		if in.rep == 0xF3 { // MOVQ xmm, m64
			s = rm(rd, 8)
		}
	case 0xD6:
		if in.rep != 0 { // MOVQ2DQ, MOVDQ2Q
			s = reg(immNone)
		}
	case 0xE6:
		if in.rep == 0xF3 { // CVTDQ2PD
			s = rm(rd, sizeHalf)
		}
	}
	return s
}
