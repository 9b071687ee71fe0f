package isa

// Sizes of the structures that go with an evicted page.
const (
	PCMDSize      = 128
	MACHEADERSize = 128
)

// PCMD is what EWB stores beside the ciphertext of a page (SDM vol. 3D, "Paging
// Crypto Metadata").
type PCMD struct {
	SECINFO   SECINFO
	ENCLAVEID uint64 // for software; not authenticated
	RESERVED  [40]byte
	MAC       [16]byte
}

func (p *PCMD) fields(l *layout) {
	p.SECINFO.fields(l)
	l.u64(&p.ENCLAVEID)
	l.bytes(p.RESERVED[:])
	l.bytes(p.MAC[:])
}

// UnmarshalBinary reads a PCMD from the first PCMDSize bytes of b.
func (p *PCMD) UnmarshalBinary(b []byte) error {
	l, err := reader("PCMD", b, PCMDSize)
	if err != nil {
		return err
	}
	p.fields(&l)
	return nil
}

// AppendBinary appends the PCMD to b.
func (p *PCMD) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, PCMDSize)
	p.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the PCMD.
func (p *PCMD) MarshalBinary() ([]byte, error) { return p.AppendBinary(nil) }

// MACHEADER is what EWB and ELDU authenticate along with a page (SDM vol. 3D,
// "EWB"). The manual names the fields only; their order is this model's.
type MACHEADER struct {
	EID     uint64 // 0 for PT_SECS and PT_VA
	LINADDR LinAddr
	SECINFO SECINFO
	RSVD    [40]byte // PCMD.RESERVED
}

// Bytes returns the bytes of the MACHEADER.
func (m *MACHEADER) Bytes() [MACHEADERSize]byte {
	b, l := writer(nil, MACHEADERSize)
	l.u64(&m.EID)
	l.u64((*uint64)(&m.LINADDR))
	m.SECINFO.fields(&l)
	l.bytes(m.RSVD[:])
	return [MACHEADERSize]byte(b)
}
