package mlist

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
)

// Event decodes the fields of an ima-buf entry. Slices lie in the entry's Data.
func (e Entry) Event() (Event, error) {
	dng, name, buf, err := e.bufFields()
	if err != nil {
		return Event{}, err
	}
	algorithm, digest, _ := bytes.Cut(dng, []byte(":\x00"))
	return Event{Name: string(name), Algorithm: string(algorithm), Digest: digest, Buf: buf}, nil
}

// bufFields splits the template data of an ima-buf entry, the NUL of the name taken
// off.
func (e Entry) bufFields() (dng, name, buf []byte, err error) {
	if e.Template != TemplateBuf {
		return nil, nil, nil, fmt.Errorf("measurement entry: template %q, want %s; only PCR arithmetic works on others", e.Template, TemplateBuf)
	}
	dng, rest, ok1 := sized(e.Data)
	name, rest, ok2 := sized(rest)
	buf, rest, ok3 := sized(rest)
	if !ok1 || !ok2 || !ok3 || len(rest) != 0 {
		return nil, nil, nil, fmt.Errorf("measurement entry: template data is not the three fields of %s; the entry was changed", TemplateBuf)
	}
	if !bytes.Contains(dng, []byte(":\x00")) {
		return nil, nil, nil, fmt.Errorf("measurement entry: field d-ng has no algorithm; the entry was changed")
	}
	if end := len(name) - 1; end < 1 || bytes.IndexByte(name, 0) != end {
		return nil, nil, nil, fmt.Errorf("measurement entry: field n-ng is no name with a NUL at its end; the entry was changed")
	}
	return dng, name[:len(name)-1], buf, nil
}

// Check tells whether the entry is one that NewEntry makes: its fields are in form,
// d-ng is the SHA-256 of the buffer and the template digest is that of the fields.
func (e Entry) Check() error {
	if e.PCR > MaxPCR {
		return fmt.Errorf("PCR %d does not exist; the index was changed", e.PCR)
	}
	if e.Violation() {
		return nil
	}
	if sha1.Sum(e.Data) != e.Digest {
		return fmt.Errorf("the template digest is not that of the template data; one of the two was changed")
	}
	dng, _, buf, err := e.bufFields()
	if err != nil {
		return err
	}
	digest := sha256.Sum256(buf)
	if len(dng) != len(dngPrefix)+sha256.Size || string(dng[:len(dngPrefix)]) != dngPrefix || !bytes.Equal(dng[len(dngPrefix):], digest[:]) {
		return fmt.Errorf("field d-ng is not the SHA-256 of field buf; one of the two was changed")
	}
	return nil
}
