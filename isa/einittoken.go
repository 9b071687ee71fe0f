package isa

// Sizes of an EINITTOKEN: the whole and the part that its MAC covers.
const (
	EINITTOKENSize    = 304
	EINITTOKENMACSize = 192
)

// EINITTOKEN_VALID is bit 0 of EINITTOKEN.VALID. The other bits are reserved.
const EINITTOKEN_VALID uint32 = 1 << 0

// EINITTOKEN is a launch enclave's permission to EINIT (SDM vol. 3D, "EINIT
// Token Structure"). Reserved areas are kept, named by their offset.
type EINITTOKEN struct {
	VALID              uint32
	Reserved4          [44]byte
	ATTRIBUTES         ATTRIBUTES
	MRENCLAVE          [32]byte
	Reserved96         [32]byte
	MRSIGNER           [32]byte
	Reserved160        [32]byte
	CPUSVNLE           [16]byte
	ISVPRODIDLE        uint16
	ISVSVNLE           uint16
	Reserved212        [24]byte
	MASKEDMISCSELECTLE uint32
	MASKEDATTRIBUTESLE ATTRIBUTES
	KEYID              [32]byte
	MAC                [16]byte
}

func (t *EINITTOKEN) fields(l *layout) {
	l.u32(&t.VALID)
	l.bytes(t.Reserved4[:])
	l.attributes(&t.ATTRIBUTES)
	l.bytes(t.MRENCLAVE[:])
	l.bytes(t.Reserved96[:])
	l.bytes(t.MRSIGNER[:])
	l.bytes(t.Reserved160[:])
	l.bytes(t.CPUSVNLE[:])
	l.u16(&t.ISVPRODIDLE)
	l.u16(&t.ISVSVNLE)
	l.bytes(t.Reserved212[:])
	l.u32(&t.MASKEDMISCSELECTLE)
	l.attributes(&t.MASKEDATTRIBUTESLE)
	l.bytes(t.KEYID[:])
	l.bytes(t.MAC[:])
}

// ReservedZero reports whether the reserved areas and VALID[31:1] are zero.
func (t *EINITTOKEN) ReservedZero() bool {
	return t.VALID&^EINITTOKEN_VALID == 0 &&
		zero(t.Reserved4[:]) && zero(t.Reserved96[:]) && zero(t.Reserved160[:]) && zero(t.Reserved212[:])
}

// UnmarshalBinary reads an EINITTOKEN from the first EINITTOKENSize bytes of b.
func (t *EINITTOKEN) UnmarshalBinary(b []byte) error {
	l, err := reader("EINITTOKEN", b, EINITTOKENSize)
	if err != nil {
		return err
	}
	t.fields(&l)
	return nil
}

// AppendBinary appends the EINITTOKEN to b.
func (t *EINITTOKEN) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, EINITTOKENSize)
	t.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the EINITTOKEN.
func (t *EINITTOKEN) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }
