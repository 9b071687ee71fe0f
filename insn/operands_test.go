package insn

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// operandRow is an instruction as GNU as 2.40 assembled it, and its memory.
type operandRow struct {
	asm, code, want string
}

// regNames are the 64-bit registers by Reg.
var regNames = [16]string{
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
}

// String writes an operand as "RW8 [rax+rcx*2+0x10]".
func (m MemRef) String() string {
	var b strings.Builder
	if m.Read {
		b.WriteByte('R')
	}
	if m.Write {
		b.WriteByte('W')
	}
	fmt.Fprintf(&b, "%d [%s]", m.Size, m.place())
	return b.String()
}

func (m MemRef) place() string {
	if m.Scattered {
		return "scattered"
	}
	var terms []string
	if m.RIPRel {
		terms = append(terms, "rip")
	}
	if m.Base != None {
		terms = append(terms, regNames[m.Base])
	}
	if m.Index != None {
		terms = append(terms, fmt.Sprintf("%s*%d", regNames[m.Index], m.Scale))
	}
	if m.Byte == RAX {
		terms = append(terms, "al")
	}
	s := strings.Join(terms, "+")
	switch {
	case s == "":
		s = fmt.Sprintf("%#x", uint64(m.Disp))
	case m.Disp != 0:
		s += fmt.Sprintf("%+#x", m.Disp)
	}
	if m.Bit != None {
		s += " bit " + regNames[m.Bit]
	}
	s = [...]string{Flat: "", FS: "fs:", GS: "gs:"}[m.Segment] + s
	if m.Addr32 {
		s = "a32 " + s
	}
	return s
}

func TestOperands(t *testing.T) {
	for _, family := range []struct {
		name string
		rows []operandRow
	}{
		{"one-byte", rowsOneByte}, {"stack", rowsStack}, {"strings", rowsStrings}, {"0F", rowsTwoByte},
		{"SSE", rowsSSE}, {"0F38", rowsMap38}, {"0F3A", rowsMap3A}, {"x87", rowsX87}, {"state", rowsState},
		{"VEX", rowsVEX}, {"BMI", rowsBMI}, {"EVEX", rowsEVEX},
	} {
		for _, r := range family.rows {
			t.Run(family.name+"/"+r.asm, func(t *testing.T) { r.check(t) })
		}
	}
}

func (r operandRow) check(t *testing.T) {
	code := unhex(t, r.code)
	e, err := Decode(append(code, 0xCC, 0xCC))
	if err != nil {
		t.Fatalf("Decode(%x): %v", code, err)
	}
	if e.Len != len(code) {
		t.Errorf("length %d, want %d", e.Len, len(code))
	}
	var got []string
	for _, m := range e.Mem {
		got = append(got, m.String())
	}
	if s := strings.Join(got, ", "); s != r.want {
		t.Errorf("memory %q, want %q", s, r.want)
	}
	for n := range code {
		if _, err := Decode(code[:n]); err != ErrTruncated {
			t.Errorf("first %d bytes: %v, want %v", n, err, ErrTruncated)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
