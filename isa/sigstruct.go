package isa

// SIGSTRUCTSize is the size of a SIGSTRUCT.
const SIGSTRUCTSize = 1808

// KeySize is the size of MODULUS, SIGNATURE, Q1 and Q2.
const KeySize = 384

// The two parts of a SIGSTRUCT that are signed, as offsets: [0,128) and [900,1028).
const (
	SIGSTRUCTHeaderEnd = 128
	SIGSTRUCTBodyStart = 900
	SIGSTRUCTBodyEnd   = 1028
)

// Fixed contents of a SIGSTRUCT.
var (
	SIGSTRUCT_HEADER  = [16]byte{0x06, 0, 0, 0, 0xE1, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0, 0}
	SIGSTRUCT_HEADER2 = [16]byte{0x01, 0x01, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 0x01, 0, 0, 0}
)

// Values of VENDOR and EXPONENT.
const (
	VENDOR_OTHER uint32 = 0
	VENDOR_INTEL uint32 = 0x8086

	SIGSTRUCT_EXPONENT uint32 = 3
)

// SIGSTRUCT is what the enclave's author signed (SDM vol. 3D, "Enclave
// Signature Structure"). Reserved areas are kept, named by their offset.
// MODULUS, SIGNATURE, Q1 and Q2 are little-endian integers.
type SIGSTRUCT struct {
	HEADER              [16]byte
	VENDOR              uint32
	DATE                uint32 // 0xYYYYMMDD by convention
	HEADER2             [16]byte
	SWDEFINED           uint32
	Reserved44          [84]byte
	MODULUS             [KeySize]byte
	EXPONENT            uint32
	SIGNATURE           [KeySize]byte
	MISCSELECT          uint32
	MISCMASK            uint32
	CET_ATTRIBUTES      uint8
	CET_ATTRIBUTES_MASK uint8
	Reserved910         [2]byte
	ISVFAMILYID         [16]byte
	ATTRIBUTES          ATTRIBUTES
	ATTRIBUTEMASK       ATTRIBUTES
	ENCLAVEHASH         [32]byte
	Reserved992         [16]byte
	ISVEXTPRODID        [16]byte
	ISVPRODID           uint16
	ISVSVN              uint16
	Reserved1028        [12]byte
	Q1                  [KeySize]byte
	Q2                  [KeySize]byte
}

func (s *SIGSTRUCT) fields(l *layout) {
	s.headerFields(l)
	l.bytes(s.MODULUS[:])
	l.u32(&s.EXPONENT)
	l.bytes(s.SIGNATURE[:])
	s.bodyFields(l)
	l.bytes(s.Reserved1028[:])
	l.bytes(s.Q1[:])
	l.bytes(s.Q2[:])
}

func (s *SIGSTRUCT) headerFields(l *layout) {
	l.bytes(s.HEADER[:])
	l.u32(&s.VENDOR)
	l.u32(&s.DATE)
	l.bytes(s.HEADER2[:])
	l.u32(&s.SWDEFINED)
	l.bytes(s.Reserved44[:])
}

func (s *SIGSTRUCT) bodyFields(l *layout) {
	l.u32(&s.MISCSELECT)
	l.u32(&s.MISCMASK)
	l.u8(&s.CET_ATTRIBUTES)
	l.u8(&s.CET_ATTRIBUTES_MASK)
	l.bytes(s.Reserved910[:])
	l.bytes(s.ISVFAMILYID[:])
	l.attributes(&s.ATTRIBUTES)
	l.attributes(&s.ATTRIBUTEMASK)
	l.bytes(s.ENCLAVEHASH[:])
	l.bytes(s.Reserved992[:])
	l.bytes(s.ISVEXTPRODID[:])
	l.u16(&s.ISVPRODID)
	l.u16(&s.ISVSVN)
}

// ReservedZero reports whether the reserved areas are zero. Without CET its two
// fields are reserved too.
func (s *SIGSTRUCT) ReservedZero() bool {
	return zero(s.Reserved44[:]) && zero(s.Reserved910[:]) && zero(s.Reserved992[:]) && zero(s.Reserved1028[:]) &&
		s.CET_ATTRIBUTES == 0 && s.CET_ATTRIBUTES_MASK == 0
}

// WellFormed reports whether the structure passes the checks that EINIT makes
// before it looks at the signature (SDM vol. 3D, "EINIT").
func (s *SIGSTRUCT) WellFormed() bool {
	return s.HEADER == SIGSTRUCT_HEADER && s.HEADER2 == SIGSTRUCT_HEADER2 &&
		(s.VENDOR == VENDOR_OTHER || s.VENDOR == VENDOR_INTEL) &&
		s.EXPONENT == SIGSTRUCT_EXPONENT && s.ReservedZero()
}

// SignedMessage returns the 256 bytes that the signature covers.
func (s *SIGSTRUCT) SignedMessage() []byte {
	b, l := writer(nil, SIGSTRUCTHeaderEnd+SIGSTRUCTBodyEnd-SIGSTRUCTBodyStart)
	s.headerFields(&l)
	s.bodyFields(&l)
	return b
}

// UnmarshalBinary reads a SIGSTRUCT from the first SIGSTRUCTSize bytes of b.
func (s *SIGSTRUCT) UnmarshalBinary(b []byte) error {
	l, err := reader("SIGSTRUCT", b, SIGSTRUCTSize)
	if err != nil {
		return err
	}
	s.fields(&l)
	return nil
}

// AppendBinary appends the SIGSTRUCT to b.
func (s *SIGSTRUCT) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, SIGSTRUCTSize)
	s.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the SIGSTRUCT.
func (s *SIGSTRUCT) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }
