package mlist

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// List is a list as it was at one moment, open for reading, with the full files that
// lie beside it.
type List struct {
	// Files are the files, oldest first.
	Files []ListFile
	// Missing is how many older files there must have been that are not beside it.
	Missing uint64
	// Recorded is the head that the writers keep, nil if there is none.
	Recorded *Head
}

// ListFile is one file of a list. Bytes that writers append later are not read.
type ListFile struct {
	Name string
	io.Reader
	f *os.File
}

// OpenList opens the list at path for reading. Writers wait meanwhile, so no entry
// is seen half written.
func OpenList(path string) (*List, error) {
	l := &List{}
	lock, err := os.Open(HeadFile(path))
	switch {
	case err == nil:
		defer lock.Close()
		if err := flock(lock, unix.LOCK_SH); err != nil {
			return nil, fmt.Errorf("locking %s: %w; the file system has to support flock", lock.Name(), err)
		}
		l.readHead(lock)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("measurement list: %w", err)
	}
	if err := l.gather(path); err != nil {
		l.Close()
		return nil, fmt.Errorf("measurement list: %w", err)
	}
	return l, nil
}

func (l *List) readHead(f *os.File) {
	if b, err := io.ReadAll(f); err == nil {
		if t, ok := decodeTip(b); ok {
			l.Recorded = &t.head
		}
	}
}

// gather opens the file at path, and those before it as far back as they are there.
func (l *List) gather(path string) error {
	segment, err := l.add(path)
	for ; err == nil && segment > 1; segment-- {
		if _, err = l.add(SegmentFile(path, segment-1)); errors.Is(err, fs.ErrNotExist) {
			l.Missing = segment - 1
			return nil
		}
	}
	return err
}

// add opens one file and puts it before the others. The number is 0 if the header
// does not tell it.
func (l *List) add(name string) (segment uint64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return 0, err
	}
	l.Files = append([]ListFile{{name, io.NewSectionReader(f, 0, st.Size()), f}}, l.Files...)
	b := make([]byte, headerSize)
	if n, err := f.ReadAt(b, 0); err != nil || n < headerSize {
		return 0, nil
	}
	h, err := decodeHeader(b)
	if err != nil {
		return 0, nil
	}
	return h.Segment, nil
}

// Verify puts the files through v. Bytes behind the recorded head that are no whole
// entry are what a crash left of an append that was never acknowledged: they are no
// problem, and told in the report's Torn.
func (l *List) Verify(v *Verifier) (Report, error) {
	for _, f := range l.Files {
		if err := v.File(f.Name, f); err != nil {
			return Report{}, err
		}
	}
	r := v.Report()
	if i := len(r.Problems) - 1; i >= 0 && l.Recorded != nil {
		p := r.Problems[i]
		if p.Kind == KindTorn && p.File == l.Files[len(l.Files)-1].Name && p.Entry > l.Recorded.Entries {
			r.Torn, r.Problems = &p, r.Problems[:i]
		}
	}
	return r, r.Err()
}

// Close closes the files.
func (l *List) Close() {
	for _, f := range l.Files {
		f.f.Close()
	}
}
