package isa

// TCSSize is the size of a TCS.
const TCSSize = 4096

// Values of TCS.STATE.
const (
	TCS_INACTIVE uint64 = 0
	TCS_ACTIVE   uint64 = 1
)

// Bits of TCS.FLAGS. The others are reserved; EENTER and ERESUME check them.
const (
	TCS_DBGOPTIN  uint64 = 1 << 0
	TCS_AEXNOTIFY uint64 = 1 << 1
)

// Offsets in a TCS of the fields that leaves write one by one.
const (
	TCSOffsetSTATE = 0
	TCSOffsetFLAGS = 8
	TCSOffsetOSSA  = 16
	TCSOffsetCSSA  = 24
	TCSOffsetAEP   = 40

	// TCSReservedOffset is where the area begins that must be zero without CET.
	TCSReservedOffset = 72
)

// TCS is the thread control structure (SDM vol. 3D, "Thread Control
// Structure"). OCETSSA and PREVSSP count as reserved: there is no CET here.
type TCS struct {
	STATE   uint64
	FLAGS   uint64
	OSSA    uint64 // offset from BASEADDR
	CSSA    uint32
	NSSA    uint32
	OENTRY  uint64 // offset from BASEADDR
	AEP     uint64
	OFSBASE uint64
	OGSBASE uint64
	FSLIMIT uint32
	GSLIMIT uint32

	reservedSet bool
}

func (t *TCS) fields(l *layout) {
	l.u64(&t.STATE)
	l.u64(&t.FLAGS)
	l.u64(&t.OSSA)
	l.u32(&t.CSSA)
	l.u32(&t.NSSA)
	l.u64(&t.OENTRY)
	l.u64(&t.AEP)
	l.u64(&t.OFSBASE)
	l.u64(&t.OGSBASE)
	l.u32(&t.FSLIMIT)
	l.u32(&t.GSLIMIT)
	l.reserved(TCSSize-TCSReservedOffset, &t.reservedSet)
}

// ReservedZero reports whether the bytes the TCS was read from had nothing set
// at TCSReservedOffset and above.
func (t *TCS) ReservedZero() bool { return !t.reservedSet }

// UnmarshalBinary reads a TCS from the first TCSSize bytes of b.
func (t *TCS) UnmarshalBinary(b []byte) error {
	l, err := reader("TCS", b, TCSSize)
	if err != nil {
		return err
	}
	*t = TCS{}
	t.fields(&l)
	return nil
}

// AppendBinary appends the TCS to b, with zeros in the reserved area.
func (t *TCS) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, TCSSize)
	t.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the TCS.
func (t *TCS) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }
