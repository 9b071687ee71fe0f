package mlist

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// magic begins each file of a list.
const magic = "softsgx mlist 1\n"

// Offsets in the header.
const (
	offSegment  = len(magic)
	offFirst    = offSegment + 8
	offPrev     = offFirst + 8
	offCheck    = offPrev + chainSize
	headerSize  = offCheck + chainSize
	chainSize   = sha256.Size
	frameHead   = 4 + 8 + 8
	offFrameSeq = 4
	offTime     = offFrameSeq + 8
)

// Header begins a file of the list and joins it to the file before.
type Header struct {
	Segment uint64 // number of the file, from 1
	First   uint64 // entries in the files before
	Prev    Chain  // chain value of the last of them
}

// encode returns the header's bytes. Their last 32 are the check that the file's
// first frame chains to.
func (h Header) encode() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint64(b, h.Segment)
	b = binary.LittleEndian.AppendUint64(b, h.First)
	b = append(b, h.Prev[:]...)
	check := sha256.Sum256(b)
	return append(b, check[:]...)
}

// errHeader is what every error about a header's bytes is.
var errHeader = errors.New("header")

func decodeHeader(b []byte) (h Header, err error) {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return h, fmt.Errorf("%w: not %d bytes that begin with %q; this is no measurement list of softsgx, or its beginning was changed", errHeader, headerSize, magic)
	}
	h.Segment = binary.LittleEndian.Uint64(b[offSegment:])
	h.First = binary.LittleEndian.Uint64(b[offFirst:])
	h.Prev = Chain(b[offPrev:])
	if sha256.Sum256(b[:offCheck]) != [sha256.Size]byte(b[offCheck:]) {
		return h, fmt.Errorf("%w: its check is not the SHA-256 of what stands before it; the header was changed", errHeader)
	}
	return h, nil
}

// head is the head of the list before the file's first entry.
func (h Header) head() Head { return Head{h.First, h.Prev} }
