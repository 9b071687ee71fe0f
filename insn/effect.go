package insn

import "errors"

// Errors of Decode.
var (
	ErrTruncated = errors.New("instruction is cut off")
	ErrUndefined = errors.New("undefined instruction")
)

// MaxLen is the length limit of an instruction (SDM vol. 2, "Instruction
// Format").
const MaxLen = 15

// Effect is what an instruction does to memory.
type Effect struct {
	Len int
	Mem []MemRef // in no particular order; implicit operands included
}

// MemRef is one memory operand.
type MemRef struct {
	Base, Index Reg
	Scale       uint8 // 1, 2, 4 or 8
	Disp        int64
	Segment     Segment
	RIPRel      bool // Disp counts from the next instruction
	Addr32      bool // the address is cut to 32 bits before the segment base

	// Bit is the register of a bit offset that moves the operand (BT, BTS, BTR
	// and BTC with a register), or None.
	Bit Reg
	// Byte is a register of which the low byte is added (AL of XLAT), or None.
	Byte Reg
	// Scattered says that the index is a vector register, or a tile's stride:
	// the addresses cannot be told from the general registers.
	Scattered bool

	// Size is the operand's length in bytes. For REP forms it is that of one
	// step, at the registers' present values; for masked vector operands and
	// for XSAVE and its kin it is an upper bound.
	Size        uint64
	Read, Write bool // both for an operand that is modified
}

// Decode reads the instruction at the start of code.
func Decode(code []byte) (Effect, error) {
	var in inst
	if err := in.decode(code); err != nil {
		return Effect{}, err
	}
	return Effect{Len: in.len, Mem: in.operands()}, nil
}

// Len returns the length of the instruction at the start of code. It reports
// false if the bytes are cut off or no instruction.
func Len(code []byte) (n int, ok bool) {
	var in inst
	if in.decode(code) != nil {
		return 0, false
	}
	return in.len, true
}
