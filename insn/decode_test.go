package insn

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

func TestUndefined(t *testing.T) {
	for _, r := range []struct{ name, code string }{
		{"PUSH ES", "06"}, {"DAA", "27"}, {"PUSHA", "60"}, {"group 1 alias 82", "82c001"}, {"CALLF ptr", "9a00000000000000"},
		{"INTO", "ce"}, {"AAM", "d40a"}, {"SALC", "d6"}, {"JMPF ptr", "ea00000000000000"},
		{"POP with reg 1", "8fc8"}, {"XOP", "8fe978c2c1"}, {"MOV to CS", "8ec8"}, {"LEA of a register", "8dc0"},
		{"FF /7", "fff8"}, {"FE /2", "fed0"}, {"C7 /1", "c7c800000000"}, {"D9 /1 memory", "d908"}, {"DB E6", "dbe6"},
		{"LOCK MOV", "f08908"}, {"LOCK ADD to a register", "f001c8"}, {"LOCK ADD from memory", "f00308"},
		{"LOCK SHL", "f0d120"}, {"LOCK CMP", "f03908"}, {"LOCK BT", "f00fba2001"},
		{"0F 04", "0f04"}, {"3DNow!", "0f0fc09e"}, {"0F 24", "0f24c0"}, {"0F 01 D2", "0f01d2"}, {"0F 01 EB", "0f01eb"},
		{"UNPCKLPS with F3", "f30f14c1"}, {"HADDPS without a prefix", "0f7cc1"}, {"CMPXCHG8B of a register", "0fc7c8"},
		{"MOVNTDQ of a register", "660fe7c0"}, {"MOVDIR64B of a register", "660f38f8c0"},
		{"VEX after 66", "66c5f877"}, {"VEX after REX", "48c5f877"}, {"VEX after LOCK", "f0c5f877"}, {"VEX map 0", "c4e07890c0"},
		{"VEX map 4", "c4e47890c0"}, {"VADDPS with a prefix of MMX", "c5f8fcc1"}, {"FMA4", "c4e3796ac1"},
		{"EVEX with a reserved bit", "62f97c4858c1"}, {"EVEX map 4", "62f47c4858c1"}, {"EVEX map 7", "62f77c4858c1"},
		{"EVEX of 1024 bits", "62f17c68580f"},
	} {
		t.Run(r.name, func(t *testing.T) {
			code := append(unhex(t, r.code), make([]byte, MaxLen)...)
			if e, err := Decode(code); !errors.Is(err, ErrUndefined) {
				t.Errorf("Decode(%s) = %+v, %v, want %v", r.code, e, err, ErrUndefined)
			}
			if n, ok := Len(code); n != 0 || ok {
				t.Errorf("Len(%s) = %d, %v", r.code, n, ok)
			}
		})
	}
}

func TestLen(t *testing.T) {
	for _, r := range []struct {
		name, code string
		want       int
	}{
		{"one byte", "90", 1},
		{"REX before another prefix has no effect", "48 66 b8 3412", 5},
		{"REX.W beats 66", "66 48 81 c0 78563412", 8},
		{"imm16 with 66", "66 81 c0 3412", 5},
		{"imm64", "48 b8 8877665544332211", 10},
		{"imm32 in 64 bits", "48 c7 c0 78563412", 7},
		{"moffs32 with 67", "67 a1 78563412", 6},
		{"TEST has an immediate, NOT has none", "f6 c0 01", 3},
		{"NOT", "f6 d0", 2},
		{"SIB without base", "8b 04 25 78563412", 7},
		{"SIB with R13 needs no displacement of 32 bits", "43 8b 44 25 00", 5},
		{"RIP with R13 in r/m", "41 8b 05 78563412", 7},
		{"near branches keep rel32 after 66", "66 e9 78563412", 6},
		{"MOV CR0 ignores mod", "0f 20 00", 3},
		{"ENTER", "c8 1000 01", 4},
		{"ENCLU", "0f 01 d7", 3},
		{"EVEX disp8", "62 f1 7c 48 58 47 01", 7},
		{"segment prefix before VEX", "64 c5 fc 58 07", 5},
		{"fifteen bytes", "66666666666666 66666666666666 90", 15},
		{"fifteen bytes with an immediate", "66666666666666 81 80 78563412 cdab", 15},
	} {
		t.Run(r.name, func(t *testing.T) {
			code := unhex(t, r.code)
			if n, ok := Len(append(code, 0x90)); n != r.want || !ok {
				t.Errorf("Len(%x) = %d, %v, want %d", code, n, ok, r.want)
			}
		})
	}
}

