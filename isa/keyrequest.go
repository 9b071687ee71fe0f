package isa

// KEYREQUESTSize is the size of a KEYREQUEST; the operand is aligned alike.
const KEYREQUESTSize = 512

// KeyName says which key EGETKEY shall derive.
type KeyName uint16

// Values of KEYREQUEST.KEYNAME.
const (
	KEYNAME_EINITTOKEN     KeyName = 0
	KEYNAME_PROVISION      KeyName = 1
	KEYNAME_PROVISION_SEAL KeyName = 2
	KEYNAME_REPORT         KeyName = 3
	KEYNAME_SEAL           KeyName = 4
)

// Bits of KEYREQUEST.KEYPOLICY. Those in KEYPOLICY_KSS need ATTR_KSS.
const (
	KEYPOLICY_MRENCLAVE    uint16 = 1 << 0
	KEYPOLICY_MRSIGNER     uint16 = 1 << 1
	KEYPOLICY_NOISVPRODID  uint16 = 1 << 2
	KEYPOLICY_CONFIGID     uint16 = 1 << 3
	KEYPOLICY_ISVFAMILYID  uint16 = 1 << 4
	KEYPOLICY_ISVEXTPRODID uint16 = 1 << 5

	KEYPOLICY_KSS      = KEYPOLICY_NOISVPRODID | KEYPOLICY_CONFIGID | KEYPOLICY_ISVFAMILYID | KEYPOLICY_ISVEXTPRODID
	KEYPOLICY_RESERVED = ^(KEYPOLICY_MRENCLAVE | KEYPOLICY_MRSIGNER | KEYPOLICY_KSS)
)

// KEYREQUEST is the operand of EGETKEY (SDM vol. 3D, "KEYREQUEST").
type KEYREQUEST struct {
	KEYNAME             KeyName
	KEYPOLICY           uint16
	ISVSVN              uint16
	CET_ATTRIBUTES_MASK uint8
	CPUSVN              [16]byte
	ATTRIBUTEMASK       ATTRIBUTES
	KEYID               [32]byte
	MISCMASK            uint32
	CONFIGSVN           uint16

	reservedSet bool
}

func (k *KEYREQUEST) fields(l *layout) {
	l.u16((*uint16)(&k.KEYNAME))
	l.u16(&k.KEYPOLICY)
	l.u16(&k.ISVSVN)
	l.u8(&k.CET_ATTRIBUTES_MASK)
	l.reserved(1, &k.reservedSet)
	l.bytes(k.CPUSVN[:])
	l.attributes(&k.ATTRIBUTEMASK)
	l.bytes(k.KEYID[:])
	l.u32(&k.MISCMASK)
	l.u16(&k.CONFIGSVN)
	l.reserved(434, &k.reservedSet)
}

// ReservedZero reports whether KEYPOLICY[15:6] is zero and the bytes the
// KEYREQUEST was read from had nothing set in the reserved areas. Without CET
// its field is reserved too.
func (k *KEYREQUEST) ReservedZero() bool {
	return !k.reservedSet && k.CET_ATTRIBUTES_MASK == 0 && k.KEYPOLICY&KEYPOLICY_RESERVED == 0
}

// UnmarshalBinary reads a KEYREQUEST from the first KEYREQUESTSize bytes of b.
func (k *KEYREQUEST) UnmarshalBinary(b []byte) error {
	l, err := reader("KEYREQUEST", b, KEYREQUESTSize)
	if err != nil {
		return err
	}
	*k = KEYREQUEST{}
	k.fields(&l)
	return nil
}

// AppendBinary appends the KEYREQUEST to b, with zeros in the reserved areas.
func (k *KEYREQUEST) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, KEYREQUESTSize)
	k.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of the KEYREQUEST.
func (k *KEYREQUEST) MarshalBinary() ([]byte, error) { return k.AppendBinary(nil) }
