package launch

import (
	"encoding/hex"
	"fmt"
)

// Digest is a SHA-256: of a file, of a signer's modulus (MRSIGNER) or of an
// enclave (MRENCLAVE). All zeros means that it is not known.
type Digest [32]byte

// Known reports whether the digest is not all zeros.
func (d Digest) Known() bool { return d != Digest{} }

// String returns 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText is String, and nothing for an unknown digest.
func (d Digest) MarshalText() ([]byte, error) {
	if !d.Known() {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads 64 hexadecimal digits, or nothing.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Digest{}
		return nil
	}
	got, err := ParseDigest(string(b))
	*d = got
	return err
}

// ParseDigest reads 64 hexadecimal digits.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != 2*len(d) {
		return Digest{}, fmt.Errorf("%q has %d characters, a SHA-256 has 64 hexadecimal digits", clip(s), len(s))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, fmt.Errorf("%q is not hexadecimal", clip(s))
	}
	return d, nil
}

// clip shortens text of a file for a message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