// TestLengthLimit checks that instructions of sixteen bytes are undefined (SDM
// vol. 3A, "Interrupt 13": the limit is 15), and that the limit is not taken for
// the end of the code.
func TestLengthLimit(t *testing.T) {
	for _, instruction := range [][]byte{{0x90}, {0x0F, 0xA2}, {0xB8, 1, 2, 3, 4}, {0x8B, 0x80, 1, 2, 3, 4}} {
		for total := len(instruction); total < 20; total++ {
			code := append(bytes.Repeat([]byte{0x2E}, total-len(instruction)), instruction...)
			n, ok := Len(code)
			if want := total <= MaxLen; ok != want || ok && n != total {
				t.Errorf("Len(%x) = %d, %v", code, n, ok)
			}
		}
	}
	if _, err := Decode(bytes.Repeat([]byte{0x66}, 14)); err != ErrTruncated {
		t.Errorf("fourteen prefixes: %v", err)
	}
	if _, err := Decode(bytes.Repeat([]byte{0x66}, 15)); err != ErrUndefined {
		t.Errorf("fifteen prefixes: %v", err)
	}
}

// FuzzDecode checks that the bytes after an instruction do not count, that the
// bytes of it all do, and that Len and Decode agree.
func FuzzDecode(f *testing.F) {
	for _, rows := range [][]operandRow{rowsOneByte, rowsStack, rowsTwoByte, rowsX87, rowsVEX, rowsEVEX} {
		for _, r := range rows {
			code, err := hex.DecodeString(r.code)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(code, uint64(page))
		}
	}
	f.Fuzz(func(t *testing.T, code []byte, addr uint64) {
		e, err := Decode(code)
		n, ok := Len(code)
		if ok != (err == nil) || n != e.Len {
			t.Fatalf("Len = %d, %v; Decode = %+v, %v", n, ok, e, err)
		}
		write, touched := AccessAt(code, atRegs(), addr)
		if write && !touched || touched && !ok {
			t.Fatalf("AccessAt = %v, %v of %+v", write, touched, e)
		}
		if !ok {
			if err == ErrTruncated && len(code) >= MaxLen {
				t.Fatalf("%d bytes are not enough", len(code))
			}
			return
		}
		if n < 1 || n > MaxLen || n > len(code) {
			t.Fatalf("length %d of %d bytes", n, len(code))
		}
		if m, ok := Len(code[:n]); m != n || !ok {
			t.Fatalf("alone: %d, %v", m, ok)
		}
		if _, err := Decode(code[:n-1]); err != ErrTruncated {
			t.Fatalf("without its last byte: %v", err)
		}
		for _, m := range e.Mem {
			if m.Size == 0 || !m.Read && !m.Write {
				t.Fatalf("empty operand %+v", m)
			}
		}
	})
}

// benchmarkCode is a mix of common instructions.
var benchmarkCode = [][]byte{
	{0x48, 0x89, 0x5C, 0x24, 0x08},                   // mov [rsp+8], rbx
	{0x48, 0x8B, 0x05, 0x00, 0x10, 0x00, 0x00},       // mov rax, [rip+0x1000]
	{0x0F, 0x84, 0x00, 0x10, 0x00, 0x00},             // je
	{0x66, 0x0F, 0x6F, 0x07},                         // movdqa xmm0, [rdi]
	{0xC5, 0xFC, 0x58, 0x07},                         // vaddps ymm0, ymm0, [rdi]
	{0x62, 0xF1, 0xFE, 0x48, 0x7F, 0x47, 0x01},       // vmovdqu64 [rdi+64], zmm0
	{0xE8, 0x00, 0x10, 0x00, 0x00},                   // call
	{0x48, 0x81, 0xC4, 0x00, 0x01, 0x00, 0x00, 0x90}, // add rsp, 0x100
}

func BenchmarkLen(b *testing.B) {
	b.ReportAllocs()
	for i := range b.N {
		if _, ok := Len(benchmarkCode[i%len(benchmarkCode)]); !ok {
			b.Fatal("not decoded")
		}
	}
}

func BenchmarkAccessAt(b *testing.B) {
	b.ReportAllocs()
	regs := atRegs()
	for i := range b.N {
		AccessAt(benchmarkCode[i%len(benchmarkCode)], regs, page)
	}
}
