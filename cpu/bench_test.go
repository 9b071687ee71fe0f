package cpu

import (
	"crypto/sha256"
	"testing"

	"softsgx/isa"
)

// measuredPage is how many bytes the measurement of one page hashes: the block
// of EADD, then for each chunk its block and its 256 bytes.
const measuredPage = 64 + 16*(64+256)

// BenchmarkSHA256 is what no EADD can beat.
func BenchmarkSHA256(b *testing.B) {
	h, buf := sha256.New(), make([]byte, measuredPage)
	b.SetBytes(measuredPage)
	for b.Loop() {
		h.Write(buf)
	}
}

// BenchmarkEADD adds and measures a page that is not zero, and removes it.
func BenchmarkEADD(b *testing.B) {
	e := newRig(b, fullConfig()).newEnclave(plan{cold: true})
	p, pi := e.page(), e.pageinfo(offFree, flagsRX, fill(7))
	b.SetBytes(measuredPage)
	for b.Loop() {
		must(b, e.c.EADD(pi, p))
		must(b, e.c.EEXTENDPage(e.secs, p, nil))
		must(b, e.c.EREMOVE(p))
	}
}

// BenchmarkEENTER enters and exits.
func BenchmarkEENTER(b *testing.B) {
	e := newRig(b, fullConfig()).newEnclave(plan{})
	ctx := e.ctx()
	for b.Loop() {
		e.outside(isa.EENTER)
		must(b, e.lp.ENCLU(ctx))
		e.regs.RAX, e.regs.RBX = uint64(isa.EEXIT), outRIP
		must(b, e.lp.ENCLU(ctx))
	}
}
