package mlist

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Options are how a Writer writes. The zero value serves.
type Options struct {
	// RotateBytes, if not 0, is the size at which a file of the list is full: it
	// becomes FILE.000001 and so on, and a new FILE goes on from it.
	RotateBytes int64
	// DropRepeats leaves out entries that the file has already, as IMA does: the
	// list then tells what happened, not how often.
	DropRepeats bool
	// Now gives the time of an append; time.Now if nil.
	Now func() time.Time
	// Torn, if set, is told of bytes cut off the end that a crash had left there.
	Torn func(offset, bytes int64)
}

// ErrClosed is the error of an append to a closed Writer.
var ErrClosed = errors.New("the measurement list is closed")

// Writer appends to a list. It may be used by several goroutines, and several
// Writers, in one process or in many, may have the same list open.
type Writer struct {
	path string
	opt  Options
	sync func(*os.File) error // what waits for the disk

	turn   sync.Mutex // guards what follows, up to mu
	lock   *headFile
	f      *os.File
	tip    tip   // how far f is known
	prev   Chain // value in f that the next frame chains to
	seen   map[repeat]struct{}
	buf    []byte
	broken error // why nothing can be appended any more

	mu   sync.Mutex // guards what follows
	next *batch     // gathers appends for the next commit; nil if there are none
	head Head
}

// batch is the appends that one commit writes.
type batch struct {
	entries []appended
	done    chan struct{} // closed when the batch is on disk, or err is set
	err     error
}

type appended struct {
	bytes  []byte // encoded
	repeat repeat
	head   Head // set by the commit
}

// Open opens the list at path, or makes one if there is none. Bytes that a crash
// left at the end are cut off; a list that lacks entries which were acknowledged, or
// has them damaged, is refused with a *Tampering.
func Open(path string, o Options) (*Writer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Writer{path: path, opt: o, sync: func(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }}
	var err error
	if w.lock, err = openHead(path); err != nil {
		return nil, fmt.Errorf("measurement list %s: %w; choose a directory that softsgx may write", path, err)
	}
	if err := w.locked(w.attach); err != nil {
		w.close()
		return nil, err
	}
	w.setHead()
	return w, nil
}

// Append records e. When it returns without an error, the entry is on disk; the head
// is that of the list with e as its last entry. Appends that come at the same time
// share a commit.
func (w *Writer) Append(e Entry) (Head, error) {
	if err := e.Check(); err != nil {
		return Head{}, fmt.Errorf("measurement entry: %w; make entries with NewEntry", err)
	}
	b, err := e.AppendBinary(nil)
	if err != nil {
		return Head{}, err
	}
	a := appended{bytes: b}
	if w.opt.DropRepeats {
		a.repeat = repeatOf(e)
	}
	to, i, first := w.join(a)
	if first {
		w.commit(to)
	} else {
		<-to.done
	}
	return to.entries[i].head, to.err
}

// join puts a into the batch that gathers. The first in a batch has to commit it.
func (w *Writer) join(a appended) (to *batch, i int, first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if first = w.next == nil; first {
		w.next = &batch{done: make(chan struct{})}
	}
	w.next.entries = append(w.next.entries, a)
	return w.next, len(w.next.entries) - 1, first
}

// commit waits for its turn, in which others join the batch, and writes it.
func (w *Writer) commit(b *batch) {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.mu.Lock()
	w.next = nil
	w.mu.Unlock()
	b.err = w.locked(func() error { return w.write(b) })
	w.setHead()
	close(b.done)
}

// locked calls do while no other writer of the list does anything.
func (w *Writer) locked(do func() error) error {
	if w.broken != nil {
		return fmt.Errorf("measurement list %s: %w", w.path, w.broken)
	}
	err := w.lock.lock()
	if err == nil {
		defer w.lock.unlock()
		err = do()
	}
	if err != nil {
		return fmt.Errorf("measurement list %s: %w", w.path, err)
	}
	return nil
}

func (w *Writer) setHead() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head = w.tip.head
}

// Head is the newest head that this Writer knows; others may have gone further.
func (w *Writer) Head() Head {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head
}

// Rotate ends the file at hand, unless it has no entries, and begins a new one.
func (w *Writer) Rotate() error {
	w.turn.Lock()
	defer w.turn.Unlock()
	return w.locked(func() error {
		if err := w.catchUp(); err != nil {
			return err
		}
		return w.rotate()
	})
}

// Close ends the Writer after the commit at hand. Later appends fail with ErrClosed.
func (w *Writer) Close() error {
	w.turn.Lock()
	defer w.turn.Unlock()
	if errors.Is(w.broken, ErrClosed) {
		return nil
	}
	w.broken = ErrClosed
	return w.close()
}

func (w *Writer) close() error {
	var err error
	if w.f != nil {
		err = w.f.Close()
	}
	return errors.Join(err, w.lock.f.Close())
}
