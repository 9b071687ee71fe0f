package isa

// CPUID leaves that speak of SGX (SDM vol. 3D, "Discovering Support for SGX").
const (
	CPUIDFeatures uint32 = 0x07
	CPUIDXSAVE    uint32 = 0x0D
	CPUIDSGX      uint32 = 0x12
)

// Bits of CPUID.(07H,0).
const (
	CPUID_7_EBX_SGX    uint32 = 1 << 2
	CPUID_7_ECX_SGX_LC uint32 = 1 << 30
)

// Bits of CPUID.(12H,0):EAX. EBX holds the supported bits of MISCSELECT; EDX the
// logarithms of the largest SIZE, 7:0 outside 64-bit mode and 15:8 in it.
const (
	CPUID_12_EAX_SGX1       uint32 = 1 << 0
	CPUID_12_EAX_SGX2       uint32 = 1 << 1
	CPUID_12_EAX_EUPDATESVN uint32 = 1 << 10
	CPUID_12_EAX_EDECCSSA   uint32 = 1 << 11
)

// Types of a subleaf n >= 2 of leaf 12H, in EAX[3:0], and the kind of
// protection of an EPC section, in ECX[3:0].
const (
	CPUID_12_SUBLEAF_INVALID uint32 = 0
	CPUID_12_SUBLEAF_EPC     uint32 = 1

	CPUID_12_EPC_CONFIDENTIAL_INTEGRITY uint32 = 1
)
