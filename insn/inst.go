package insn

// encoding is how the opcode is introduced.
type encoding uint8

const (
	legacy encoding = iota
	vex
	evex
)

// Opcode maps, in the numbering of VEX and EVEX. One-byte opcodes are map 0.
const (
	mapOne  = 0
	map0F   = 1
	map0F38 = 2
	map0F3A = 3
	map5    = 5 // AVX512-FP16
	map6    = 6
)

// inst is an instruction taken apart.
type inst struct {
	len int

	enc    encoding
	opmap  uint8
	op     byte
	rep    byte // 0, 0xF2 or 0xF3: the last one given, or the VEX equivalent
	data16 bool // 66, or the VEX equivalent
	addr32 bool
	lock   bool
	seg    Segment
	w      bool // REX.W, VEX.W
	r      byte // 0 or 8: extensions of ModRM.reg, SIB.index, ModRM.rm
	x      byte
	b      byte
	vlen   uint64 // vector length in bytes: 16, 32, 64
	bcast  bool   // EVEX.b

	hasModRM bool
	mod      byte
	reg      byte // three bits
	rm       byte // three bits
	mem      MemRef
	disp8    bool // the displacement is one byte, scaled by the operand in EVEX

	frame uint16 // operands of ENTER
	level uint8

	spec spec
}
