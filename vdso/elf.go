package vdso

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes of ELF-64 records (System V ABI, "Object Files"; Linux uapi/linux/elf.h).
const (
	ehdrSize = 64
	phdrSize = 56
	shdrSize = 64
	symSize  = 24
	dynSize  = 16
)

// Offsets in the ELF header. The last four halfwords share one 8-byte word, so
// that one patch changes the section count, size and name index together.
const (
	ehdrPhoff  = 32
	ehdrShoff  = 40
	ehdrShWord = 56 // e_phnum, e_shentsize, e_shnum, e_shstrndx
)

// Limits on what a vDSO may contain. Real ones are two orders below; they keep a
// damaged image from costing memory.
const (
	maxImage   = 1 << 20
	maxSymbols = 4096
)

// errTruncated says that a table reaches out of the image.
var errTruncated = errors.New("table reaches out of the image")

// symbol is one entry of the dynamic symbol table with its version.
type symbol struct {
	name    string
	nameOff uint32 // in the string table
	info    byte
	other   byte
	shndx   elf.SectionIndex
	value   uint64
	size    uint64
	version uint16
}

// image is a parsed vDSO.
type image struct {
	bytes []byte
	bias  uint64 // what d_ptr and st_value add to an offset in the image

	dynOff  uint64 // offset of the dynamic section
	dynLen  int    // its entries, terminators and spares included
	dyn     map[elf.DynTag]uint64
	dynSlot map[elf.DynTag]int

	strtab  []byte
	symbols []symbol
	version uint16 // index of LINUX_2.6
	text    span
}

// span is a part of the image by offset.
type span struct{ off, size uint64 }

// slice returns size bytes at off, or errTruncated.
func (m *image) slice(off, size uint64) ([]byte, error) {
	if off > uint64(len(m.bytes)) || size > uint64(len(m.bytes))-off {
		return nil, errTruncated
	}
	return m.bytes[off : off+size], nil
}

// table returns the image from the address that tag holds.
func (m *image) table(tag elf.DynTag) ([]byte, bool) {
	v, ok := m.dyn[tag]
	if !ok {
		return nil, false
	}
	off := v - m.bias
	if off > uint64(len(m.bytes)) {
		return nil, false
	}
	return m.bytes[off:], true
}

