package isa

// TARGETINFOSize is the size of a TARGETINFO; the operand is aligned alike.
const TARGETINFOSize = 512

// TARGETINFO names the enclave that shall be able to verify a REPORT (SDM vol.
// 3D, "TARGETINFO").
type TARGETINFO struct {
	MEASUREMENT    [32]byte // the target's MRENCLAVE
	ATTRIBUTES     ATTRIBUTES
	CET_ATTRIBUTES uint8
	CONFIGSVN      uint16
	MISCSELECT     uint32
	CONFIGID       [64]byte

	reservedSet bool
}

func (t *TARGETINFO) fields(l *layout) {
	l.bytes(t.MEASUREMENT[:])
	l.attributes(&t.ATTRIBUTES)
	l.u8(&t.CET_ATTRIBUTES)
	l.reserved(1, &t.reservedSet)
	l.u16(&t.CONFIGSVN)
	l.u32(&t.MISCSELECT)
	l.reserved(8, &t.reservedSet)
	l.bytes(t.CONFIGID[:])
	l.reserved(384, &t.reservedSet)
}

// ReservedZero reports whether the bytes the TARGETINFO was read from had
// nothing set in the reserved areas. Without CET its field is reserved too.
func (t *TARGETINFO) ReservedZero() bool { return !t.reservedSet && t.CET_ATTRIBUTES == 0 }

// UnmarshalBinary reads a TARGETINFO from the first TARGETINFOSize bytes of b.
func (t *TARGETINFO) UnmarshalBinary(b []byte) error {
	l, err := reader("TARGETINFO", b, TARGETINFOSize)
	if err != nil {
		return err
	}
	*t = TARGETINFO{}
	t.fields(&l)
	return nil
}

// AppendBinary appends the TARGETINFO to b, with zeros in the reserved areas.
func (t *TARGETINFO) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, TARGETINFOSize)
	t.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the TARGETINFO.
func (t *TARGETINFO) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }
