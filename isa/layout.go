package isa

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// layout walks the bytes of one structure from its first field to its last.
// Each structure lists its fields once; the same list reads and writes.
type layout struct {
	b     []byte // what is left of the structure
	write bool
}

// reader starts a walk that reads a structure of the given size from b.
func reader(name string, b []byte, size int) (layout, error) {
	if len(b) < size {
		return layout{}, fmt.Errorf("isa: %s: %d bytes, need %d", name, len(b), size)
	}
	return layout{b: b[:size]}, nil
}

// writer starts a walk that appends a structure of the given size to b.
func writer(b []byte, size int) ([]byte, layout) {
	n := len(b)
	b = slices.Grow(b, size)[:n+size]
	return b, layout{b: b[n:], write: true}
}

func (l *layout) next(n int) []byte {
	f := l.b[:n]
	l.b = l.b[n:]
	return f
}

func (l *layout) u8(v *uint8) {
	f := l.next(1)
	if l.write {
		f[0] = *v
		return
	}
	*v = f[0]
}

func (l *layout) u16(v *uint16) {
	f := l.next(2)
	if l.write {
		binary.LittleEndian.PutUint16(f, *v)
		return
	}
	*v = binary.LittleEndian.Uint16(f)
}

func (l *layout) u32(v *uint32) {
	f := l.next(4)
	if l.write {
		binary.LittleEndian.PutUint32(f, *v)
		return
	}
	*v = binary.LittleEndian.Uint32(f)
}

func (l *layout) u64(v *uint64) {
	f := l.next(8)
	if l.write {
		binary.LittleEndian.PutUint64(f, *v)
		return
	}
	*v = binary.LittleEndian.Uint64(f)
}

func (l *layout) attributes(v *ATTRIBUTES) {
	l.u64(&v.Flags)
	l.u64(&v.XFRM)
}

// bytes is a field that is kept as it is.
func (l *layout) bytes(v []byte) {
	f := l.next(len(v))
	if l.write {
		copy(f, v)
		return
	}
	copy(v, f)
}

// reserved is an area whose content is not kept: reading notes in set whether
// any byte was nonzero, writing stores zeros.
func (l *layout) reserved(n int, set *bool) {
	f := l.next(n)
	if l.write {
		clear(f)
		return
	}
	*set = *set || !zero(f)
}

func zero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
