package mlist

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tip is how far a list is known to reach.
type tip struct {
	segment uint64
	head    Head
	bytes   int64 // of the file of the segment
}

// tipFormat is what FILE.head holds: one line of fixed length, so that it is written
// in place and in one piece.
const tipFormat = "softsgx mlist tip 1 segment=%020d bytes=%020d head=%020d:%v check=%08x\n"

func (t tip) encode() []byte {
	line := fmt.Appendf(nil, tipFormat, t.segment, t.bytes, t.head.Entries, t.head.Chain, 0)
	return fmt.Appendf(nil, tipFormat, t.segment, t.bytes, t.head.Entries, t.head.Chain, crc32.ChecksumIEEE(line))
}

// decodeTip is false for what no writer wrote whole.
func decodeTip(b []byte) (t tip, ok bool) {
	for _, field := range strings.Fields(string(b)) {
		key, value, _ := strings.Cut(field, "=")
		var err error
		switch key {
		case "segment":
			t.segment, err = strconv.ParseUint(value, 10, 64)
		case "bytes":
			t.bytes, err = strconv.ParseInt(value, 10, 64)
		case "head":
			err = t.head.UnmarshalText([]byte(value))
		}
		if err != nil {
			return tip{}, false
		}
	}
	return t, string(t.encode()) == string(b)
}

// HeadFile is the name of the file in which the writers of the list at path keep its
// newest head, and which they lock.
func HeadFile(path string) string { return path + ".head" }

// headFile is FILE.head, open.
type headFile struct {
	name string
	f    *os.File
	seen []byte // what the file held last
	tip  tip    // decoded from it
	ok   bool
}

func openHead(path string) (*headFile, error) {
	h := &headFile{name: HeadFile(path)}
	return h, h.open()
}

func (h *headFile) open() (err error) {
	h.f, err = os.OpenFile(h.name, os.O_RDWR|os.O_CREATE, 0o600)
	return err
}

// lock locks the file that has the name now, and reads it.
func (h *headFile) lock() error {
	for {
		if err := flock(h.f, unix.LOCK_EX); err != nil {
			return fmt.Errorf("locking %s: %w; the file system has to support flock", h.name, err)
		}
		same, err := named(h.f, h.name)
		if err == nil && same {
			return h.read()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		h.f.Close()
		if err := h.open(); err != nil {
			return err
		}
	}
}

func (h *headFile) unlock() { flock(h.f, unix.LOCK_UN) }

// read takes over what other writers wrote.
func (h *headFile) read() error {
	var buf [512]byte
	n, err := h.f.ReadAt(buf[:], 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("measurement list: %w", err)
	}
	if h.seen == nil || string(buf[:n]) != string(h.seen) {
		h.seen = append([]byte{}, buf[:n]...)
		h.tip, h.ok = decodeTip(h.seen)
	}
	return nil
}

// write records t. It need not reach the disk before the append is acknowledged:
// after a crash of the machine an older head serves as well.
func (h *headFile) write(t tip) error {
	line := t.encode()
	if _, err := h.f.WriteAt(line, 0); err != nil {
		return fmt.Errorf("measurement list: %w; the entries are kept, but the head is not recorded", err)
	}
	if len(h.seen) != len(line) {
		if err := h.f.Truncate(int64(len(line))); err != nil {
			return fmt.Errorf("measurement list: %w", err)
		}
	}
	h.seen, h.tip, h.ok = line, t, true
	return nil
}

// flock locks or unlocks, however many signals come.
func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// named reports whether f is the file that has the name.
func named(f *os.File, name string) (bool, error) {
	ours, err := f.Stat()
	if err != nil {
		return false, err
	}
	theirs, err := os.Stat(name)
	if err != nil {
		return false, err
	}
	return os.SameFile(ours, theirs), nil
}
