package sgxcrypto

import (
	"encoding/binary"

	"softsgx/isa"
)

// keyDependenciesSize is the size of the bytes that a key is derived from.
const keyDependenciesSize = 672

// KeyDependencies is what a key depends on (SDM vol. 3D, "EGETKEY",
// KEYDEPENDENCIES). A key that does not depend on a field leaves it zero.
// PADDING is not a field: every key depends on the same value, Padding.
type KeyDependencies struct {
	KEYNAME             isa.KeyName
	KEYPOLICY           uint16
	ISVSVN              uint16
	ISVPRODID           uint16
	CONFIGSVN           uint16
	CET_ATTRIBUTES      uint8
	CET_ATTRIBUTES_MASK uint8
	MISCSELECT          uint32
	MISCMASK            uint32 // already inverted: ~KEYREQUEST.MISCMASK
	OWNEREPOCH          [16]byte
	ATTRIBUTES          isa.ATTRIBUTES
	ATTRIBUTESMASK      isa.ATTRIBUTES
	CPUSVN              [16]byte
	ISVFAMILYID         [16]byte
	ISVEXTPRODID        [16]byte
	MRENCLAVE           [32]byte
	MRSIGNER            [32]byte
	KEYID               [32]byte
	SEAL_FUSES          [16]byte
	CONFIGID            [64]byte
}

// bytes lays the dependencies out for the derivation. The manual gives no
// layout; this one is the model's.
func (d *KeyDependencies) bytes() *[keyDependenciesSize]byte {
	b := new([keyDependenciesSize]byte)
	d.putNumbers(b[:32])
	copy(b[32:], d.OWNEREPOCH[:])
	putAttributes(b[48:], d.ATTRIBUTES)
	putAttributes(b[64:], d.ATTRIBUTESMASK)
	copy(b[80:], d.CPUSVN[:])
	copy(b[96:], d.ISVFAMILYID[:])
	copy(b[112:], d.ISVEXTPRODID[:])
	copy(b[128:], d.MRENCLAVE[:])
	copy(b[160:], d.MRSIGNER[:])
	copy(b[192:], d.KEYID[:])
	copy(b[224:], d.SEAL_FUSES[:])
	copy(b[256:], d.CONFIGID[:])
	copy(b[320:], Padding[:])
	return b
}

func (d *KeyDependencies) putNumbers(b []byte) {
	le := binary.LittleEndian
	le.PutUint16(b[0:], uint16(d.KEYNAME))
	le.PutUint16(b[2:], d.KEYPOLICY)
	le.PutUint16(b[4:], d.ISVSVN)
	le.PutUint16(b[6:], d.ISVPRODID)
	le.PutUint16(b[8:], d.CONFIGSVN)
	b[10], b[11] = d.CET_ATTRIBUTES, d.CET_ATTRIBUTES_MASK
	le.PutUint32(b[12:], d.MISCSELECT)
	le.PutUint32(b[16:], d.MISCMASK)
}

func putAttributes(b []byte, a isa.ATTRIBUTES) {
	binary.LittleEndian.PutUint64(b[0:], a.Flags)
	binary.LittleEndian.PutUint64(b[8:], a.XFRM)
}
