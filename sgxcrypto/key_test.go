package sgxcrypto

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"testing"
)

func TestGenerateKey(t *testing.T) {
	key := signingKey(t)
	if key.E != 3 || key.N.BitLen() != 3072 {
		t.Errorf("exponent %d, %d bits", key.E, key.N.BitLen())
	}
	if err := key.Validate(); err != nil {
		t.Error(err)
	}
}

func TestGenerateKeyWithoutRandomness(t *testing.T) {
	if _, err := GenerateKey(bytes.NewReader(make([]byte, 100))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

func TestSignRefusesOtherKeys(t *testing.T) {
	common, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	s := signed(t)
	before := *s
	if err := SignSIGSTRUCT(common, s); !errors.Is(err, ErrKey) {
		t.Errorf("error %v", err)
	}
	if *s != before {
		t.Error("SIGSTRUCT changed")
	}
}
