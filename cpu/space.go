package cpu

import "softsgx/isa"

// Space is the page walk of the address space that a logical processor runs in.
type Space interface {
	// Translate walks the page tables for an access to lin. It returns the
	// EPC page that lin is mapped to, 0 if lin is mapped to other memory, or
	// the ordinary #PF of the walk. It is called without CPU locks.
	Translate(lin isa.LinAddr, a isa.Access) (isa.EPCAddr, *isa.Fault)
}

// Context is what a thread brings to the processor for one ENCLU or AEX.
type Context struct {
	Regs *Regs
	// X is the thread's extended state. Nil leaves extended state out: the
	// caller vouches that nobody looks at it.
	X     XState
	Space Space
}

// Regs are the registers that ENCLU and AEX work on.
type Regs struct {
	RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP uint64
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RIP, RFLAGS                            uint64
	FSBase, GSBase                         uint64
}

// Bits of RFLAGS (SDM vol. 1, "EFLAGS Register").
const (
	flagCF uint64 = 1 << 0
	flagPF uint64 = 1 << 2
	flagAF uint64 = 1 << 4
	flagZF uint64 = 1 << 6
	flagSF uint64 = 1 << 7
	flagTF uint64 = 1 << 8
	flagDF uint64 = 1 << 10
	flagOF uint64 = 1 << 11
	flagNT uint64 = 1 << 14
	flagRF uint64 = 1 << 16
	flagAC uint64 = 1 << 18
	flagID uint64 = 1 << 21

	arithmeticFlags = flagCF | flagPF | flagAF | flagZF | flagSF | flagOF
)
