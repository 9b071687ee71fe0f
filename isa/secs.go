package isa

// SECSSize is the size of a SECS.
const SECSSize = 4096

// SECS is the enclave control structure (SDM vol. 3D, "SGX Enclave Control
// Structure"). What hardware keeps in its reserved bytes is not part of it.
type SECS struct {
	SIZE                  uint64
	BASEADDR              LinAddr
	SSAFRAMESIZE          uint32 // in pages
	MISCSELECT            uint32
	CET_LEG_BITMAP_OFFSET uint64
	CET_ATTRIBUTES        uint8
	ATTRIBUTES            ATTRIBUTES
	MRENCLAVE             [32]byte
	MRSIGNER              [32]byte
	CONFIGID              [64]byte
	ISVPRODID             uint16
	ISVSVN                uint16
	CONFIGSVN             uint16

	reservedSet bool
}

func (s *SECS) fields(l *layout) {
	l.u64(&s.SIZE)
	l.u64((*uint64)(&s.BASEADDR))
	l.u32(&s.SSAFRAMESIZE)
	l.u32(&s.MISCSELECT)
	l.u64(&s.CET_LEG_BITMAP_OFFSET)
	l.u8(&s.CET_ATTRIBUTES)
	l.reserved(15, &s.reservedSet)
	l.attributes(&s.ATTRIBUTES)
	l.bytes(s.MRENCLAVE[:])
	l.reserved(32, &s.reservedSet)
	l.bytes(s.MRSIGNER[:])
	l.reserved(32, &s.reservedSet)
	l.bytes(s.CONFIGID[:])
	l.u16(&s.ISVPRODID)
	l.u16(&s.ISVSVN)
	l.u16(&s.CONFIGSVN)
	l.reserved(3834, &s.reservedSet)
}

// ReservedZero reports whether the bytes the SECS was read from had nothing set
// in the reserved areas. Without CET its two fields are reserved too.
func (s *SECS) ReservedZero() bool {
	return !s.reservedSet && s.CET_LEG_BITMAP_OFFSET == 0 && s.CET_ATTRIBUTES == 0
}

// UnmarshalBinary reads a SECS from the first SECSSize bytes of b.
func (s *SECS) UnmarshalBinary(b []byte) error {
	l, err := reader("SECS", b, SECSSize)
	if err != nil {
		return err
	}
	*s = SECS{}
	s.fields(&l)
	return nil
}

// AppendBinary appends the SECS to b, with zeros in the reserved areas.
func (s *SECS) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, SECSSize)
	s.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the SECS.
func (s *SECS) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }
