package isa

import (
	"bytes"
	"testing"
)

func wellFormed() *SIGSTRUCT {
	return &SIGSTRUCT{HEADER: SIGSTRUCT_HEADER, HEADER2: SIGSTRUCT_HEADER2, EXPONENT: SIGSTRUCT_EXPONENT}
}

func TestWellFormed(t *testing.T) {
	rows := []struct {
		name   string
		change func(*SIGSTRUCT)
		want   bool
	}{
		{"isa 119 valid", func(*SIGSTRUCT) {}, true},
		{"isa 125 HEADER byte flipped", func(s *SIGSTRUCT) { s.HEADER[3] ^= 1 }, false},
		{"isa 126 HEADER2 byte flipped", func(s *SIGSTRUCT) { s.HEADER2[15] ^= 1 }, false},
		{"isa 127 VENDOR 1", func(s *SIGSTRUCT) { s.VENDOR = 1 }, false},
		{"isa 128 VENDOR 8086H", func(s *SIGSTRUCT) { s.VENDOR = 0x8086 }, true},
		{"isa 129 DATE 070A07E3H", func(s *SIGSTRUCT) { s.DATE = 0x070A07E3 }, true},
		{"isa 130 EXPONENT 65537", func(s *SIGSTRUCT) { s.EXPONENT = 65537 }, false},
		{"isa 131 byte 50", func(s *SIGSTRUCT) { s.Reserved44[50-44] = 1 }, false},
		{"isa 132 byte 1000", func(s *SIGSTRUCT) { s.Reserved992[1000-992] = 1 }, false},
		{"isa 133 byte 1030", func(s *SIGSTRUCT) { s.Reserved1028[1030-1028] = 1 }, false},
		{"isa 134 SWDEFINED", func(s *SIGSTRUCT) { s.SWDEFINED = 1 }, true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := wellFormed()
			r.change(s)
			if got := s.WellFormed(); got != r.want {
				t.Errorf("WellFormed = %v", got)
			}
		})
	}
}

func TestSIGSTRUCTConstants(t *testing.T) {
	b, err := wellFormed().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if want := "\x06\x00\x00\x00\xE1\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00"; string(b[0:16]) != want {
		t.Errorf("isa 1.10 HEADER %x", b[0:16])
	}
	if want := "\x01\x01\x00\x00\x60\x00\x00\x00\x60\x00\x00\x00\x01\x00\x00\x00"; string(b[24:40]) != want {
		t.Errorf("isa 1.10 HEADER2 %x", b[24:40])
	}
}

func TestSignedMessage(t *testing.T) {
	b := make([]byte, SIGSTRUCTSize)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	var s SIGSTRUCT
	if err := s.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	want := append(bytes.Clone(b[:128]), b[900:1028]...)
	if got := s.SignedMessage(); len(got) != 256 || !bytes.Equal(got, want) {
		t.Errorf("isa 1.10 signed message\n%x\n%x", got, want)
	}
}
