package insn

import (
	"bufio"
	"encoding/hex"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// listing is one instruction as objdump shows it in Intel syntax.
type listing struct {
	addr uint64
	code []byte
	text string
}

// objdump disassembles and calls f for the instructions whose addresses are
// multiples of align.
func objdump(t *testing.T, align uint64, f func(listing), args ...string) {
	t.Helper()
	path, err := exec.LookPath("objdump")
	if err != nil {
		t.Skipf("no objdump to compare with: %v", err)
	}
	cmd := exec.Command(path, append([]string{"-w", "--insn-width=15", "-M", "intel,intel64"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if l, ok := parseListing(lines.Text(), align); ok {
			f(l)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// parseListing reads "  addr:\tbytes\ttext".
func parseListing(line string, align uint64) (listing, bool) {
	at, rest, ok := strings.Cut(line, ":\t")
	if !ok {
		return listing{}, false
	}
	bytes, text, ok := strings.Cut(rest, "\t")
	if !ok {
		return listing{}, false
	}
	addr, err := strconv.ParseUint(strings.TrimSpace(at), 16, 64)
	if err != nil || addr%align != 0 {
		return listing{}, false
	}
	code, err := hex.DecodeString(strings.ReplaceAll(bytes, " ", ""))
	if err != nil {
		return listing{}, false
	}
	text, _, _ = strings.Cut(text, "#")
	text, _, _ = strings.Cut(text, "<")
	return listing{addr, code, strings.TrimSpace(text)}, true
}

// undefined says whether objdump knows no instruction there or takes prefixes for
// instructions of their own.
func (l listing) undefined() bool {
	return strings.Contains(l.text, "bad") || strings.Contains(l.text, "?") || l.mnemonic() == ""
}

// prefixNames are what objdump puts before the mnemonic.
var prefixNames = regexp.MustCompile(`^((rex(\.[WRXB]*)?|data16|addr32|lock|repz|repnz|rep|bnd|notrack|xacquire|xrelease|cs|ds|es|ss|fs|gs|\{\w+\})( +|$))*`)

// mnemonic is the instruction's name.
func (l listing) mnemonic() string {
	s := l.text[len(prefixNames.FindString(l.text)):]
	name, _, _ := strings.Cut(s, " ")
	return name
}

// operandText is a memory operand taken from a listing.
type operandText struct {
	MemRef
	first bool // it is the first operand: the destination, if anything is
}

var (
	memPattern  = regexp.MustCompile(`(?:(\w+) (?:PTR|BCST) )?(?:([c-gs]s):)?\[([^]]*)\]`)
	absPattern  = regexp.MustCompile(`(?:(\w+) (?:PTR|BCST) )?([c-gs]s):(0x[0-9a-f]+)`)
	termPattern = regexp.MustCompile(`([+-]?)([^+-]+)`)
)

// widths are the sizes that objdump names.
var widths = map[string]uint64{
	"BYTE": 1, "WORD": 2, "DWORD": 4, "FWORD": 6, "QWORD": 8, "MMWORD": 8, "TBYTE": 10,
	"OWORD": 16, "XMMWORD": 16, "YMMWORD": 32, "ZMMWORD": 64,
}

// operand finds the memory operand of a listing.
func (l listing) operand() (operandText, bool) {
	text := l.text[len(prefixNames.FindString(l.text)):]
	o := operandText{MemRef: MemRef{Base: None, Index: None, Scale: 1, Bit: None, Byte: None}}
	at := memPattern.FindStringSubmatchIndex(text)
	if at == nil {
		if at = absPattern.FindStringSubmatchIndex(text); at == nil {
			return o, false
		}
	}
	sum := text[at[6]:at[7]]
	o.Addr32 = strings.Contains(l.text, "addr32 ")
	if at[2] >= 0 {
		o.Size = widths[text[at[2]:at[3]]]
	}
	if at[4] >= 0 {
		o.Segment = map[string]Segment{"fs": FS, "gs": GS}[text[at[4]:at[5]]]
	}
	o.first = !strings.Contains(text[:at[0]], ",")
	for _, term := range termPattern.FindAllStringSubmatch(sum, -1) {
		o.add(term[1] == "-", term[2])
	}
	return o, true
}

// add takes one summand of an address.
func (o *operandText) add(minus bool, term string) {
	if n, err := strconv.ParseUint(term, 0, 64); err == nil {
		o.Disp = int64(n)
		if minus {
			o.Disp = -o.Disp
		}
		return
	}
	name, scale, scaled := strings.Cut(term, "*")
	if name == "rip" || name == "eip" {
		o.RIPRel, o.Addr32 = true, name == "eip"
		return
	}
	if strings.Contains(name, "mm") {
		o.Scattered = true
		return
	}
	r, addr32 := parseReg(name)
	if !scaled {
		o.Base, o.Addr32 = r, addr32
		return
	}
	n, _ := strconv.Atoi(scale)
	o.Index, o.Scale, o.Addr32 = r, uint8(n), addr32
}

// parseReg turns "rax" and "eax" into RAX.
func parseReg(name string) (r Reg, addr32 bool) {
	for i, s := range [16]string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "8", "9", "10", "11", "12", "13", "14", "15"} {
		switch name {
		case "r" + s:
			return Reg(i), false
		case "e" + s, "r" + s + "d":
			return Reg(i), true
		}
	}
	return None, strings.HasPrefix(name, "e") // riz, eiz
}
