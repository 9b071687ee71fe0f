package insn

import (
	"os"
	"path/filepath"
	"testing"
)

// slotSize is the distance of the instructions in a sweep; the rest of a slot is
// NOPs, so that every slot starts at an instruction boundary.
const slotSize = 16

// sweep is code that takes every opcode through its prefixes.
type sweep []byte

// slot appends an instruction.
func (s *sweep) slot(head []byte, tail ...byte) {
	code := append(append(make([]byte, 0, slotSize), head...), tail...)
	for len(code) < slotSize {
		code = append(code, 0x90)
	}
	*s = append(*s, code...)
}

// forms appends an opcode with a memory operand that has an 8-bit displacement,
// and with a register.
func (s *sweep) forms(reg byte, head ...byte) {
	s.slot(head, 0x44|reg<<3, 0x48, 0x04)
	s.slot(head, 0xC1|reg<<3)
}

// legacy appends the legacy maps.
func (s *sweep) legacy() {
	for _, escape := range []string{"", "\x0F", "\x0F\x38", "\x0F\x3A"} {
		for _, prefix := range []string{"", "\x66", "\xF2", "\xF3", "\x48", "\x66\x48", "\xF3\x48"} {
			for op := range 256 {
				head := append([]byte(prefix+escape), byte(op))
				for reg := range byte(8) {
					s.forms(reg, head...)
				}
			}
		}
	}
}

// vex appends VEX maps 1 to 3 in all W, L and pp, with vvvv unused and used.
func (s *sweep) vex() {
	for opmap := byte(1); opmap <= 3; opmap++ {
		for wLpp := range 16 {
			for op := range 256 {
				for _, vvvv := range []byte{0x78, 0x58} {
					p := byte(wLpp>>3<<7) | vvvv | byte(wLpp&7)
					s.forms(1, 0xC4, 0xE0|opmap, p, byte(op))
					s.forms(2, 0xC4, 0xE0|opmap, p, byte(op))
				}
			}
		}
	}
}

// evex appends the EVEX maps in all W, L', b and pp, with vvvv and the mask
// unused and used.
func (s *sweep) evex() {
	for _, opmap := range []byte{1, 2, 3, 5, 6} {
		for wpp := range 8 {
			for lengthB := range 6 {
				for op := range 256 {
					for _, vvvv := range []byte{0x78, 0x58} {
						p1, p2 := byte(wpp>>2<<7)|vvvv|4|byte(wpp&3), byte(lengthB<<4)|8
						s.forms(2, 0x62, 0xF0|opmap, p1, p2, byte(op))
						s.forms(2, 0x62, 0xF0|opmap, p1, p2|1, byte(op))
					}
				}
			}
		}
	}
}

// TestSweep compares every opcode with objdump, under all its prefixes.
func TestSweep(t *testing.T) {
	for name, fill := range map[string]func(*sweep){
		"legacy": (*sweep).legacy, "VEX": (*sweep).vex, "EVEX": (*sweep).evex,
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "EVEX" {
				t.Skip("half a million instructions, not with -short")
			}
			var s sweep
			fill(&s)
			file := filepath.Join(t.TempDir(), "code")
			if err := os.WriteFile(file, s, 0o600); err != nil {
				t.Fatal(err)
			}
			n := 0
			objdump(t, slotSize, func(l listing) {
				n++
				if diff := l.compare(s[l.addr : l.addr+slotSize]); diff != "" {
					t.Errorf("%x %q: %s", l.code, l.text, diff)
				}
			}, "-D", "-b", "binary", "-m", "i386:x86-64", file)
			t.Logf("%d of %d slots", n, len(s)/slotSize)
		})
	}
}
