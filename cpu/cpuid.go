package cpu

import "softsgx/isa"

// Order of the registers in what CPUID takes and returns.
const (
	regEAX = iota
	regEBX
	regECX
	regEDX
)

// cpuidMax is the leaf whose EAX is the highest leaf.
const cpuidMax uint32 = 0

// The vendor is always "GenuineIntel": clients that look for SGX look at it too.
const (
	vendorEBX uint32 = 'G' | 'e'<<8 | 'n'<<16 | 'u'<<24
	vendorEDX uint32 = 'i' | 'n'<<8 | 'e'<<16 | 'I'<<24
	vendorECX uint32 = 'n' | 't'<<8 | 'e'<<16 | 'l'<<24
)

// CPUID returns what the processor shows for a leaf and subleaf, in the order
// EAX, EBX, ECX, EDX. native is the host's own answer; leaves that SGX does not
// concern pass through.
func (c *CPU) CPUID(leaf, subleaf uint32, native [4]uint32) [4]uint32 {
	r := native
	switch {
	case leaf == cpuidMax:
		r[regEAX] = max(r[regEAX], isa.CPUIDSGX)
		r[regEBX], r[regEDX], r[regECX] = vendorEBX, vendorEDX, vendorECX
	case leaf == isa.CPUIDFeatures && subleaf == 0:
		r[regEBX] |= isa.CPUID_7_EBX_SGX
		r[regECX] |= isa.CPUID_7_ECX_SGX_LC
	case leaf == isa.CPUIDSGX:
		r = c.cpuidSGX(subleaf)
	}
	return r
}

func (c *CPU) cpuidSGX(subleaf uint32) (r [4]uint32) {
	if c.gate() != nil {
		return r
	}
	switch subleaf {
	case 0:
		r[regEAX] = isa.CPUID_12_EAX_SGX1
		if c.cfg.SGX2 {
			r[regEAX] |= isa.CPUID_12_EAX_SGX2
		}
		if c.cfg.AEXNotify {
			r[regEAX] |= isa.CPUID_12_EAX_EDECCSSA
		}
		r[regEBX] = c.offers.miscselect
		r[regEDX] = maxSize64<<8 | maxSize32
	case 1:
		r[regEAX], r[regEBX] = uint32(c.offers.flags), uint32(c.offers.flags>>32)
		r[regECX], r[regEDX] = uint32(c.offers.xfrm), uint32(c.offers.xfrm>>32)
	case 2:
		base, size := uint64(c.cfg.Base), uint64(c.cfg.Pages)*isa.PageSize
		r[regEAX], r[regEBX] = uint32(base)|isa.CPUID_12_SUBLEAF_EPC, uint32(base>>32)
		r[regECX], r[regEDX] = uint32(size)|isa.CPUID_12_EPC_CONFIDENTIAL_INTEGRITY, uint32(size>>32)
	}
	return r
}
