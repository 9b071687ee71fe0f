package insn

// oneByte is the primary opcode map in 64-bit mode (SDM vol. 2, table "One-byte
// Opcode Map").
var oneByte = table([]row{
	{0x00, 0x00, rm(rw, 1)}, {0x01, 0x01, rm(rw, sizeV)}, {0x02, 0x02, rm(rd, 1)}, {0x03, 0x03, rm(rd, sizeV)}, // ADD
	{0x04, 0x04, op(immByte)}, {0x05, 0x05, op(immZ)},
	{0x08, 0x08, rm(rw, 1)}, {0x09, 0x09, rm(rw, sizeV)}, {0x0A, 0x0A, rm(rd, 1)}, {0x0B, 0x0B, rm(rd, sizeV)}, // OR
	{0x0C, 0x0C, op(immByte)}, {0x0D, 0x0D, op(immZ)},
	{0x10, 0x10, rm(rw, 1)}, {0x11, 0x11, rm(rw, sizeV)}, {0x12, 0x12, rm(rd, 1)}, {0x13, 0x13, rm(rd, sizeV)}, // ADC
	{0x14, 0x14, op(immByte)}, {0x15, 0x15, op(immZ)},
	{0x18, 0x18, rm(rw, 1)}, {0x19, 0x19, rm(rw, sizeV)}, {0x1A, 0x1A, rm(rd, 1)}, {0x1B, 0x1B, rm(rd, sizeV)}, // SBB
	{0x1C, 0x1C, op(immByte)}, {0x1D, 0x1D, op(immZ)},
	{0x20, 0x20, rm(rw, 1)}, {0x21, 0x21, rm(rw, sizeV)}, {0x22, 0x22, rm(rd, 1)}, {0x23, 0x23, rm(rd, sizeV)}, // AND
	{0x24, 0x24, op(immByte)}, {0x25, 0x25, op(immZ)},
	{0x28, 0x28, rm(rw, 1)}, {0x29, 0x29, rm(rw, sizeV)}, {0x2A, 0x2A, rm(rd, 1)}, {0x2B, 0x2B, rm(rd, sizeV)}, // SUB
	{0x2C, 0x2C, op(immByte)}, {0x2D, 0x2D, op(immZ)},
	{0x30, 0x30, rm(rw, 1)}, {0x31, 0x31, rm(rw, sizeV)}, {0x32, 0x32, rm(rd, 1)}, {0x33, 0x33, rm(rd, sizeV)}, // XOR
	{0x34, 0x34, op(immByte)}, {0x35, 0x35, op(immZ)},
	{0x38, 0x38, rm(rd, 1)}, {0x39, 0x39, rm(rd, sizeV)}, {0x3A, 0x3A, rm(rd, 1)}, {0x3B, 0x3B, rm(rd, sizeV)}, // CMP
	{0x3C, 0x3C, op(immByte)}, {0x3D, 0x3D, op(immZ)},

	{0x50, 0x57, opAlso(push, sizeStack, immNone)}, // PUSH r
	{0x58, 0x5F, opAlso(pop, sizeStack, immNone)},  // POP r
	{0x63, 0x63, rm(rd, 4)},                        // MOVSXD
	{0x68, 0x68, opAlso(push, sizeStack, immZ)},    // PUSH imm
	{0x69, 0x69, rmImm(rd, sizeV, immZ)},           // IMUL
	{0x6A, 0x6A, opAlso(push, sizeStack, immByte)}, // PUSH imm8
	{0x6B, 0x6B, rmImm(rd, sizeV, immByte)},        // IMUL
	{0x6C, 0x6C, opAlso(dstString, 1, immNone)},    // INSB
	{0x6D, 0x6D, opAlso(dstString, 4, immNone)},    // INSW, INSD
	{0x6E, 0x6E, opAlso(srcString, 1, immNone)},    // OUTSB
	{0x6F, 0x6F, opAlso(srcString, 4, immNone)},    // OUTSW, OUTSD
	{0x70, 0x7F, op(immByte)},                      // Jcc rel8

	{0x80, 0x80, rmImm(rw, 1, immByte)},                        // group 1
	{0x81, 0x81, rmImm(rw, sizeV, immZ)},                       // group 1
	{0x83, 0x83, rmImm(rw, sizeV, immByte)},                    // group 1
	{0x84, 0x84, rm(rd, 1)},                                    // TEST
	{0x85, 0x85, rm(rd, sizeV)},                                // TEST
	{0x86, 0x86, rm(rw, 1)},                                    // XCHG
	{0x87, 0x87, rm(rw, sizeV)},                                // XCHG
	{0x88, 0x88, rm(wr, 1)},                                    // MOV
	{0x89, 0x89, rm(wr, sizeV)},                                // MOV
	{0x8A, 0x8A, rm(rd, 1)},                                    // MOV
	{0x8B, 0x8B, rm(rd, sizeV)},                                // MOV
	{0x8C, 0x8C, rm(wr, 2)},                                    // MOV from Sreg
	{0x8D, 0x8D, mem(none, 0)},                                 // LEA
	{0x8E, 0x8E, rm(rd, 2)},                                    // MOV to Sreg
	{0x8F, 0x8F, rm(wr, sizeStack).with(popTo)},                // POP r/m
	{0x90, 0x99, op(immNone)},                                  // XCHG, NOP, CBW, CWD
	{0x9B, 0x9B, op(immNone)},                                  // FWAIT
	{0x9C, 0x9C, opAlso(push, sizeStack, immNone)},             // PUSHF
	{0x9D, 0x9D, opAlso(pop, sizeStack, immNone)},              // POPF
	{0x9E, 0x9F, op(immNone)},                                  // SAHF, LAHF
	{0xA0, 0xA0, spec{valid, immOffset, rd, 1, offset, 0}},     // MOV AL, moffs
	{0xA1, 0xA1, spec{valid, immOffset, rd, sizeV, offset, 0}}, // MOV eAX, moffs
	{0xA2, 0xA2, spec{valid, immOffset, wr, 1, offset, 0}},     // MOV moffs, AL
	{0xA3, 0xA3, spec{valid, immOffset, wr, sizeV, offset, 0}}, // MOV moffs, eAX
	{0xA4, 0xA4, opAlso(bothString, 1, immNone)},               // MOVSB
	{0xA5, 0xA5, opAlso(bothString, sizeV, immNone)},           // MOVSx
	{0xA6, 0xA6, opAlso(cmpString, 1, immNone)},                // CMPSB
	{0xA7, 0xA7, opAlso(cmpString, sizeV, immNone)},            // CMPSx
	{0xA8, 0xA8, op(immByte)}, {0xA9, 0xA9, op(immZ)},          // TEST
	{0xAA, 0xAA, opAlso(dstString, 1, immNone)},       // STOSB
	{0xAB, 0xAB, opAlso(dstString, sizeV, immNone)},   // STOSx
	{0xAC, 0xAC, opAlso(srcString, 1, immNone)},       // LODSB
	{0xAD, 0xAD, opAlso(srcString, sizeV, immNone)},   // LODSx
	{0xAE, 0xAE, opAlso(scanString, 1, immNone)},      // SCASB
	{0xAF, 0xAF, opAlso(scanString, sizeV, immNone)},  // SCASx
	{0xB0, 0xB7, op(immByte)}, {0xB8, 0xBF, op(immV)}, // MOV imm
	{0xC0, 0xC0, rmImm(rw, 1, immByte)},                  // shifts
	{0xC1, 0xC1, rmImm(rw, sizeV, immByte)},              // shifts
	{0xC2, 0xC2, opAlso(pop, 8, immWord)},                // RET imm16
	{0xC3, 0xC3, opAlso(pop, 8, immNone)},                // RET
	{0xC6, 0xC6, rmImm(wr, 1, immByte)},                  // group 11: MOV
	{0xC7, 0xC7, rmImm(wr, sizeV, immZ)},                 // group 11: MOV
	{0xC8, 0xC8, opAlso(enter, 8, immWordByte)},          // ENTER
	{0xC9, 0xC9, opAlso(leave, 8, immNone)},              // LEAVE
	{0xCA, 0xCA, opAlso(popFar, sizeV, immWord)},         // RETF imm16
	{0xCB, 0xCB, opAlso(popFar, sizeV, immNone)},         // RETF
	{0xCC, 0xCC, op(immNone)}, {0xCD, 0xCD, op(immByte)}, // INT3, INT
	{0xCF, 0xCF, opAlso(popFrame, sizeV, immNone)},       // IRET
	{0xD0, 0xD0, rm(rw, 1)}, {0xD1, 0xD1, rm(rw, sizeV)}, // shifts by 1
	{0xD2, 0xD2, rm(rw, 1)}, {0xD3, 0xD3, rm(rw, sizeV)}, // shifts by CL
	{0xD7, 0xD7, opAlso(translate, 1, immNone)},                         // XLAT
	{0xD8, 0xDF, rm(rd, 0)},                                             // x87, see x87.go
	{0xE0, 0xE7, op(immByte)},                                           // LOOPcc, JRCXZ, IN, OUT
	{0xE8, 0xE8, opAlso(push, 8, immDword)}, {0xE9, 0xE9, op(immDword)}, // CALL, JMP
	{0xEB, 0xEB, op(immByte)},                            // JMP rel8
	{0xEC, 0xEF, op(immNone)},                            // IN, OUT
	{0xF1, 0xF1, op(immNone)}, {0xF4, 0xF5, op(immNone)}, // INT1, HLT, CMC
	{0xF6, 0xF6, rm(rw, 1)}, {0xF7, 0xF7, rm(rw, sizeV)}, // group 3
	{0xF8, 0xFD, op(immNone)},                            // CLC to STD
	{0xFE, 0xFE, rm(rw, 1)}, {0xFF, 0xFF, rm(rw, sizeV)}, // groups 4 and 5
})
