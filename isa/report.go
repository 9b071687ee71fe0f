package isa

// Sizes of a REPORT: the whole and the part that its MAC covers. The operand is
// 512-aligned, yet EREPORT writes REPORTSize bytes only.
const (
	REPORTSize     = 432
	REPORTBodySize = 384
	REPORTDATASize = 64
)

// REPORT is what EREPORT tells another enclave (SDM vol. 3D, "REPORT").
type REPORT struct {
	CPUSVN         [16]byte
	MISCSELECT     uint32
	CET_ATTRIBUTES uint8
	ISVEXTPRODID   [16]byte
	ATTRIBUTES     ATTRIBUTES
	MRENCLAVE      [32]byte
	MRSIGNER       [32]byte
	CONFIGID       [64]byte
	ISVPRODID      uint16
	ISVSVN         uint16
	CONFIGSVN      uint16
	ISVFAMILYID    [16]byte
	REPORTDATA     [REPORTDATASize]byte
	KEYID          [32]byte
	MAC            [16]byte

	reservedSet bool
}

func (r *REPORT) fields(l *layout) {
	l.bytes(r.CPUSVN[:])
	l.u32(&r.MISCSELECT)
	l.u8(&r.CET_ATTRIBUTES)
	l.reserved(11, &r.reservedSet)
	l.bytes(r.ISVEXTPRODID[:])
	l.attributes(&r.ATTRIBUTES)
	l.bytes(r.MRENCLAVE[:])
	l.reserved(32, &r.reservedSet)
	l.bytes(r.MRSIGNER[:])
	l.reserved(32, &r.reservedSet)
	l.bytes(r.CONFIGID[:])
	l.u16(&r.ISVPRODID)
	l.u16(&r.ISVSVN)
	l.u16(&r.CONFIGSVN)
	l.reserved(42, &r.reservedSet)
	l.bytes(r.ISVFAMILYID[:])
	l.bytes(r.REPORTDATA[:])
	l.bytes(r.KEYID[:])
	l.bytes(r.MAC[:])
}

// ReservedZero reports whether the bytes the REPORT was read from had nothing
// set in the reserved areas.
func (r *REPORT) ReservedZero() bool { return !r.reservedSet }

// UnmarshalBinary reads a REPORT from the first REPORTSize bytes of b.
func (r *REPORT) UnmarshalBinary(b []byte) error {
	l, err := reader("REPORT", b, REPORTSize)
	if err != nil {
		return err
	}
	*r = REPORT{}
	r.fields(&l)
	return nil
}

// AppendBinary appends the REPORT to b, with zeros in the reserved areas.
func (r *REPORT) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, REPORTSize)
	r.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the REPORT.
func (r *REPORT) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }
