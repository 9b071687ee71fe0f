package vdso

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// layout places the tables behind the code and collects the patches.
type layout struct {
	m          *image
	base, page uint64
	out        []byte
	patches    []Patch
}

// tables appends everything that describes the symbols and points the vDSO at it.
func (l *layout) tables(img *Image) error {
	strtab, symbols := l.m.withEnter(img.Enter-l.base+l.m.bias, img.End-img.Enter)
	first := sortForGNU(symbols)

	dynsym := l.place(8, symbolTable(symbols))
	dynstr := l.place(1, strtab)
	for _, d := range []struct {
		tag   elf.DynTag
		value uint64
	}{
		{elf.DT_SYMTAB, l.pointer(dynsym)},
		{elf.DT_STRTAB, l.pointer(dynstr)},
		{elf.DT_STRSZ, dynstr.size},
		{elf.DT_VERSYM, l.pointer(l.place(2, versionTable(symbols)))},
		{elf.DT_HASH, l.pointer(l.place(4, sysvTable(symbols)))},
		{elf.DT_GNU_HASH, l.pointer(l.place(8, gnuTable(symbols, first)))},
	} {
		if err := l.setDynamic(d.tag, d.value); err != nil {
			return err
		}
	}
	l.sections(dynsym, dynstr)
	return nil
}

// place appends a table and returns where it lies, as an offset in the out bytes.
func (l *layout) place(align int, b []byte) span {
	l.pad(align)
	at := span{uint64(len(l.out)), uint64(len(b))}
	l.out = append(l.out, b...)
	return at
}

// pad appends zeros up to a multiple of n.
func (l *layout) pad(n int) {
	for len(l.out)%n != 0 {
		l.out = append(l.out, 0)
	}
}

// offset returns a place of ours as an offset from the start of the vDSO.
func (l *layout) offset(s span) uint64 { return l.page + s.off - l.base }

// pointer returns a place of ours as the dynamic section writes addresses: as
// linked, to which the loader adds the difference between where the image is and
// where it was linked for.
func (l *layout) pointer(s span) uint64 { return l.offset(s) + l.m.bias }

// patch records a new value for the word at off in the vDSO.
func (l *layout) patch(off, value uint64) {
	l.patches = append(l.patches, Patch{Addr: l.base + off, Value: value})
}

// setDynamic gives a dynamic entry a value. A tag that the vDSO lacks takes the
// slot of the terminator, if another DT_NULL follows.
func (l *layout) setDynamic(tag elf.DynTag, value uint64) error {
	m := l.m
	if slot, ok := m.dynSlot[tag]; ok {
		l.patch(m.dynOff+uint64(slot)*dynSize+8, value)
		return nil
	}
	slot := m.dynSlot[elf.DT_NULL]
	next, err := m.slice(m.dynOff+uint64(slot+1)*dynSize, dynSize)
	if err != nil || slot+1 >= m.dynLen || elf.DynTag(binary.LittleEndian.Uint64(next)) != elf.DT_NULL {
		return fmt.Errorf("dynamic section has no room for %v", tag)
	}
	off := m.dynOff + uint64(slot)*dynSize
	l.patch(off+8, value)
	l.patch(off, uint64(tag))
	m.dynSlot[tag], m.dynSlot[elf.DT_NULL] = slot, slot+1
	return nil
}
