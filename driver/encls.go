package driver

import "softsgx/isa"

// ENCLS is the processor as the driver sees it. Leaves return nil, an *isa.Fault
// or an isa.Code (SDM vol. 3D, "ENCLS"; Linux 6.1 sgx/encls.h).
type ENCLS interface {
	ECREATE(pi *isa.PAGEINFO, dst isa.EPCAddr, mem isa.Memory) error
	EADD(pi *isa.PAGEINFO, dst isa.EPCAddr) error
	// EEXTENDPage is EEXTEND of the 16 chunks of a page in ascending order.
	// content is what EADD just put there, or nil.
	EEXTENDPage(secs, page isa.EPCAddr, content []byte) error
	EINIT(sigstruct isa.Operand, secs isa.EPCAddr, token isa.Operand) error
	EREMOVE(p isa.EPCAddr) error
	EPA(rbx uint64, dst isa.EPCAddr) error
	ETRACK(secs isa.EPCAddr) error
	EAUG(pi *isa.PAGEINFO, dst isa.EPCAddr) error
	EMODPR(si isa.Operand, p isa.EPCAddr) error
	EMODT(si isa.Operand, p isa.EPCAddr) error

	// WRMSRLEPubKeyHash writes IA32_SGXLEPUBKEYHASHi, i in 0..3.
	WRMSRLEPubKeyHash(i int, v uint64) error
	// CPUID returns EAX, EBX, ECX and EDX of a leaf; native is passed through
	// for leaves that SGX does not concern.
	CPUID(leaf, subleaf uint32, native [4]uint32) [4]uint32
	// Grow adds that many EPC pages right above the last section of CPUID leaf
	// 12H, or does nothing if this EPC has a fixed size.
	Grow(pages int)
}

// kernelBuffer is the address given for operands that Linux keeps in kernel
// memory. It satisfies the alignment rule of each of them.
const kernelBuffer = 0xFFFF_8880_0000_0000

// kernelToken is the address of the zero EINITTOKEN, which Linux keeps in the
// second half of the page that holds the SIGSTRUCT.
const kernelToken = kernelBuffer + isa.PageSize/2

// operand returns an operand that lies in kernel memory.
func operand(b []byte) isa.Operand { return isa.Operand{Addr: kernelBuffer, Bytes: b} }

// secinfoOperand returns si as an operand in kernel memory.
func secinfoOperand(si isa.SECINFO) isa.Operand {
	b, err := si.MarshalBinary()
	if err != nil {
		panic("driver: a SECINFO always marshals: " + err.Error())
	}
	return operand(b)
}

// EINITChecker is an ENCLS that can tell what EINIT would do. Hardware cannot.
type EINITChecker interface {
	CheckEINIT(sigstruct isa.Operand, secs isa.EPCAddr, token isa.Operand) error
}
