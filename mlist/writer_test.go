package mlist

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

func event(t testing.TB, format string, args ...any) Entry {
	t.Helper()
	e, err := NewEntry(10, "event", fmt.Appendf(nil, format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustOpen(t testing.TB, path string, o Options) *Writer {
	t.Helper()
	w, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// appendN appends n entries with a tag, and returns the head after each.
func appendN(t testing.TB, w *Writer, n int, tag string) (heads []Head) {
	t.Helper()
	for i := range n {
		h, err := w.Append(event(t, "%s %d", tag, i))
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, h)
	}
	return heads
}

// readAll verifies the list and returns the buffers of its entries.
func readAll(t testing.TB, path string, expect ...Head) (bufs []string) {
	t.Helper()
	list, err := OpenList(path)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	v := NewVerifier(expect...)
	if list.Recorded != nil {
		v.Expect(*list.Recorded)
	}
	v.Visit = func(l Link) {
		if ev, err := l.Entry.Event(); err == nil {
			bufs = append(bufs, string(ev.Buf))
		}
	}
	if _, err := list.Verify(v); err != nil {
		t.Fatal(err)
	}
	return bufs
}

func TestAppendAndReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	clock := time.Unix(1e9, 5)
	var heads []Head
	for i := range 3 {
		w := mustOpen(t, path, Options{Now: func() time.Time { return clock }})
		heads = append(heads, appendN(t, w, 4, fmt.Sprint("run ", i))...)
		if w.Head() != heads[len(heads)-1] {
			t.Error("the head is not that of the last append")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Append(event(t, "late")); !errors.Is(err, ErrClosed) {
			t.Errorf("append after close: %v", err)
		}
	}
	if got := readAll(t, path, heads...); len(got) != 12 || got[5] != "run 1 1" {
		t.Errorf("%q", got)
	}
	f, _ := os.Open(path)
	defer f.Close()
	r, err := NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := r.Next(); err != nil || !l.Time.Equal(clock) || l.Head() != heads[0] || r.Header().Segment != 1 {
		t.Errorf("%+v, %v", l, err)
	}
	if st, _ := f.Stat(); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
}

func TestAppendRefusesWhatVerifyWould(t *testing.T) {
	w := mustOpen(t, filepath.Join(t.TempDir(), "list"), Options{})
	e := event(t, "x")
	e.Digest[0] ^= 1
	if _, err := w.Append(e); err == nil {
		t.Error("an entry with a wrong digest was appended")
	}
}

// Whatever a crash leaves of the last append, nothing acknowledged is lost and
// nothing torn is accepted.
func TestTornTailIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	kept := appendN(t, w, 3, "kept")
	before, _ := os.ReadFile(path)
	head, _ := os.ReadFile(HeadFile(path))
	appendN(t, w, 2, "torn")
	w.Close()
	after, _ := os.ReadFile(path)
	frame := (len(after) - len(before)) / 2
	for n := len(before); n <= len(after); n++ {
		for _, tail := range [][]byte{after[:n], append(slices.Clone(after[:n]), make([]byte, 300)...)} {
			cut := int64(0)
			w := reopen(t, path, tail, head, Options{Torn: func(_, n int64) { cut = n }})
			whole := (n - len(before)) / frame
			if got := w.Head().Entries; got != uint64(3+whole) {
				t.Fatalf("%d of %d bytes: %d entries, want %d", n, len(after), got, 3+whole)
			}
			if want := len(tail) - len(before) - whole*frame; cut != int64(want) {
				t.Errorf("%d bytes cut, want %d", cut, want)
			}
			appendN(t, w, 1, "next")
			if got := readAll(t, path, kept...); len(got) != 4+whole {
				t.Fatalf("%q", got)
			}
		}
	}
}

// reopen opens the list with the given files.
func reopen(t *testing.T, path string, list, head []byte, o Options) *Writer {
	t.Helper()
	for name, b := range map[string][]byte{path: list, HeadFile(path): head} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestDamageToAcknowledgedEntriesIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	appendN(t, w, 2, "old")
	oldList, _ := os.ReadFile(path)
	oldHead, _ := os.ReadFile(HeadFile(path))
	appendN(t, w, 3, "new")
	w.Close()
	list, _ := os.ReadFile(path)
	head, _ := os.ReadFile(HeadFile(path))
	changed := func(b []byte, off int) []byte { b = slices.Clone(b); b[off] ^= 1; return b }
	other := makeSample(t, 40, "other").bytes()[:len(list)]
	for _, r := range []struct {
		name       string
		list, head []byte
		o          Options
		fine       bool
	}{
		{"as it was", list, head, Options{}, true},
		{"older head, as after a crash of the machine", list, oldHead, Options{}, true},
		{"no head, sound list", list, nil, Options{}, true},
		{"damaged head, sound list", list, changed(head, 60), Options{}, true},
		{"older copy of the list", oldList, head, Options{}, false},
		{"last entry cut", list[:len(list)-1], head, Options{}, false},
		{"last entry changed", changed(list, len(list)-1), head, Options{}, false},
		{"last entry's buffer changed, all read", changed(list, len(list)-40), head, Options{DropRepeats: true}, false},
		{"no head, last entry changed", changed(list, len(list)-1), nil, Options{}, false},
		{"no head, middle changed", changed(list, len(list)/2), nil, Options{}, false},
		{"header changed", changed(list, 18), head, Options{}, false},
		{"another list", other, head, Options{}, false},
		{"list gone", nil, head, Options{}, false},
		{"some other file", []byte("notes"), nil, Options{}, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			os.Remove(path)
			os.Remove(HeadFile(path))
			if r.list != nil {
				os.WriteFile(path, r.list, 0o600)
			}
			if r.head != nil {
				os.WriteFile(HeadFile(path), r.head, 0o600)
			}
			w, err := Open(path, r.o)
			if (err == nil) != r.fine || err != nil && !errors.Is(err, ErrTampered) {
				t.Fatalf("opened with %v", err)
			}
			if err == nil {
				appendN(t, w, 1, "next")
				w.Close()
				if n := len(readAll(t, path)); n != 6 {
					t.Errorf("%d entries", n)
				}
			} else if b, _ := os.ReadFile(path); !bytes.Equal(b, r.list) {
				t.Error("a refused list was changed")
			}
		})
	}
}

func TestListReplacedUnderTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	appendN(t, w, 2, "a")
	old, _ := os.ReadFile(path)
	appendN(t, w, 2, "b")
	list, _ := os.ReadFile(path)
	for _, r := range []struct {
		name string
		do   func()
		fine bool
	}{
		{"copied and put back", func() { os.Remove(path); os.WriteFile(path, list, 0o600) }, true},
		{"rolled back in place", func() { os.WriteFile(path, old, 0o600) }, false},
		{"rolled back by rename", func() { os.WriteFile(path+"x", old, 0o600); os.Rename(path+"x", path) }, false},
		{"removed", func() { os.Remove(path) }, false},
		{"head removed as well", func() { os.Remove(HeadFile(path)) }, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			r.do()
			if _, err := w.Append(event(t, "next")); (err == nil) != r.fine || err != nil && !errors.Is(err, ErrTampered) {
				t.Errorf("append: %v", err)
			}
		})
	}
}

func TestRepeatsAreDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	for range 2 {
		w := mustOpen(t, path, Options{DropRepeats: true})
		other := mustOpen(t, path, Options{DropRepeats: true})
		for i := range 10 {
			if _, err := w.Append(event(t, "event %d", i%3)); err != nil {
				t.Fatal(err)
			}
			if h, err := other.Append(event(t, "event %d", i%3)); err != nil || h.Entries > 3 {
				t.Fatal(h, err)
			}
		}
		w.Close()
		other.Close()
	}
	if got := readAll(t, path); !slices.Equal(got, []string{"event 0", "event 1", "event 2"}) {
		t.Errorf("%q", got)
	}
}

func TestFailedDiskEndsTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{DropRepeats: true})
	appendN(t, w, 2, "kept")
	fail, real := errors.New("I/O error"), w.sync
	w.sync = func(*os.File) error { return fail }
	if _, err := w.Append(event(t, "lost")); !errors.Is(err, fail) {
		t.Fatalf("append: %v", err)
	}
	w.sync = real
	if _, err := w.Append(event(t, "later")); !errors.Is(err, fail) {
		t.Errorf("append after the disk failed: %v", err)
	}
	appendN(t, mustOpen(t, path, Options{}), 1, "after")
	if got := readAll(t, path); !slices.Equal(got, []string{"kept 0", "kept 1", "after 0"}) {
		t.Errorf("%q", got)
	}
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	appendN(t, w, 2, "kept")
	good := w.f
	w.f, _ = os.Open(path) // cannot be written
	if _, err := w.Append(event(t, "lost")); err == nil {
		t.Fatal("append to a file that cannot be written")
	}
	w.f.Close()
	w.f, w.broken = good, nil
	appendN(t, w, 1, "after")
	if got := readAll(t, path); !slices.Equal(got, []string{"kept 0", "kept 1", "after 0"}) {
		t.Errorf("%q", got)
	}
}

func TestConcurrentAppendsShareCommits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	var syncs int
	real := w.sync
	w.sync = func(f *os.File) error { syncs++; return real(f) }
	const goroutines, each = 32, 50
	heads := make([][]Head, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() { heads[g] = appendN(t, w, each, fmt.Sprint(g)) })
	}
	wg.Wait()
	if got := readAll(t, path, slices.Concat(heads...)...); len(got) != goroutines*each {
		t.Errorf("%d entries", len(got))
	}
	if syncs > goroutines*each/4 {
		t.Errorf("%d appends took %d commits", goroutines*each, syncs)
	}
}

func TestEachBitOfTheHeadFileIsChecked(t *testing.T) {
	want := tip{3, Head{12, Chain{0xab}}, 4567}
	line := want.encode()
	if got, ok := decodeTip(line); !ok || got != want {
		t.Fatalf("%+v, %v", got, ok)
	}
	for bit := range 8 * len(line) {
		flip(line, bit)
		if got, ok := decodeTip(line); ok {
			t.Errorf("bit %d: accepted as %+v", bit, got)
		}
		flip(line, bit)
	}
}