// parse reads a vDSO image.
func parse(b []byte) (*image, error) {
	if len(b) > maxImage {
		return nil, fmt.Errorf("image of %d bytes is too large for a vDSO", len(b))
	}
	m := &image{bytes: b}
	for _, step := range []struct {
		name string
		read func() error
	}{
		{"ELF header", m.readHeader},
		{"program headers", m.readSegments},
		{"dynamic section", m.readDynamic},
		{"string table", m.readStrings},
		{"version definitions", m.readVersions},
		{"symbol table", m.readSymbols},
	} {
		if err := step.read(); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	m.readText()
	return m, nil
}

// readHeader checks that the image is a 64-bit x86 shared object.
func (m *image) readHeader() error {
	h, err := m.slice(0, ehdrSize)
	if err != nil {
		return err
	}
	switch {
	case string(h[:4]) != elf.ELFMAG:
		return errors.New("no ELF magic")
	case elf.Class(h[4]) != elf.ELFCLASS64 || elf.Data(h[5]) != elf.ELFDATA2LSB:
		return errors.New("not a little-endian 64-bit image")
	case elf.Machine(binary.LittleEndian.Uint16(h[18:])) != elf.EM_X86_64:
		return errors.New("not an x86-64 image")
	case binary.LittleEndian.Uint16(h[54:]) != phdrSize:
		return errors.New("program headers of unknown size")
	}
	return nil
}

// readSegments finds the load bias, the dynamic section and, for want of a
// section that says it better, the code.
func (m *image) readSegments() error {
	le := binary.LittleEndian
	n := uint64(le.Uint16(m.bytes[ehdrShWord:]))
	table, err := m.slice(le.Uint64(m.bytes[ehdrPhoff:]), n*phdrSize)
	if err != nil {
		return err
	}
	loaded, dynamic := false, false
	for p := table; len(p) > 0; p = p[phdrSize:] {
		off, vaddr, size := le.Uint64(p[8:]), le.Uint64(p[16:]), le.Uint64(p[32:])
		switch elf.ProgType(le.Uint32(p)) {
		case elf.PT_LOAD:
			if loaded {
				continue // the first decides, as in every loader
			}
			loaded = true
			m.bias = vaddr - off
			m.text = span{off, size}
		case elf.PT_DYNAMIC:
			dynamic = true
			m.dynOff, m.dynLen = off, int(min(size, maxImage)/dynSize)
		}
	}
	if !loaded || !dynamic {
		return errors.New("no PT_LOAD or no PT_DYNAMIC")
	}
	return nil
}

// readDynamic reads the dynamic entries up to DT_NULL. Later ones of the same
// tag win, as in loaders that store them in an array.
func (m *image) readDynamic() error {
	if m.dynOff%8 != 0 {
		return errors.New("not aligned to 8 bytes")
	}
	table, err := m.slice(m.dynOff, uint64(m.dynLen)*dynSize)
	if err != nil {
		return err
	}
	m.dyn = make(map[elf.DynTag]uint64)
	m.dynSlot = make(map[elf.DynTag]int)
	for i := 0; i < m.dynLen; i++ {
		tag := elf.DynTag(binary.LittleEndian.Uint64(table[i*dynSize:]))
		m.dynSlot[tag] = i
		if tag == elf.DT_NULL {
			return nil
		}
		m.dyn[tag] = binary.LittleEndian.Uint64(table[i*dynSize+8:])
	}
	return errors.New("no DT_NULL")
}

// readStrings cuts out the string table.
func (m *image) readStrings() error {
	if _, ok := m.dyn[elf.DT_STRTAB]; !ok {
		return errors.New("no DT_STRTAB")
	}
	b, err := m.slice(m.dyn[elf.DT_STRTAB]-m.bias, m.dyn[elf.DT_STRSZ])
	if err != nil {
		return err
	}
	if len(b) == 0 || b[0] != 0 || b[len(b)-1] != 0 {
		return errors.New("does not begin and end with a zero byte")
	}
	m.strtab = b
	return nil
}

// str returns the string at off in the string table.
func (m *image) str(off uint32) (string, error) {
	if uint64(off) >= uint64(len(m.strtab)) {
		return "", fmt.Errorf("string at %#x: %w", off, errTruncated)
	}
	s := m.strtab[off:]
	return string(s[:bytes.IndexByte(s, 0)]), nil
}

// readVersions finds the index of LINUX_2.6, the version of every vDSO function
// on x86-64 (Linux 6.1 arch/x86/entry/vdso/vdso.lds.S).
func (m *image) readVersions() error {
	le := binary.LittleEndian
	def, ok := m.table(elf.DT_VERDEF)
	if !ok {
		return errors.New("no DT_VERDEF")
	}
	for range maxSymbols {
		if len(def) < 20 {
			return errTruncated
		}
		aux := uint64(le.Uint32(def[12:]))
		if aux > uint64(len(def)) || uint64(len(def))-aux < 8 {
			return errTruncated
		}
		name, err := m.str(le.Uint32(def[aux:]))
		if err != nil {
			return err
		}
		if name == linuxVersion {
			m.version = le.Uint16(def[4:])
			return nil
		}
		next := uint64(le.Uint32(def[16:]))
		if next == 0 {
			break
		}
		if next > uint64(len(def)) {
			return errTruncated
		}
		def = def[next:]
	}
	return errors.New("no version " + linuxVersion)
}

// readSymbols reads the dynamic symbols and their versions.
func (m *image) readSymbols() error {
	le := binary.LittleEndian
	n, err := m.symbolCount()
	if err != nil {
		return err
	}
	table, ok := m.table(elf.DT_SYMTAB)
	if !ok || len(table) < n*symSize {
		return fmt.Errorf("DT_SYMTAB of %d entries: %w", n, errTruncated)
	}
	versions, ok := m.table(elf.DT_VERSYM)
	if !ok || len(versions) < n*2 {
		return fmt.Errorf("DT_VERSYM of %d entries: %w", n, errTruncated)
	}
	for i := range n {
		e := table[i*symSize:]
		s := symbol{
			nameOff: le.Uint32(e),
			info:    e[4],
			other:   e[5],
			shndx:   elf.SectionIndex(le.Uint16(e[6:])),
			value:   le.Uint64(e[8:]),
			size:    le.Uint64(e[16:]),
			version: le.Uint16(versions[i*2:]),
		}
		if s.name, err = m.str(s.nameOff); err != nil {
			return fmt.Errorf("symbol %d: %w", i, err)
		}
		m.symbols = append(m.symbols, s)
	}
	return nil
}

// symbolCount learns the number of symbols from a hash table: the dynamic
// section has no field for it.
func (m *image) symbolCount() (int, error) {
	le := binary.LittleEndian
	n := 0
	if h, ok := m.table(elf.DT_HASH); ok && len(h) >= 8 {
		n = int(le.Uint32(h[4:]))
	} else if h, ok := m.table(elf.DT_GNU_HASH); ok {
		var err error
		if n, err = gnuHashCount(h); err != nil {
			return 0, err
		}
	} else {
		return 0, errors.New("no hash table")
	}
	if n < 1 || n > maxSymbols {
		return 0, fmt.Errorf("%d symbols", n)
	}
	return n, nil
}

// readText prefers the section named .text over the segment, when the image has
// its section headers mapped.
func (m *image) readText() {
	f, err := elf.NewFile(bytes.NewReader(m.bytes))
	if err != nil {
		return
	}
	s := f.Section(".text")
	if s == nil {
		return
	}
	if _, err := m.slice(s.Offset, s.Size); err == nil {
		m.text = span{s.Offset, s.Size}
	}
}
