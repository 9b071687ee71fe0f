package insn

import (
	"os"
	"path/filepath"
	"testing"
)

const slot = 16

func TestSweep(t *testing.T) {
	var all []byte
	add := func(b ...byte) {
		for len(b) < slot {
			b = append(b, 0x90)
		}
		all = append(all, b...)
	}
	tails := func(head []byte, regs []byte, disp byte) {
		for _, r := range regs {
			add(append(head[:len(head):len(head)], 0x44|r<<3, 0x48, disp)...)
			add(append(head[:len(head):len(head)], 0xC1|r<<3)...)
		}
	}
	allRegs := []byte{0, 1, 2, 3, 4, 5, 6, 7}
	for _, m := range [][]byte{{}, {0x0F}, {0x0F, 0x38}, {0x0F, 0x3A}} {
		for op := range 256 {
			for _, p := range [][]byte{{}, {0x66}, {0xF2}, {0xF3}, {0x48}, {0x66, 0x48}, {0xF2, 0x48}, {0xF3, 0x48}} {
				h := append(append(append([]byte{}, p...), m...), byte(op))
				tails(h, allRegs, 0x10)
			}
		}
	}
	for m := byte(1); m <= 3; m++ {
		for op := range 256 {
			for w := byte(0); w < 2; w++ {
				for lpp := byte(0); lpp < 8; lpp++ {
					for _, v := range []byte{0x78, 0x58} {
						tails([]byte{0xC4, 0xE0 | m, w<<7 | v | lpp, byte(op)}, []byte{0, 1, 2, 3}, 0x10)
					}
				}
			}
		}
	}
	for _, m := range []byte{1, 2, 3, 5, 6} {
		for op := range 256 {
			for wpp := byte(0); wpp < 8; wpp++ {
				for lb := byte(0); lb < 8; lb++ {
					for _, v := range []byte{0x78, 0x58} {
						for _, a := range []byte{0, 1} {
							tails([]byte{0x62, 0xF0 | m, wpp>>2<<7 | v | 4 | wpp&3, lb<<4 | 8 | a, byte(op)}, []byte{1, 2}, 1)
						}
					}
				}
			}
		}
	}
	name := filepath.Join(t.TempDir(), "sweep")
	os.WriteFile(name, all, 0o600)
	os.WriteFile("/tmp/sweep.bin", all, 0o600)
	n := 0
	objdump(t, func(l listing) {
		if l.addr%slot != 0 {
			return
		}
		n++
		compare(t, l, all[l.addr:l.addr+slot])
	}, "-D", "-b", "binary", "-m", "i386:x86-64", name)
	t.Log(n)
}

func compare(t *testing.T, l listing, code []byte) {
	e, err := Decode(code)
	if l.undefined() {
		if err == nil {
			t.Logf("LENIENT %x: %+v, objdump %q", code, e.Len, l.text)
		}
		return
	}
	if err != nil {
		t.Logf("STRICT %x, objdump %q", code, l.text)
		return
	}
	if e.Len != len(l.code) {
		t.Logf("LEN %x: %d, objdump %d %q", code, e.Len, len(l.code), l.text)
	}
}
