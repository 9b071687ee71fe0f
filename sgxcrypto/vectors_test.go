package sgxcrypto

import (
	"encoding/hex"
	"testing"
)

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// repeated fills an identity the way the vectors do: 22 x 32.
func repeated(v byte) (b [32]byte) {
	for i := range b {
		b[i] = v
	}
	return b
}

// vectorRoot is the root secret of all vectors: 00 01 .. 1F.
func vectorRoot() (root [32]byte) {
	for i := range root {
		root[i] = byte(i)
	}
	return root
}

const exampleMRENCLAVE = "38e085969dcae1d5a7627486038e23699c5e11a5d97bd84ad288c34f9bd067e6"

func vectorMRENCLAVE(t *testing.T) [32]byte {
	t.Helper()
	return [32]byte(fromHex(t, exampleMRENCLAVE))
}
