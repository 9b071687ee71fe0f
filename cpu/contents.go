package cpu

import (
	"bytes"

	"softsgx/isa"
)

// contents is where the bytes of an enclave's pages are. isa.Memory has one
// place per linear address. A second valid page at the same address, which the
// architecture allows and no page table can reach, gets bytes of its own.
type contents struct {
	mem   isa.Memory
	base  isa.LinAddr
	taken map[uint64]*[takenPages / 64]uint64 // bitmap of addresses in use, by group
	alias map[isa.EPCAddr]*[isa.PageSize]byte
}

// takenPages is how many pages a group of contents.taken covers.
const takenPages = 4096

var zeroPage [isa.PageSize]byte

func isZero(page []byte) bool { return bytes.Equal(page, zeroPage[:]) }

func (m *contents) bit(lin isa.LinAddr) (word *uint64, mask uint64) {
	n := uint64(lin-m.base) / isa.PageSize
	g := m.taken[n/takenPages]
	if g == nil {
		g = new([takenPages / 64]uint64)
		m.taken[n/takenPages] = g
	}
	n %= takenPages
	return &g[n/64], 1 << (n % 64)
}

// take claims a place for the page p at lin; its bytes are zero.
func (m *contents) take(p isa.EPCAddr, lin isa.LinAddr) {
	word, mask := m.bit(lin)
	if *word&mask == 0 {
		*word |= mask
		return
	}
	if m.alias == nil {
		m.alias = make(map[isa.EPCAddr]*[isa.PageSize]byte)
	}
	m.alias[p] = new([isa.PageSize]byte)
}

// bytes returns the bytes of the page p at lin.
func (m *contents) bytes(p isa.EPCAddr, lin isa.LinAddr) []byte {
	if a := m.alias[p]; a != nil {
		return a[:]
	}
	return m.mem.Page(lin)
}

// fill makes content the bytes of the page p at lin.
func (m *contents) fill(p isa.EPCAddr, lin isa.LinAddr, content []byte) {
	if f, ok := m.mem.(isa.Filler); ok && m.alias[p] == nil {
		f.Fill(lin, content)
		return
	}
	copy(m.bytes(p, lin), content)
}

// drop gives the place of p back. If it is memory's, the caller must call
// Release first, while nobody can take the address.
func (m *contents) drop(p isa.EPCAddr, lin isa.LinAddr) {
	if m.alias[p] != nil {
		delete(m.alias, p)
		return
	}
	word, mask := m.bit(lin)
	*word &^= mask
}

// releases reports whether drop of p must be preceded by Release.
func (m *contents) releases(p isa.EPCAddr) bool { return m.alias[p] == nil }

func newContents(mem isa.Memory, base isa.LinAddr) contents {
	return contents{mem: mem, base: base, taken: make(map[uint64]*[takenPages / 64]uint64)}
}

// bytes returns what the child page p holds, for reading. c.mu is held. Pages
// known to be zero are not touched, and a TCS is what the processor says it is.
func (c *CPU) bytes(p isa.EPCAddr, e *entry) []byte {
	p = p &^ (isa.PageSize - 1)
	if e.is(flagZero) && !e.secs.initialised() {
		return zeroPage[:]
	}
	if t := e.secs.tcs[p]; t != nil && e.pt == isa.PT_TCS {
		b := make([]byte, isa.TCSSize)
		t.store(b)
		return b
	}
	return e.secs.contents.bytes(p, e.addr)
}
