package isa

import "fmt"

// PageType is the type of an EPC page (SDM vol. 3D, "PAGE_TYPE").
type PageType uint8

// The page types.
const (
	PT_SECS     PageType = 0
	PT_TCS      PageType = 1
	PT_REG      PageType = 2
	PT_VA       PageType = 3
	PT_TRIM     PageType = 4
	PT_SS_FIRST PageType = 5
	PT_SS_REST  PageType = 6
)

var pageTypeNames = [...]string{
	PT_SECS: "PT_SECS", PT_TCS: "PT_TCS", PT_REG: "PT_REG", PT_VA: "PT_VA",
	PT_TRIM: "PT_TRIM", PT_SS_FIRST: "PT_SS_FIRST", PT_SS_REST: "PT_SS_REST",
}

// String returns the SDM's name of the type.
func (t PageType) String() string {
	if int(t) < len(pageTypeNames) {
		return pageTypeNames[t]
	}
	return fmt.Sprintf("page type %d", uint8(t))
}

// SECINFOSize is the size of a SECINFO; the operand is aligned alike.
const SECINFOSize = 64

// Bits of SECINFO.Flags. The page type is in bits 15:8.
const (
	SECINFO_R        uint64 = 1 << 0
	SECINFO_W        uint64 = 1 << 1
	SECINFO_X        uint64 = 1 << 2
	SECINFO_RWX      uint64 = SECINFO_R | SECINFO_W | SECINFO_X
	SECINFO_PENDING  uint64 = 1 << 3
	SECINFO_MODIFIED uint64 = 1 << 4
	SECINFO_PR       uint64 = 1 << 5

	SECINFO_PAGE_TYPE uint64 = 0xFF << 8

	// SECINFO_RESERVED are the bits of Flags that must be zero.
	SECINFO_RESERVED uint64 = ^(SECINFO_RWX | SECINFO_PENDING | SECINFO_MODIFIED | SECINFO_PR | SECINFO_PAGE_TYPE)
)

const secinfoPageTypeShift = 8

// SECINFO carries the security information of an EPC page (SDM vol. 3D,
// "SECINFO").
type SECINFO struct {
	Flags    uint64
	Reserved [56]byte
}

// NewSECINFO returns the SECINFO of a settled page of type t with the rights rwx.
func NewSECINFO(t PageType, rwx Access) SECINFO {
	return SECINFO{Flags: uint64(t)<<secinfoPageTypeShift | uint64(rwx)&SECINFO_RWX}
}

// Type returns PAGE_TYPE, which may be a number that names no page type.
func (s *SECINFO) Type() PageType { return PageType(s.Flags >> secinfoPageTypeShift) }

// RWX returns the rights.
func (s *SECINFO) RWX() Access { return Access(s.Flags & SECINFO_RWX) }

// ReservedZero reports whether the reserved bits and bytes are zero.
func (s *SECINFO) ReservedZero() bool {
	return s.Flags&SECINFO_RESERVED == 0 && s.Reserved == [56]byte{}
}

func (s *SECINFO) fields(l *layout) {
	l.u64(&s.Flags)
	l.bytes(s.Reserved[:])
}

// UnmarshalBinary reads a SECINFO from the first SECINFOSize bytes of b.
func (s *SECINFO) UnmarshalBinary(b []byte) error {
	l, err := reader("SECINFO", b, SECINFOSize)
	if err != nil {
		return err
	}
	s.fields(&l)
	return nil
}

// AppendBinary appends the SECINFO to b.
func (s *SECINFO) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, SECINFOSize)
	s.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the SECINFO.
func (s *SECINFO) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }
