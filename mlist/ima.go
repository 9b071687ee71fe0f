package mlist

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// IsList reports whether what r reads begins as a file of a list does, and takes
// nothing from r.
func IsList(r *bufio.Reader) bool {
	b, _ := r.Peek(len(magic))
	return string(b) == magic
}

// ReadIMA calls visit for each entry of a binary list of IMA. The entry's Data is the
// visitor's to keep.
func ReadIMA(r io.Reader, visit func(Entry)) error {
	br := bufio.NewReader(r)
	for n := 1; ; n++ {
		b, err := readIMAEntry(br)
		if err == io.EOF {
			return nil
		}
		var e Entry
		if err == nil {
			e, _, err = DecodeEntry(b)
		}
		if err != nil {
			return fmt.Errorf("IMA list, entry %d: %w", n, err)
		}
		visit(e)
	}
}

// readIMAEntry reads as many bytes as one entry has; io.EOF only before the first.
func readIMAEntry(r *bufio.Reader) ([]byte, error) {
	if _, err := r.Peek(1); err != nil {
		return nil, err
	}
	b, err := grow(r, nil, offName)
	if err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(b[offNameLen:])
	if n > maxTemplate {
		return nil, fmt.Errorf("template name of %d bytes; this is no binary IMA list in little-endian order", n)
	}
	if b, err = grow(r, b, int(n)+4); err != nil {
		return nil, err
	}
	data := binary.LittleEndian.Uint32(b[len(b)-4:])
	if data > MaxEntry {
		return nil, fmt.Errorf("template data of %d bytes, the limit is %d; this is no list that softsgx reads", data, MaxEntry)
	}
	return grow(r, b, int(data))
}

// grow appends the next n bytes of r to b.
func grow(r io.Reader, b []byte, n int) ([]byte, error) {
	b = append(b, make([]byte, n)...)
	if _, err := io.ReadFull(r, b[len(b)-n:]); err != nil {
		return nil, fmt.Errorf("the list ends inside it: %w", err)
	}
	return b, nil
}
