package isa

// ATTRIBUTES says what an enclave may do (SDM vol. 3D, "ATTRIBUTES"; 16 bytes).
type ATTRIBUTES struct {
	Flags uint64 // ATTR_ bits
	XFRM  uint64 // value of XCR0 inside the enclave
}

// Bits of ATTRIBUTES.Flags.
const (
	ATTR_INIT           uint64 = 1 << 0
	ATTR_DEBUG          uint64 = 1 << 1
	ATTR_MODE64BIT      uint64 = 1 << 2
	ATTR_PROVISIONKEY   uint64 = 1 << 4
	ATTR_EINITTOKEN_KEY uint64 = 1 << 5
	ATTR_CET            uint64 = 1 << 6
	ATTR_KSS            uint64 = 1 << 7
	ATTR_AEXNOTIFY      uint64 = 1 << 10
)

// Has reports whether all the given flags are set.
func (a ATTRIBUTES) Has(flags uint64) bool { return a.Flags&flags == flags }

// And returns a under mask, flags and XFRM alike.
func (a ATTRIBUTES) And(mask ATTRIBUTES) ATTRIBUTES {
	return ATTRIBUTES{a.Flags & mask.Flags, a.XFRM & mask.XFRM}
}

// Bits of MISCSELECT (SDM vol. 3D, "MISCSELECT").
const (
	MISC_EXINFO uint32 = 1 << 0
	MISC_CPINFO uint32 = 1 << 1
)
