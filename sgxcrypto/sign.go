package sgxcrypto

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"

	"softsgx/isa"
)

// SignSIGSTRUCT signs s: it fills in MODULUS, EXPONENT, SIGNATURE, Q1 and Q2 and
// leaves the other fields alone (SDM vol. 3D, "SIGSTRUCT").
func SignSIGSTRUCT(key *rsa.PrivateKey, s *isa.SIGSTRUCT) error {
	if err := checkKey(key); err != nil {
		return err
	}
	digest := sha256.Sum256(s.SignedMessage())
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return fmt.Errorf("sgxcrypto: sign: %w", err)
	}
	signature := new(big.Int).SetBytes(sig)
	c := cube(signature, key.N)
	s.EXPONENT = isa.SIGSTRUCT_EXPONENT
	putLittleEndian(&s.MODULUS, key.N)
	putLittleEndian(&s.SIGNATURE, signature)
	putLittleEndian(&s.Q1, c.q1)
	putLittleEndian(&s.Q2, c.q2)
	return nil
}
