package sgxcrypto

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"

	"softsgx/isa"
)

// Padding is the PKCS #1 v1.5 padding of a 3072-bit signature over SHA-256: all
// of the encoded message before the digest (SDM vol. 3D, "EGETKEY",
// HARDCODED_PKCS1_5_PADDING). Every initialised enclave's SECS.PADDING is this.
var Padding = padding()

// PaddingSize is the size of Padding.
const PaddingSize = isa.KeySize - sha256.Size

// digestInfo is the DER prefix of a SHA-256 digest (RFC 8017, section 9.2).
var digestInfo = [...]byte{
	0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
}

func padding() (p [PaddingSize]byte) {
	for i := range p {
		p[i] = 0xFF
	}
	p[0], p[1] = 0, 1
	tail := p[PaddingSize-len(digestInfo)-1:]
	tail[0] = 0
	copy(tail[1:], digestInfo[:])
	return p
}

// MRSIGNER returns the identity of the owner of a modulus, given as SIGSTRUCT
// stores it (SDM vol. 3D, "MRSIGNER").
func MRSIGNER(modulus *[isa.KeySize]byte) [sha256.Size]byte { return sha256.Sum256(modulus[:]) }

// VerifySIGSTRUCT checks the signature as EINIT does, with Q1 and Q2, which must
// be the exact quotients. The error wraps SGX_INVALID_SIGNATURE. It does not
// look at the fields: see SIGSTRUCT.WellFormed.
func VerifySIGSTRUCT(s *isa.SIGSTRUCT) error {
	n, sig := littleEndian(&s.MODULUS), littleEndian(&s.SIGNATURE)
	if sig.Cmp(n) >= 0 {
		return invalidSignature("SIGNATURE is not below MODULUS")
	}
	c := cube(sig, n)
	if c.q1.Cmp(littleEndian(&s.Q1)) != 0 {
		return invalidSignature("Q1 is not the quotient")
	}
	if c.q2.Cmp(littleEndian(&s.Q2)) != 0 {
		return invalidSignature("Q2 is not the quotient")
	}
	if c.rest.Cmp(encodedMessage(s)) != 0 {
		return invalidSignature("SIGNATURE is not over these fields")
	}
	return nil
}

func invalidSignature(why string) error {
	return fmt.Errorf("sgxcrypto: %s: %w", why, isa.SGX_INVALID_SIGNATURE)
}

// cubed is a signature cubed in two steps, the way EINIT does it: s*s = q1*n+r
// and r*s = q2*n+rest.
type cubed struct{ q1, q2, rest *big.Int }

func cube(s, n *big.Int) cubed {
	q1, r := new(big.Int).QuoRem(new(big.Int).Mul(s, s), n, new(big.Int))
	q2, rest := new(big.Int).QuoRem(new(big.Int).Mul(r, s), n, new(big.Int))
	return cubed{q1, q2, rest}
}

// encodedMessage returns EMSA-PKCS1-v1_5 of the signed fields as an integer.
func encodedMessage(s *isa.SIGSTRUCT) *big.Int {
	digest := sha256.Sum256(s.SignedMessage())
	return new(big.Int).SetBytes(slices.Concat(Padding[:], digest[:]))
}

func littleEndian(b *[isa.KeySize]byte) *big.Int {
	v := *b
	slices.Reverse(v[:])
	return new(big.Int).SetBytes(v[:])
}

// putLittleEndian stores v, which must fit.
func putLittleEndian(b *[isa.KeySize]byte, v *big.Int) {
	v.FillBytes(b[:])
	slices.Reverse(b[:])
}
