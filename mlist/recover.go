package mlist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// catchUp takes over what other writers did since this one last held the lock.
func (w *Writer) catchUp() error {
	same, err := named(w.f, w.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !same {
		return w.attach()
	}
	st, err := w.f.Stat()
	if err != nil {
		return err
	}
	if st.Size() == w.tip.bytes && w.lock.tip == w.tip {
		return nil
	}
	return w.follow(st.Size(), w.acknowledged().bytes)
}

// acknowledged is how far the list reaches at least: as far as FILE.head says, or
// this Writer knows.
func (w *Writer) acknowledged() tip {
	if w.lock.ok && w.lock.tip.head.Entries >= w.tip.head.Entries && w.lock.tip.segment >= w.tip.segment {
		return w.lock.tip
	}
	return w.tip
}

// attach opens the file that has the list's name now, and finds its end.
func (w *Writer) attach() error {
	f, err := w.openFile()
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	start, floor, err := w.start(f, st.Size())
	if err != nil {
		f.Close()
		return err
	}
	if w.f != nil {
		w.f.Close()
	}
	w.f, w.tip, w.prev = f, start.tip, start.prev
	w.seen = map[repeat]struct{}{}
	return w.follow(st.Size(), floor)
}

// openFile opens FILE, and makes it if there never was a list.
func (w *Writer) openFile() (*os.File, error) {
	first := Header{Segment: 1}.encode()
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	switch {
	case err == nil:
		b := make([]byte, headerSize)
		n, err := f.ReadAt(b, 0)
		if n == headerSize || err != io.EOF || !bytes.HasPrefix(first, b[:n]) || w.acknowledged() != (tip{}) {
			return f, nil // start judges it
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case w.acknowledged() != (tip{}):
		return nil, w.refusal(KindCut, 1, 0, "the file is gone, and %s tells of %d entries; put the file back, or move the head file away to begin a new list",
			HeadFile(w.path), w.acknowledged().head.Entries)
	default:
		if f, err = os.OpenFile(w.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return nil, err
		}
	}
	// New, or its maker died before the header was whole.
	_, err = f.WriteAt(first, 0)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("making the list: %w", err)
	}
	return f, nil
}

// place is a point between two frames.
type place struct {
	tip  tip
	prev Chain
}

// start finds a place in f from which on frames have to be read, and the offset
// below which nothing may be wrong with them.
func (w *Writer) start(f *os.File, size int64) (p place, floor int64, err error) {
	b := make([]byte, headerSize)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		return p, 0, err
	}
	h, err := decodeHeader(b)
	if err != nil {
		return p, 0, w.refusal(KindHeader, 0, 0, "%v", err)
	}
	begin := place{tip{h.Segment, h.head(), int64(headerSize)}, Chain(b[offCheck:])}
	ack := w.acknowledged()
	switch {
	case ack == tip{}:
		return begin, size, nil // no head to go by: all has to be sound
	case h.Segment == ack.segment+1 && h.head() == ack.head:
		return begin, int64(headerSize), nil // a rotation that the head does not know yet
	case h.Segment != ack.segment:
		return p, 0, w.refusal(KindCut, h.First+1, 0, "the file is number %d of the list, %s tells of number %d; an older copy was put back, or the head file is of another list",
			h.Segment, HeadFile(w.path), ack.segment)
	case size < ack.bytes:
		return p, 0, w.refusal(KindCut, h.First+1, size, "the file has %d bytes, %s tells of %d; entries were cut off, or an older copy was put back",
			size, HeadFile(w.path), ack.bytes)
	}
	p, err = w.atHead(f, ack, begin)
	if err == nil && w.opt.DropRepeats {
		p = begin // what is there already has to be read
	}
	return p, ack.bytes, err
}

// atHead is the place behind the last acknowledged entry, if the file has there what
// the head says.
func (w *Writer) atHead(f *os.File, ack tip, begin place) (place, error) {
	p, got := begin, begin.tip.head
	if ack.bytes > int64(headerSize) {
		p.tip = ack
		if _, err := f.ReadAt(p.prev[:], ack.bytes-chainSize); err != nil {
			return p, err
		}
		got = Head{ack.head.Entries, p.prev}
	}
	if got != ack.head {
		return p, w.refusal(KindRewritten, ack.head.Entries, ack.bytes, "the head is %v, %s tells of %v; the list was changed", got, HeadFile(w.path), ack.head)
	}
	return p, nil
}

// follow reads the frames behind w.tip and cuts off what is none. Below floor every
// entry was acknowledged, so what is wrong there is refused.
func (w *Writer) follow(size, floor int64) error {
	if size < floor {
		return w.refusal(KindCut, w.tip.head.Entries+1, size, "the file has %d bytes, and had %d; entries were cut off", size, floor)
	}
	from := w.tip.bytes - chainSize
	scan := newScanner(io.NewSectionReader(w.f, from, size-from), w.tip.bytes)
	for {
		f, err := scan.next()
		if err == nil {
			err = w.accept(f)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			if err := w.cut(err, size, floor); err != nil {
				return err
			}
			break
		}
	}
	return w.settle()
}

// accept takes one frame over if it is the next of the list.
func (w *Writer) accept(f frame) error {
	l, err := f.link()
	switch {
	case err != nil:
		return err
	case f.prev() != w.prev || f.sum() != f.chain || l.Seq != w.tip.head.Entries+1:
		return errChain
	}
	w.tip.head, w.tip.bytes, w.prev = l.Head(), f.end(), f.chain
	if w.opt.DropRepeats {
		w.known(repeatOf(l.Entry))
	}
	return nil
}

var errChain = errors.New("the entry does not follow the one before it")

// cut takes off the bytes behind w.tip, if none of them was acknowledged.
func (w *Writer) cut(why error, size, floor int64) error {
	if w.tip.bytes < floor {
		return w.refusal(KindEdited, w.tip.head.Entries+1, w.tip.bytes, "%v", why)
	}
	if err := w.f.Truncate(w.tip.bytes); err != nil {
		return fmt.Errorf("cutting off what a crash left: %w", err)
	}
	if w.opt.Torn != nil {
		w.opt.Torn(w.tip.bytes, size-w.tip.bytes)
	}
	return nil
}

// settle makes sure that what was read is on disk and the head says so. What others
// acknowledged is; what they wrote and did not come to acknowledge may not be.
func (w *Writer) settle() error {
	if w.lock.ok && w.lock.tip == w.tip {
		return nil
	}
	known := w.lock.ok
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.lock.write(w.tip); err != nil || known {
		return err
	}
	if err := w.lock.f.Sync(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(w.path))
}

// refusal is the error for a list that must not be appended to.
func (w *Writer) refusal(k Kind, entry uint64, off int64, format string, args ...any) error {
	detail := fmt.Sprintf(format, args...) + "; softsgx log verify tells more"
	return &Tampering{[]Problem{{k, w.path, entry, off, detail}}}
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
