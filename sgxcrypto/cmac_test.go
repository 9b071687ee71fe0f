package sgxcrypto

import (
	"encoding/hex"
	"testing"
)

func TestCMAC(t *testing.T) {
	key := [16]byte(fromHex(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	msg := fromHex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"+
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	prepared := NewCMACKey(key)
	for _, r := range []struct {
		name string
		size int
		want string
	}{
		{"isa 6.3 empty", 0, "bb1d6929e95937287fa37d129b756746"},
		{"RFC 4493 one block", 16, "070a16b46b4d4144f79bdd9dd04a287c"},
		{"RFC 4493 40 bytes", 40, "dfa66747de9ae63030ca32611497c827"},
		{"RFC 4493 four blocks", 64, "51f0bebf7e3b9d92fc49741779363cfe"},
	} {
		t.Run(r.name, func(t *testing.T) {
			got := prepared.Sum(msg[:r.size])
			if hex.EncodeToString(got[:]) != r.want {
				t.Errorf("%x, want %s", got, r.want)
			}
			if CMAC(key, msg[:r.size]) != got {
				t.Error("CMAC and the prepared key differ")
			}
		})
	}
}

func TestEqualMAC(t *testing.T) {
	a := [MACSize]byte{15: 1}
	if !EqualMAC(a, a) || EqualMAC(a, [MACSize]byte{}) {
		t.Error("wrong comparison")
	}
}

func BenchmarkReportMAC(b *testing.B) {
	k := NewCMACKey([16]byte{1})
	body := make([]byte, 384)
	b.ReportAllocs()
	for b.Loop() {
		k.Sum(body)
	}
}
