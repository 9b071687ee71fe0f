package insn

// Reg is a general-purpose register in its encoding order.
type Reg uint8

// The general-purpose registers. None stands for an absent base or index.
const (
	RAX Reg = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
	None
)

// Segment is a segment whose base counts in 64-bit mode.
type Segment uint8

// The segments. Flat stands for ES, CS, SS and DS, whose base is zero.
const (
	Flat Segment = iota
	FS
	GS
)

// RegFile is what an address is computed from.
type RegFile struct {
	R      [16]uint64 // by Reg
	RIP    uint64     // of the instruction itself
	FSBase uint64
	GSBase uint64
}
