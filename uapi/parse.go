package uapi

import (
	"encoding/binary"
	"fmt"
)

// LengthError says that a buffer handed to a parser has the wrong size.
type LengthError struct {
	Struct    string // C name of the structure
	Got, Want int
}

// Error implements error.
func (e *LengthError) Error() string {
	return fmt.Sprintf("%s: %d bytes, want %d", e.Struct, e.Got, e.Want)
}

// words reads b into the fields of a structure made of 64-bit words only.
func words(name string, b []byte, fields ...*uint64) error {
	if len(b) != 8*len(fields) {
		return &LengthError{Struct: name, Got: len(b), Want: 8 * len(fields)}
	}
	for i, f := range fields {
		*f = binary.LittleEndian.Uint64(b[8*i:])
	}
	return nil
}

// appendWords is the inverse of words.
func appendWords(b []byte, fields ...uint64) []byte {
	for _, f := range fields {
		b = binary.LittleEndian.AppendUint64(b, f)
	}
	return b
}
