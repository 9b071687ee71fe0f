package mlist

import (
	"crypto/sha256"
	"fmt"
)

// repeat is what makes two entries the same: PCR and template data, as in IMA.
type repeat struct {
	pcr    uint32
	digest [sha256.Size]byte
}

func repeatOf(e Entry) repeat { return repeat{e.PCR, sha256.Sum256(e.Data)} }

// maxKept is how large a buffer the Writer keeps from one commit to the next.
const maxKept = 1 << 20

// write appends the batch to the file and waits for the disk. The lock is held.
func (w *Writer) write(b *batch) error {
	if err := w.catchUp(); err != nil {
		return err
	}
	if w.opt.RotateBytes > 0 && w.tip.bytes >= w.opt.RotateBytes {
		if err := w.rotate(); err != nil {
			return err
		}
	}
	after, prev := w.encode(b)
	if len(w.buf) == 0 {
		return nil
	}
	if err := w.store(); err != nil {
		w.forget(b)
		return err
	}
	w.tip, w.prev = after, prev
	return w.lock.write(w.tip)
}

// encode makes the frames of the batch in w.buf, and tells where the list is after
// them.
func (w *Writer) encode(b *batch) (tip, Chain) {
	if cap(w.buf) > maxKept {
		w.buf = nil
	}
	w.buf = w.buf[:0]
	t, prev, now := w.tip, w.prev, w.opt.Now()
	for i := range b.entries {
		a := &b.entries[i]
		if w.known(a.repeat) {
			a.head = t.head
			continue
		}
		w.buf, prev = appendFrame(w.buf, prev, t.head.Entries+1, now, a.bytes)
		t.head = Head{t.head.Entries + 1, prev}
		a.head = t.head
	}
	t.bytes += int64(len(w.buf))
	return t, prev
}

// known tells whether the entry is a repeat to be left out, and remembers it.
func (w *Writer) known(r repeat) bool {
	if !w.opt.DropRepeats {
		return false
	}
	_, known := w.seen[r]
	w.seen[r] = struct{}{}
	return known
}

// store puts w.buf behind the last entry and waits for the disk.
func (w *Writer) store() error {
	if _, err := w.f.WriteAt(w.buf, w.tip.bytes); err != nil {
		w.withdraw()
		return fmt.Errorf("appending: %w; nothing was recorded, make room and try again", err)
	}
	if err := w.flush(); err != nil {
		w.withdraw()
		return err
	}
	return nil
}

// flush waits for the disk. The kernel reports a failed write once and then takes the
// pages for clean (fsync(2)), so trying again would acknowledge what is not on disk.
func (w *Writer) flush() error {
	if err := w.sync(w.f); err != nil {
		w.broken = fmt.Errorf("the disk failed: %w; check it, verify the list and start again", err)
		return w.broken
	}
	return nil
}

// withdraw takes back what a failed write may have left.
func (w *Writer) withdraw() {
	if err := w.f.Truncate(w.tip.bytes); err != nil {
		w.broken = fmt.Errorf("a failed write could not be taken back: %w; check the disk and start again", err)
	}
}

// forget drops from w.seen what the failed batch put there.
func (w *Writer) forget(b *batch) {
	if !w.opt.DropRepeats {
		return
	}
	// Entries of the batch that were known before may be forgotten too: then one is
	// recorded twice, which does no harm.
	for _, a := range b.entries {
		delete(w.seen, a.repeat)
	}
}
