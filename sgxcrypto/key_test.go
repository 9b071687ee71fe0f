package sgxcrypto

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
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

func pkcs8(tb testing.TB, key any) []byte {
	tb.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
}

func pkcs1(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

func TestParsePEMKey(t *testing.T) {
	want := signingKey(t)
	for _, r := range []struct {
		name string
		pem  []byte
	}{
		{"PKCS #1", pkcs1(want)},
		{"PKCS #8", pkcs8(t, want)},
		{"text before", append([]byte("a key\n"), pkcs1(want)...)},
	} {
		t.Run(r.name, func(t *testing.T) {
			got, err := ParsePEMKey(r.pem)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(want) {
				t.Error("another key")
			}
		})
	}
}

func TestParsePEMKeyRefuses(t *testing.T) {
	common, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		name   string
		pem    []byte
		notKey bool
	}{
		{"empty", nil, false},
		{"no PEM", []byte("key"), false},
		{"garbage in PKCS #1", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{1}}), false},
		{"garbage in PKCS #8", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), false},
		{"exponent 65537", pkcs1(common), true},
		{"not RSA", pkcs8(t, curve), true},
	} {
		t.Run(r.name, func(t *testing.T) {
			key, err := ParsePEMKey(r.pem)
			if err == nil || key != nil {
				t.Fatalf("key %v, error %v", key != nil, err)
			}
			if errors.Is(err, ErrKey) != r.notKey {
				t.Errorf("error %v", err)
			}
		})
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

func FuzzParsePEMKey(f *testing.F) {
	f.Add(pkcs1(signingKey(f)))
	f.Add(pkcs8(f, signingKey(f)))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		key, err := ParsePEMKey(b)
		if err == nil && checkKey(key) != nil {
			t.Error("accepted a key that cannot sign")
		}
	})
}
