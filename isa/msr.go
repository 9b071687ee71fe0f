package isa

// Model-specific registers (SDM vol. 4).
const (
	IA32_FEATURE_CONTROL  uint32 = 0x3A
	IA32_SGXLEPUBKEYHASH0 uint32 = 0x8C // the first of SGXLEPUBKEYHASHCount
	IA32_SGXOWNEREPOCH0   uint32 = 0x300
	IA32_SGXOWNEREPOCH1   uint32 = 0x301
	IA32_SGX_SVN_STATUS   uint32 = 0x500
)

// SGXLEPUBKEYHASHCount is how many registers hold the launch signer's hash.
const SGXLEPUBKEYHASHCount = 4

// Bits of IA32_FEATURE_CONTROL.
const (
	FEATURE_CONTROL_LOCK   uint64 = 1 << 0
	FEATURE_CONTROL_SGX_LC uint64 = 1 << 17
	FEATURE_CONTROL_SGX    uint64 = 1 << 18
)

// SGXLEPUBKEYHASHReset is what IA32_SGXLEPUBKEYHASH0..3 hold after reset: the
// MRSIGNER of Intel's launch enclave (QEMU target/i386/cpu.c; Linux 6.1
// kvm/vmx/sgx.c).
var SGXLEPUBKEYHASHReset = [SGXLEPUBKEYHASHCount]uint64{
	0xA6053E051270B7AC, 0x6CFBE8BA8B3B413D, 0xC4916D99F2B3735D, 0xD4F8C05909F9BB3B,
}
