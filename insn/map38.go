package insn

// map38 is the 0F 38 map (SDM vol. 2, table "Three-byte Opcode Map: 08H-FFH").
var map38 = table([]row{
	{0x00, 0x0B, rm(rd, sizeMMX)},                              // PSHUFB, PHADD, PSIGN...
	{0x10, 0x10, rm(rd, sizeVL)}, {0x14, 0x15, rm(rd, sizeVL)}, // PBLENDVB, BLENDVPS
	{0x17, 0x17, rm(rd, sizeVL)}, {0x1C, 0x1E, rm(rd, sizeMMX)}, // PTEST, PABS
	{0x20, 0x20, rm(rd, sizeHalf)}, {0x21, 0x21, rm(rd, sizeQuarter)}, // PMOVSX
	{0x22, 0x22, rm(rd, sizeEighth)}, {0x23, 0x23, rm(rd, sizeHalf)},
	{0x24, 0x24, rm(rd, sizeQuarter)}, {0x25, 0x25, rm(rd, sizeHalf)},
	{0x28, 0x29, rm(rd, sizeVL)}, {0x2A, 0x2A, mem(rd, sizeVL)}, // PMULDQ, PCMPEQQ, MOVNTDQA
	{0x2B, 0x2B, rm(rd, sizeVL)},                                      // PACKUSDW
	{0x30, 0x30, rm(rd, sizeHalf)}, {0x31, 0x31, rm(rd, sizeQuarter)}, // PMOVZX
	{0x32, 0x32, rm(rd, sizeEighth)}, {0x33, 0x33, rm(rd, sizeHalf)},
	{0x34, 0x34, rm(rd, sizeQuarter)}, {0x35, 0x35, rm(rd, sizeHalf)},
	{0x37, 0x41, rm(rd, sizeVL)},                               // PCMPGTQ, PMIN, PMAX, PMULLD, PHMINPOSUW
	{0x80, 0x82, mem(rd, 16)},                                  // INVEPT, INVVPID, INVPCID
	{0xC8, 0xCD, rm(rd, sizeVL)}, {0xCF, 0xCF, rm(rd, sizeVL)}, // SHA, GF2P8MULB
	{0xD8, 0xD8, mem(rd, 64)}, {0xDB, 0xDB, rm(rd, sizeVL)}, // AESENCWIDE..., AESIMC
	{0xDC, 0xDF, rm(rd, sizeVL)},                               // AESENC..., AESKL
	{0xF0, 0xF0, mem(rd, sizeV)}, {0xF1, 0xF1, mem(wr, sizeV)}, // MOVBE
	{0xF5, 0xF5, mem(wr, sizeY)},             // WRUSS
	{0xF6, 0xF6, rm(rd, sizeY)},              // ADCX, ADOX, WRSS
	{0xF8, 0xF8, mem(rd, 64).with(copyLine)}, // MOVDIR64B, ENQCMD
	{0xF9, 0xF9, mem(wr, sizeY)},             // MOVDIRI
	{0xFA, 0xFB, reg(immNone)},               // ENCODEKEY128, ENCODEKEY256
	{0xFC, 0xFC, mem(rw, sizeY)},             // AADD, AAND, AOR, AXOR
})

// map38Spec looks up the 0F 38 map and applies mandatory prefixes.
func (in *inst) map38Spec() spec {
	s := map38[in.op]
	switch in.op {
	case 0xF0:
		if in.rep == 0xF2 { // CRC32 r, r/m8
			s = rm(rd, 1)
		}
	case 0xF1:
		if in.rep == 0xF2 { // CRC32 r, r/m
			s = rm(rd, sizeV)
		}
	case 0xF6:
		if !in.data16 && in.rep != 0xF3 { // WRSS
			s = mem(wr, sizeY)
		}
	case 0xDC, 0xDD, 0xDE, 0xDF:
		if in.rep == 0xF3 { // AESENC128KL...: a key handle; LOADIWKEY
			s = rm(rd, 64)
		}
	}
	return s
}

// map3A is the 0F 3A map (SDM vol. 2, table "Three-byte Opcode Map: 0F3AH").
var map3A = table([]row{
	{0x08, 0x09, rmImm(rd, sizeVL, immByte)}, {0x0A, 0x0A, rmImm(rd, 4, immByte)}, // ROUND
	{0x0B, 0x0B, rmImm(rd, 8, immByte)}, {0x0C, 0x0E, rmImm(rd, sizeVL, immByte)}, // ROUND, BLEND
	{0x0F, 0x0F, rmImm(rd, sizeMMX, immByte)},                                // PALIGNR
	{0x14, 0x14, rmImm(wr, 1, immByte)}, {0x15, 0x15, rmImm(wr, 2, immByte)}, // PEXTRB, PEXTRW
	{0x16, 0x16, rmImm(wr, sizeY, immByte)}, {0x17, 0x17, rmImm(wr, 4, immByte)}, // PEXTRD, EXTRACTPS
	{0x20, 0x20, rmImm(rd, 1, immByte)}, {0x21, 0x21, rmImm(rd, 4, immByte)}, // PINSRB, INSERTPS
	{0x22, 0x22, rmImm(rd, sizeY, immByte)},                                            // PINSRD
	{0x40, 0x42, rmImm(rd, sizeVL, immByte)}, {0x44, 0x44, rmImm(rd, sizeVL, immByte)}, // DPPS, MPSADBW, PCLMULQDQ
	{0x60, 0x63, rmImm(rd, sizeVL, immByte)}, // PCMPxSTRx
	{0xCC, 0xCC, rmImm(rd, sizeVL, immByte)}, // SHA1RNDS4
	{0xCE, 0xCF, rmImm(rd, sizeVL, immByte)}, // GF2P8AFFINE
	{0xDF, 0xDF, rmImm(rd, sizeVL, immByte)}, // AESKEYGENASSIST
	{0xF0, 0xF0, reg(immByte)},               // HRESET
})
