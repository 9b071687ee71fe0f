package sgxcrypto

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"sync"
	"testing"

	"softsgx/isa"
)

// testKey is one key for all tests: making one takes a while.
var testKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return GenerateKey(rand.Reader) })

func signingKey(tb testing.TB) *rsa.PrivateKey {
	tb.Helper()
	key, err := testKey()
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func signed(tb testing.TB) *isa.SIGSTRUCT {
	tb.Helper()
	s := &isa.SIGSTRUCT{
		HEADER: isa.SIGSTRUCT_HEADER, HEADER2: isa.SIGSTRUCT_HEADER2, DATE: 0x20240229,
		ATTRIBUTES: isa.ATTRIBUTES{Flags: isa.ATTR_MODE64BIT, XFRM: 3}, ENCLAVEHASH: repeated(0x5A), ISVSVN: 4,
	}
	if err := SignSIGSTRUCT(signingKey(tb), s); err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestPadding(t *testing.T) {
	t.Run("isa 5.3", func(t *testing.T) {
		digest := sha256.Sum256(Padding[:])
		if hex.EncodeToString(digest[:]) != "20bdc397af0aec772b02e5aced6c7074b7c0735dccfa822f9d9869e5aa543bb6" {
			t.Errorf("%x", Padding)
		}
	})
}

func TestVerifySIGSTRUCT(t *testing.T) {
	rows := []struct {
		name   string
		change func(*isa.SIGSTRUCT)
		good   bool
	}{
		{"isa 119 as signed", func(*isa.SIGSTRUCT) {}, true},
		{"isa 135 signature byte flipped", func(s *isa.SIGSTRUCT) { s.SIGNATURE[100] ^= 1 }, false},
		{"isa 136 Q1 byte flipped", func(s *isa.SIGSTRUCT) { s.Q1[0] ^= 1 }, false},
		{"isa 137 Q2 byte flipped", func(s *isa.SIGSTRUCT) { s.Q2[383] ^= 1 }, false},
		{"isa 138 modulus byte flipped", func(s *isa.SIGSTRUCT) { s.MODULUS[7] ^= 2 }, false},
		{"isa 5.3 modulus zero", func(s *isa.SIGSTRUCT) { s.MODULUS = [isa.KeySize]byte{} }, false},
		{"isa 5.3 modulus one", func(s *isa.SIGSTRUCT) { s.MODULUS = [isa.KeySize]byte{1} }, false},
		{"isa 5.3 all zero", func(s *isa.SIGSTRUCT) { *s = isa.SIGSTRUCT{} }, false},
		{"isa 5.3 signature not below modulus", func(s *isa.SIGSTRUCT) { s.SIGNATURE = s.MODULUS }, false},
		{"isa 5.3 signature one", func(s *isa.SIGSTRUCT) {
			s.SIGNATURE, s.Q1, s.Q2 = [isa.KeySize]byte{1}, [isa.KeySize]byte{}, [isa.KeySize]byte{}
		}, false},
		{"isa 1.10 signed byte 0", func(s *isa.SIGSTRUCT) { s.HEADER[0] ^= 1 }, false},
		{"isa 1.10 signed byte 127", func(s *isa.SIGSTRUCT) { s.Reserved44[83] ^= 1 }, false},
		{"isa 1.10 signed byte 900", func(s *isa.SIGSTRUCT) { s.MISCSELECT ^= 1 }, false},
		{"isa 1.10 signed byte 1027", func(s *isa.SIGSTRUCT) { s.ISVSVN ^= 1 << 15 }, false},
		{"isa 1.10 unsigned byte 1028", func(s *isa.SIGSTRUCT) { s.Reserved1028[0] ^= 1 }, true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := signed(t)
			r.change(s)
			err := VerifySIGSTRUCT(s)
			if r.good != (err == nil) {
				t.Errorf("error %v", err)
			}
			if err != nil && !errors.Is(err, isa.SGX_INVALID_SIGNATURE) {
				t.Errorf("%v is not SGX_INVALID_SIGNATURE", err)
			}
		})
	}
}

func TestSignedSWDEFINED(t *testing.T) {
	t.Run("isa 134", func(t *testing.T) {
		s := signed(t)
		s.SWDEFINED = 0xDEADBEEF
		if err := SignSIGSTRUCT(signingKey(t), s); err != nil {
			t.Fatal(err)
		}
		if err := VerifySIGSTRUCT(s); err != nil {
			t.Error(err)
		}
	})
}

// TestQuotients checks Q1 and Q2 by the other definition in the manual.
func TestQuotients(t *testing.T) {
	t.Run("isa 5.3 definition", func(t *testing.T) {
		s := signed(t)
		n, sig, q1 := littleEndian(&s.MODULUS), littleEndian(&s.SIGNATURE), littleEndian(&s.Q1)
		square := new(big.Int).Mul(sig, sig)
		if want := new(big.Int).Div(square, n); q1.Cmp(want) != 0 {
			t.Error("q1 is not floor(s^2/n)")
		}
		rest := new(big.Int).Mul(square, sig)
		rest.Sub(rest, new(big.Int).Mul(new(big.Int).Mul(q1, sig), n))
		if want := rest.Div(rest, n); littleEndian(&s.Q2).Cmp(want) != 0 {
			t.Error("q2 is not floor((s^3 - q1*s*n)/n)")
		}
	})
}

func TestMRSIGNER(t *testing.T) {
	t.Run("isa 117", func(t *testing.T) {
		s := signed(t)
		stored := signingKey(t).N.FillBytes(make([]byte, isa.KeySize))
		slices.Reverse(stored)
		if got := MRSIGNER(&s.MODULUS); got != sha256.Sum256(stored) {
			t.Errorf("%x", got)
		}
	})
}

// FuzzVerifySIGSTRUCT looks for forgeries and panics.
func FuzzVerifySIGSTRUCT(f *testing.F) {
	good := signed(f)
	b, err := good.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(make([]byte, isa.SIGSTRUCTSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s isa.SIGSTRUCT
		if s.UnmarshalBinary(b) != nil || VerifySIGSTRUCT(&s) != nil {
			return
		}
		if s.MODULUS == good.MODULUS && string(s.SignedMessage()) != string(good.SignedMessage()) {
			t.Error("a signature nobody made")
		}
	})
}

func BenchmarkVerifySIGSTRUCT(b *testing.B) {
	s := signed(b)
	for b.Loop() {
		if err := VerifySIGSTRUCT(s); err != nil {
			b.Fatal(err)
		}
	}
}
