package driver

import (
	"fmt"

	"softsgx/isa"
	"softsgx/uapi"
)

// Registers in the order in which CPUID returns them.
const (
	eax = iota
	ebx
	ecx
	edx
)

// platform is what CPUID says about the CPU, as the masks that INIT applies to
// a SIGSTRUCT (Linux 6.1 sgx/driver.c sgx_drv_init).
type platform struct {
	sgx2      bool
	permitted uint64         // attributes that need no grant
	reserved  isa.ATTRIBUTES // bits that no SIGSTRUCT may enforce
	misc      uint32         // the same for MISCSELECT
}

// permittedAttributes is what CREATE lets an enclave have (Linux 6.1
// sgx/ioctl.c sgx_encl_create).
const permittedAttributes = isa.ATTR_DEBUG | isa.ATTR_MODE64BIT | isa.ATTR_KSS

// knownAttributes is the complement of SGX_ATTR_RESERVED_MASK (Linux 6.1
// asm/sgx.h).
const knownAttributes = isa.ATTR_INIT | permittedAttributes | isa.ATTR_PROVISIONKEY | isa.ATTR_EINITTOKEN_KEY

func detect(cpu ENCLS, aexNotify bool) (platform, error) {
	features := cpu.CPUID(isa.CPUIDFeatures, 0, [4]uint32{})
	capabilities := cpu.CPUID(isa.CPUIDSGX, 0, [4]uint32{})
	attributes := cpu.CPUID(isa.CPUIDSGX, 1, [4]uint32{})
	switch {
	case features[ebx]&isa.CPUID_7_EBX_SGX == 0, capabilities[eax]&isa.CPUID_12_EAX_SGX1 == 0:
		return platform{}, fmt.Errorf("driver: the CPU has no SGX1: %w", uapi.ENODEV)
	case features[ecx]&isa.CPUID_7_ECX_SGX_LC == 0:
		return platform{}, fmt.Errorf("driver: launch control is locked: %w", uapi.ENODEV)
	}
	permitted, known := permittedAttributes, knownAttributes
	if aexNotify {
		permitted |= isa.ATTR_AEXNOTIFY
		known |= isa.ATTR_AEXNOTIFY
	}
	return platform{
		sgx2:      capabilities[eax]&isa.CPUID_12_EAX_SGX2 != 0,
		permitted: permitted,
		reserved: isa.ATTRIBUTES{
			Flags: ^(quad(attributes[eax], attributes[ebx]) & known),
			XFRM:  ^quad(attributes[ecx], attributes[edx]),
		},
		misc: ^(capabilities[ebx] & isa.MISC_EXINFO),
	}, nil
}

func quad(low, high uint32) uint64 { return uint64(high)<<32 | uint64(low) }
