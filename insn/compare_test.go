package insn

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// readsFirst matches the instructions that only read their first operand.
var readsFirst = regexp.MustCompile(`^(test|cmps?|bt|xlat|push|call|jmp|mul|imul|div|idiv|f(add|sub|subr|mul|div|divr|com|comp|ld|ldcw|ldenvw?|rstorw?)|` +
	`fi(add|sub|subr|mul|div|divr|com|comp|ld)|fbld|fxrstor|xrstors?(64)?|fxrstor64|v?ldmxcsr|ldtilecfg|l[gil]dt|ltr|lmsw|ver[rw]|` +
	`clflush(opt)?|clwb|ptwrite|vmptrld|vmxon|aes(enc|dec)wide\w+)$`)

// untouched matches the instructions that only name memory.
var untouched = regexp.MustCompile(`^(nop[wl]?|lea|prefetch\w*|invlpg|bnd\w+|ud[01]|cldemote|vgatherpf\w+|vscatterpf\w+)$`)

// unknown matches what objdump 2.40 reads and this package rejects: extensions of
// old AMD processors, and instructions whose mandatory prefix objdump does not
// look at.
var unknown = regexp.MustCompile(`^(femms|frstpm|xstore|xcrypt|xsha|montmul|pf\w+|pi2f\w|pmulhrw|pavgusb|pswapd|vpermil2p[sd]|vfn?m(add|sub|addsub|subadd)[sp][sd]|` +
	`mov +(cs|[a-z]+ PTR .*cs)|vzero\w+|pmovmskb|v?(ld|st)mxcsr|fx\w+|vmovntdqa?|vpmov[bwdq]2m|` +
	`vpdpb\w+|vrsqrt14p[sd]|vpsh[lr]dw|vdbpsadbw)\b`)

// refused matches LOCK where it has no place, and prefixes that VEX and EVEX do
// not bear; processors raise #UD.
var refused = regexp.MustCompile(`\block\b|^((data16|repn?z|rex\S*) )+[kv]\w+`)

// compare checks the decoding of code, of which objdump made l. It returns what
// differs.
func (l listing) compare(code []byte) string {
	text := strings.TrimPrefix(l.text, prefixNames.FindString(l.text))
	e, err := Decode(code)
	switch {
	case l.undefined(), l.misread():
		return ""
	case err != nil && (unknown.MatchString(text) || refused.MatchString(l.text)):
		return ""
	case err != nil:
		return err.Error()
	case e.Len != len(l.code):
		return fmt.Sprintf("length %d, objdump has %d", e.Len, len(l.code))
	}
	want, ok := l.operand()
	if !ok || untouched.MatchString(l.mnemonic()) {
		return ""
	}
	want.Write = want.first && !readsFirst.MatchString(l.mnemonic())
	for _, m := range e.Mem {
		if want.matches(m) {
			return ""
		}
	}
	return fmt.Sprintf("operands %v, want %v, write %v", e.Mem, want.MemRef, want.Write)
}

// misread recognises XOP, which has no tables here, bytes that objdump gives up
// on at the end of data, and WAIT, which it joins with an x87 instruction.
func (l listing) misread() bool {
	if at := bytes.IndexByte(l.code, 0x8F); at >= 0 && at+1 < len(l.code) && l.code[at+1]&0x1F >= 8 && strings.HasPrefix(l.mnemonic(), "v") {
		return true
	}
	return l.mnemonic() == ".byte" || bytes.IndexByte(l.code, 0x9B) >= 0 && strings.HasPrefix(l.mnemonic(), "f") && len(l.code) > 1
}

// matches says whether m is the operand that o describes. Sizes count where
// objdump names them; m may be larger where vendors differ.
func (o operandText) matches(m MemRef) bool {
	if m.Scattered && o.Scattered {
		m.Index, m.Scale = None, 1
	} else if m.Scattered { // a tile's stride
		m.Scattered = false
	}
	if m.Write != o.Write || o.Size > m.Size {
		return false
	}
	o.Read, o.Write, o.Size = m.Read, m.Write, m.Size
	m.Bit, m.Byte = None, None
	return o.MemRef == m
}
