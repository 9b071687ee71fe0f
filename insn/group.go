package insn

// group corrects the spec where ModRM.reg extends the opcode (SDM vol. 2, table
// "Opcode Extensions for One- and Two-byte Opcodes by Group Number").
func (in *inst) group() {
	switch {
	case in.enc == vex && in.opmap == map0F && in.op == 0xAE: // VLDMXCSR, VSTMXCSR
		in.spec = [8]spec{2: mem(rd, 4), 3: mem(wr, 4)}[in.reg]
	case in.enc == vex && in.opmap == map0F38 && in.op == 0xF3: // BLSR, BLSMSK, BLSI
		if in.reg < 1 || in.reg > 3 {
			in.spec = spec{}
		}
	case in.enc != legacy:
	case in.opmap == mapOne:
		in.oneByteGroup()
	case in.opmap == map0F:
		in.twoByteGroup()
	}
}

// oneByteGroup corrects one-byte opcodes.
func (in *inst) oneByteGroup() {
	switch in.op {
	case 0x63: // MOVSXD with 66 and without W copies 16 bits
		if in.data16 && !in.w {
			in.spec.size = 2
		}
	case 0x80, 0x81, 0x83: // group 1
		if in.reg == 7 { // CMP
			in.spec.rm = rd
		}
	case 0x8C, 0x8E:
		if in.reg > 5 || in.op == 0x8E && in.reg == 1 {
			in.spec = spec{}
		}
	case 0xC6, 0xC7: // group 11; mod 3 with /7 is XABORT or XBEGIN
		if in.reg == 7 && in.mod == 3 && in.rm == 0 {
			in.spec.rm = none
		} else if in.reg != 0 {
			in.spec = spec{}
		}
	case 0x8F: // group 1A
		if in.reg != 0 {
			in.spec = spec{}
		}
	case 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF:
		in.spec = in.x87Spec()
	case 0xF6, 0xF7: // group 3
		in.group3()
	case 0xFE, 0xFF: // groups 4 and 5
		in.group5()
	}
}

// group3 is TEST, NOT, NEG, MUL, IMUL, DIV, IDIV.
func (in *inst) group3() {
	switch in.reg {
	case 0, 1:
		in.spec.rm, in.spec.imm = rd, immByte
		if in.op == 0xF7 {
			in.spec.imm = immZ
		}
	case 4, 5, 6, 7:
		in.spec.rm = rd
	}
}

// group5 is INC, DEC, CALL, JMP, PUSH.
func (in *inst) group5() {
	if in.op == 0xFE && in.reg > 1 {
		in.spec = spec{}
		return
	}
	switch in.reg {
	case 2:
		in.spec = rm(rd, 8).with(push)
	case 3:
		in.spec = mem(rd, sizeFar).with(pushFar)
	case 4:
		in.spec = rm(rd, 8)
	case 5:
		in.spec = mem(rd, sizeFar)
	case 6:
		in.spec = rm(rd, sizeStack).with(push)
	case 7:
		in.spec = spec{}
	}
}

// twoByteGroup corrects two-byte opcodes.
func (in *inst) twoByteGroup() {
	isMem := in.mod != 3
	switch in.op {
	case 0x00: // group 6
		in.spec = [8]spec{rm(wr, 2), rm(wr, 2), rm(rd, 2), rm(rd, 2), rm(rd, 2), rm(rd, 2), {}, {}}[in.reg]
	case 0x01: // group 7
		if isMem {
			in.spec = [8]spec{
				mem(wr, 10), mem(wr, 10), mem(rd, 10), mem(rd, 10), // SGDT, SIDT, LGDT, LIDT
				mem(wr, 2), {}, mem(rd, 2), mem(none, 0), // SMSW, LMSW, INVLPG
			}[in.reg]
			if in.reg == 5 && in.rep == 0xF3 { // RSTORSSP
				in.spec = mem(rw, 8)
			}
		} else if group7Register>>(in.reg<<3|in.rm)&1 == 0 {
			in.spec = spec{}
		}
	case 0x71, 0x72, 0x73: // groups 12 to 14
		ok := [3]byte{0b01010100, 0b01010100, 0b11001100}[in.op-0x71]
		if ok>>in.reg&1 == 0 {
			in.spec = spec{}
		}
	case 0xAE: // group 15
		if isMem {
			in.spec = in.group15()
		} else if in.rep == 0 && !in.data16 && in.reg < 5 {
			in.spec = spec{}
		}
	case 0xBA: // group 8
		switch {
		case in.reg < 4:
			in.spec = spec{}
		case in.reg == 4: // BT
			in.spec.rm = rd
		}
	case 0xC7: // group 9
		in.spec = in.group9()
	}
}

// group7Register has one bit for each register form of 0F 01, by the low six
// bits of ModRM (SDM and APM, group 7): VMX, MONITOR, XGETBV and ENCLU, SVM,
// SMSW, shadow stacks and PKRU, LMSW, SWAPGS and its neighbours.
const group7Register uint64 = 0xFFFF_F7FF_FFF3_FFFF

// group15 gives the memory forms of 0F AE: the FXSAVE and XSAVE families, MXCSR,
// cache lines, PTWRITE.
func (in *inst) group15() spec {
	switch {
	case in.rep == 0xF3 && in.reg == 4: // PTWRITE
		return mem(rd, sizeY)
	case in.rep == 0xF3 && in.reg == 6: // CLRSSBSY
		return mem(rw, 8)
	case in.rep != 0, in.data16 && (in.reg == 4 || in.reg == 5):
		return spec{}
	case in.data16 && in.reg >= 6: // CLWB, CLFLUSHOPT
		return mem(rd, 1)
	}
	return [8]spec{
		mem(wr, 512), mem(rd, 512), // FXSAVE, FXRSTOR
		mem(rd, 4), mem(wr, 4), // LDMXCSR, STMXCSR
		mem(rw, sizeXSAVE), mem(rd, sizeXSAVE), // XSAVE reads XSTATE_BV first, XRSTOR
		mem(rw, sizeXSAVE), mem(rd, 1), // XSAVEOPT, CLFLUSH
	}[in.reg]
}

// group9 gives the forms of 0F C7: CMPXCHG8B, XSAVEC, VMX pointers, random
// numbers.
func (in *inst) group9() spec {
	if in.mod == 3 {
		if in.reg >= 6 {
			return rm(none, 0) // RDRAND, RDSEED, RDPID, SENDUIPI
		}
		return spec{}
	}
	switch in.reg {
	case 1:
		if in.w {
			return mem(rw, 16)
		}
		return mem(rw, 8)
	case 3:
		return mem(rd, sizeXSAVE) // XRSTORS
	case 4, 5:
		return mem(wr, sizeXSAVE) // XSAVEC, XSAVES
	case 6:
		if in.data16 {
			return mem(wr, 8) // VMCLEAR
		}
		return mem(rd, 8) // VMPTRLD, VMXON
	case 7:
		return mem(wr, 8) // VMPTRST
	}
	return spec{}
}
