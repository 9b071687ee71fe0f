package cpu

import "softsgx/isa"

// epcFault is the #PF of an ENCLS leaf whose EPC operand p is not what it should
// be. ENCLS runs in the kernel: U/S is 0. There is no linear address of p here,
// so the physical one stands for it.
func epcFault(p isa.EPCAddr) error {
	return &isa.Fault{
		Vector: isa.PF, Addr: isa.LinAddr(p),
		ErrorCode: isa.PFECPresent | isa.PFECWrite | isa.PFECSGX,
	}
}

// operandFault is the #PF of an ENCLS leaf that cannot read an operand.
func operandFault(op isa.Operand) error {
	return &isa.Fault{Vector: isa.PF, Addr: isa.LinAddr(op.Addr)}
}

func aligned[T ~uint64](a T, n uint64) bool { return uint64(a)%n == 0 }

// canonical reports whether a is a canonical 48-bit linear address.
func canonical(a uint64) bool { return uint64(int64(a<<16)>>16) == a }
