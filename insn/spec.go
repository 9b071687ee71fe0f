package insn

// form says how an opcode is encoded.
type form uint8

const (
	valid form = 1 << iota
	modRM
	memOnly   // a register operand is undefined
	regOnly   // a memory operand is undefined
	alwaysReg // ModRM.mod is ignored and taken for 3 (MOV to and from CRn)
)

// imm says what follows ModRM and displacement.
type imm uint8

const (
	immNone     imm = iota
	immByte         // imm8, rel8
	immWord         // imm16, or two bytes (EXTRQ, INSERTQ)
	immDword        // rel32
	immZ            // 2 or 4 bytes by operand size
	immV            // 2, 4 or 8 bytes by operand size (MOV)
	immWordByte     // ENTER
	immOffset       // moffs: an address
)

// access is what happens to the r/m operand if it is memory.
type access uint8

const (
	none access = iota // nothing: LEA, NOP, prefetches
	rd
	wr
	rw
)

func (a access) reads() bool  { return a&rd != 0 }
func (a access) writes() bool { return a&wr != 0 }

// size is the length of the r/m operand: positive for a number of bytes, else
// one of the following.
type size int16

const (
	sizeV       size = -1 - iota // 2, 4 or 8 by operand size
	sizeY                        // 4, or 8 with W
	sizeStack                    // 8, or 2 with 66 and without W
	sizeFar                      // a far pointer: 2 and the operand size
	sizeVL                       // the vector length
	sizeHalf                     // of the vector length
	sizeQuarter                  //
	sizeEighth                   //
	sizeMMX                      // 8, or the vector length with 66
	sizeMMXLow                   // 4, or the vector length with 66
	sizePacked                   // the vector length; 4 with F3, 8 with F2
	sizeDup                      // MOVDDUP: 8 for 128 bits, else the vector length
	sizeXSAVE                    // an XSAVE area
)

// xsaveBound is the size of the largest standard-format XSAVE area in use: up to
// and including AMX tile data.
const xsaveBound = 11008

// implied is memory that an instruction uses without naming it.
type implied uint8

const (
	plain       implied = iota
	push                // writes below RSP
	pop                 // reads at RSP
	popTo               // reads at RSP, writes r/m
	popFar              // RETF
	popFrame            // IRET
	leave               // reads at RBP
	enter               // writes a frame below RSP, reads frame pointers below RBP
	pushFar             // far CALL
	srcString           // reads at RSI
	dstString           // writes at RDI
	scanString          // reads at RDI
	bothString          // reads at RSI, writes at RDI
	cmpString           // reads at RSI and RDI
	translate           // XLAT: reads at RBX + AL
	offset              // moffs
	bitString           // a bit offset in ModRM.reg moves the operand
	maskedMove          // MASKMOVQ, MASKMOVDQU: writes at RDI
	copyLine            // MOVDIR64B, ENQCMD: reads r/m, writes at ModRM.reg
	vectorIndex         // VSIB, tile
	partial             // compress and expand: disp8 is scaled by the element
)

// spec is what the tables know of an opcode.
type spec struct {
	form form
	imm  imm
	rm   access
	size size
	also implied
	elem uint8 // with partial: bytes of an element
}

// bytes returns the length that z stands for in this instruction.
func (in *inst) bytes(z size) uint64 {
	switch z {
	case sizeV:
		if in.w {
			return 8
		}
		if in.data16 {
			return 2
		}
		return 4
	case sizeY:
		if in.w {
			return 8
		}
		return 4
	case sizeStack:
		if in.data16 && !in.w {
			return 2
		}
		return 8
	case sizeFar:
		return 2 + in.bytes(sizeV)
	case sizeVL:
		return in.vlen
	case sizeHalf:
		return in.vlen / 2
	case sizeQuarter:
		return in.vlen / 4
	case sizeEighth:
		return in.vlen / 8
	case sizeMMX:
		if in.enc == legacy && !in.data16 && in.rep == 0 {
			return 8
		}
		return in.vlen
	case sizeMMXLow:
		if in.enc == legacy && !in.data16 {
			return 4
		}
		return in.vlen
	case sizePacked:
		switch in.rep {
		case 0xF3:
			return 4
		case 0xF2:
			return 8
		}
		return in.vlen
	case sizeDup:
		if in.vlen == 16 {
			return 8
		}
		return in.vlen
	case sizeXSAVE:
		return xsaveBound
	}
	return uint64(z)
}
