package mlist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SegmentFile is the name of file number n of the list at path, once it is full.
func SegmentFile(path string, n uint64) string { return fmt.Sprintf("%s.%06d", path, n) }

// rotate gives the full file its number for a name and begins the next. FILE is at
// no moment absent: the old file gets a second name, and then the new one takes over
// the first. A crash in between leaves the old file with two names, and the next
// rotation finds it so.
func (w *Writer) rotate() error {
	if w.tip.bytes == int64(headerSize) {
		return nil
	}
	h := Header{Segment: w.tip.segment + 1, First: w.tip.head.Entries, Prev: w.tip.head.Chain}
	if err := w.keepHead(); err != nil {
		return fmt.Errorf("rotating: %w", err)
	}
	next, b, err := w.begin(h)
	if err != nil {
		return fmt.Errorf("rotating: %w", err)
	}
	if err := w.replace(next); err != nil {
		next.Close()
		return fmt.Errorf("rotating: %w", err)
	}
	w.f.Close()
	w.f, w.seen = next, map[repeat]struct{}{}
	w.tip, w.prev = tip{h.Segment, h.head(), int64(len(b))}, Chain(b[offCheck:])
	return w.lock.write(w.tip)
}

// keepHead puts the head on disk: the beginning of the next file is judged by it.
func (w *Writer) keepHead() error {
	if err := w.lock.write(w.tip); err != nil {
		return err
	}
	return w.lock.f.Sync()
}

// begin makes the next file under a name of its own.
func (w *Writer) begin(h Header) (*os.File, []byte, error) {
	f, err := os.OpenFile(w.nextName(), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, err
	}
	b := h.encode()
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, b, nil
}

// replace puts the next file in the place of the full one.
func (w *Writer) replace(next *os.File) error {
	full := SegmentFile(w.path, w.tip.segment)
	if err := os.Link(w.path, full); errors.Is(err, fs.ErrExist) {
		if same, e := named(w.f, full); e != nil || !same {
			return fmt.Errorf("%s is there already and is another file; move it away", full)
		}
	} else if err != nil {
		return err
	}
	if err := os.Rename(next.Name(), w.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(w.path))
}

func (w *Writer) nextName() string { return w.path + ".next" }
