package mlist

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Link is an entry with its place in the chain.
type Link struct {
	Seq   uint64 // from 1, through all files of the list
	Time  time.Time
	Entry Entry
	Chain Chain
}

// Head is the head of a list that ends with the link.
func (l Link) Head() Head { return Head{l.Seq, l.Chain} }

// appendFrame appends to b the frame of an encoded entry. prev is the chain value
// that stands before it in the file.
func appendFrame(b []byte, prev Chain, seq uint64, at time.Time, entry []byte) ([]byte, Chain) {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(entry)))
	b = binary.LittleEndian.AppendUint64(b, seq)
	b = binary.LittleEndian.AppendUint64(b, uint64(at.UnixNano()))
	b = append(b, entry...)
	h := sha256.New()
	h.Write(prev[:])
	h.Write(b[start:])
	chain := Chain(h.Sum(nil))
	return append(b, chain[:]...), chain
}

// frame is one frame as the file has it. Its slices hold until the next one is read.
type frame struct {
	off   int64  // in the file
	body  []byte // the chain value before the frame, and the frame up to its own
	chain Chain  // its own
}

func (f frame) prev() Chain   { return Chain(f.body) }
func (f frame) seq() uint64   { return binary.LittleEndian.Uint64(f.body[chainSize+offFrameSeq:]) }
func (f frame) entry() []byte { return f.body[chainSize+frameHead:] }
func (f frame) end() int64    { return f.off + int64(len(f.body)) } // chain values cancel out
func (f frame) sum() Chain    { return sha256.Sum256(f.body) }
func (f frame) time() time.Time {
	return time.Unix(0, int64(binary.LittleEndian.Uint64(f.body[chainSize+offTime:])))
}

// sumAfter is the chain value of the frame behind another chain value than the file
// has before it.
func (f frame) sumAfter(prev Chain) Chain {
	return sha256.Sum256(append(prev[:], f.body[chainSize:]...))
}

// link decodes the frame. The entry's Data lies in the frame.
func (f frame) link() (Link, error) {
	e, rest, err := DecodeEntry(f.entry())
	if err == nil && len(rest) != 0 {
		err = fmt.Errorf("measurement entry: ends %d bytes before its frame does; one of the two lengths was changed", len(rest))
	}
	if err != nil {
		return Link{}, err
	}
	return Link{f.seq(), f.time(), e, f.chain}, nil
}

// Errors of a list whose bytes from some point on are no frames.
var (
	errTorn   = errors.New("the list ends inside an entry; a crash tore it or something was changed")
	errLength = fmt.Errorf("the length of the entry is not %d to %d; it was changed", minEntry, MaxEntry)
)

// scanner splits a file into frames; it judges nothing but their lengths.
type scanner struct {
	r   *bufio.Reader
	off int64 // of the next frame
}

// newScanner reads frames from r, which begins with the chain value before the
// frame at offset off of the file.
func newScanner(r io.Reader, off int64) *scanner {
	return &scanner{bufio.NewReaderSize(r, 4*MaxEntry), off}
}

// next returns the next frame, or io.EOF, errTorn, errLength, or what reading gave.
func (s *scanner) next() (frame, error) {
	b, err := s.r.Peek(chainSize + frameHead)
	if err != nil {
		return frame{}, s.ended(len(b), err)
	}
	n := int(binary.LittleEndian.Uint32(b[chainSize:]))
	if n < minEntry || n > MaxEntry {
		return frame{}, errLength
	}
	size := chainSize + frameHead + n
	if b, err = s.r.Peek(size + chainSize); err != nil {
		return frame{}, s.ended(len(b), err)
	}
	f := frame{off: s.off, body: b[:size:size], chain: Chain(b[size:])}
	s.r.Discard(size)
	s.off = f.end()
	return f, nil
}

func (s *scanner) ended(n int, err error) error {
	switch {
	case err != io.EOF:
		return fmt.Errorf("reading the measurement list at byte %d: %w", s.off, err)
	case n == chainSize:
		return io.EOF
	}
	return errTorn
}

// Reader reads the entries of one file of a list. It does not judge them: Verify and
// Verifier do.
type Reader struct {
	header Header
	scan   *scanner
}

// NewReader reads the header of a file.
func NewReader(r io.Reader) (*Reader, error) {
	h, scan, err := begin(r)
	if err != nil {
		return nil, fmt.Errorf("measurement list: %w", err)
	}
	return &Reader{h, scan}, nil
}

// begin reads a header and leaves its check to be read, before the first frame.
func begin(r io.Reader) (Header, *scanner, error) {
	s := newScanner(r, int64(headerSize))
	b, err := s.r.Peek(headerSize)
	if err != nil && err != io.EOF {
		return Header{}, nil, fmt.Errorf("reading the header: %w", err)
	}
	h, err := decodeHeader(b)
	s.r.Discard(min(len(b), offCheck))
	return h, s, err
}

// Header is the header of the file.
func (r *Reader) Header() Header { return r.header }

// Next returns the next link, or io.EOF at the end. The entry's Data holds until the
// next call.
func (r *Reader) Next() (Link, error) {
	f, err := r.scan.next()
	if err == io.EOF {
		return Link{}, err
	}
	var l Link
	if err == nil {
		l, err = f.link()
	}
	if err != nil {
		return Link{}, fmt.Errorf("measurement list at byte %d: %w; softsgx log verify tells more", r.scan.off, err)
	}
	return l, nil
}
