package sgxcrypto

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Labels of what comes from the root secret.
const (
	labelDerive    = "sgx-model/derive/v1"
	labelSealFuses = "sgx-model/seal-fuses/v1"
)

// RootKey derives all keys of one simulated platform from its root secret. It
// is safe for concurrent use.
type RootKey struct {
	secret [32]byte
	derive *CMACKey
}

// NewRootKey prepares the derivation from a root secret.
func NewRootKey(secret [32]byte) *RootKey {
	r := &RootKey{secret: secret}
	r.derive = NewCMACKey(r.labelled(labelDerive))
	return r
}

// SealFuses returns SEAL_FUSES, the secret that differs from processor to
// processor.
func (r *RootKey) SealFuses() [16]byte { return r.labelled(labelSealFuses) }

// DeriveKey stands for derivekey() of SDM vol. 3D, "EGETKEY", which is not public.
func (r *RootKey) DeriveKey(d *KeyDependencies) [MACSize]byte {
	b := d.bytes()
	return r.derive.Sum(b[:])
}

func (r *RootKey) labelled(label string) [16]byte {
	h := hmac.New(sha256.New, r.secret[:])
	h.Write([]byte(label))
	return [16]byte(h.Sum(nil)[:16])
}
