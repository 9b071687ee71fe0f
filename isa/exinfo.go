package isa

// EXINFOSize is the size of EXINFO, which lies right below GPRSGX.
const EXINFOSize = 16

// EXINFO tells where and why #PF or #GP came, when MISC_EXINFO is selected
// (SDM vol. 3D, "EXINFO Structure").
type EXINFO struct {
	MADDR      uint64
	ERRCD      uint32
	Reserved12 [4]byte
}

func (e *EXINFO) fields(l *layout) {
	l.u64(&e.MADDR)
	l.u32(&e.ERRCD)
	l.bytes(e.Reserved12[:])
}

// UnmarshalBinary reads EXINFO from the first EXINFOSize bytes of b.
func (e *EXINFO) UnmarshalBinary(b []byte) error {
	l, err := reader("EXINFO", b, EXINFOSize)
	if err != nil {
		return err
	}
	e.fields(&l)
	return nil
}

// AppendBinary appends EXINFO to b.
func (e *EXINFO) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, EXINFOSize)
	e.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of EXINFO.
func (e *EXINFO) MarshalBinary() ([]byte, error) { return e.AppendBinary(nil) }
