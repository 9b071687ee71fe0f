package mlist

import (
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRotationKeepsTheChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{RotateBytes: 1000})
	other := mustOpen(t, path, Options{})
	var heads []Head
	for range 10 {
		heads = append(heads, appendN(t, w, 5, "w")...)
		heads = append(heads, appendN(t, other, 5, "other")...)
	}
	if err := other.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := other.Rotate(); err != nil { // an empty file is not rotated
		t.Fatal(err)
	}
	if got := readAll(t, path, heads...); len(got) != 100 {
		t.Fatalf("%d entries", len(got))
	}
	heads = append(heads, appendN(t, mustOpen(t, path, Options{}), 1, "after")...)
	full, _ := filepath.Glob(path + ".0*")
	if len(full) < 5 {
		t.Errorf("files %v", full)
	}
	readAll(t, path, heads...)
	os.Remove(full[2])
	l, err := OpenList(path)
	if err != nil || l.Missing != 3 {
		t.Fatalf("%+v, %v", l, err)
	}
	defer l.Close()
	if _, err := l.Verify(NewVerifier(heads[len(heads)-1])); err != nil {
		t.Errorf("the files that are left: %v", err)
	}
}

func TestMissingAndForeignFilesAreFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	for range 3 {
		appendN(t, w, 3, "w")
		if err := w.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	read := func(n uint64) string { b, _ := os.ReadFile(SegmentFile(path, n)); return string(b) }
	for name, files := range map[string][]string{
		"one left out":       {read(1), read(3)},
		"exchanged":          {read(2), read(1)},
		"end of a file cut":  {read(1)[:len(read(1))*2/3], read(2)},
		"last entry changed": {read(1)[:len(read(1))-1] + "x", read(2)},
	} {
		v := NewVerifier()
		for _, f := range files {
			if err := v.File("", strings.NewReader(f)); err != nil {
				t.Fatal(err)
			}
		}
		if r := v.Report(); !errors.Is(r.Err(), ErrTampered) {
			t.Errorf("%s: not found", name)
		}
	}
}

// A rotation that stops at any of its steps leaves a list that goes on.
func TestRotationStoppedHalfway(t *testing.T) {
	for _, r := range []struct {
		name string
		stop func(t *testing.T, w *Writer)
	}{
		{"next file begun", func(t *testing.T, w *Writer) { os.WriteFile(w.nextName(), []byte("soft"), 0o600) }},
		{"second name given", func(t *testing.T, w *Writer) {
			if err := os.Link(w.path, SegmentFile(w.path, 1)); err != nil {
				t.Fatal(err)
			}
		}},
		{"head not written", func(t *testing.T, w *Writer) {
			head, _ := os.ReadFile(HeadFile(w.path))
			if err := w.Rotate(); err != nil {
				t.Fatal(err)
			}
			os.WriteFile(HeadFile(w.path), head, 0o600)
		}},
	} {
		t.Run(r.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "list")
			w := mustOpen(t, path, Options{})
			heads := appendN(t, w, 3, "before")
			r.stop(t, w)
			next := mustOpen(t, path, Options{})
			heads = append(heads, appendN(t, next, 2, "after")...)
			heads = append(heads, appendN(t, w, 1, "the old one")...)
			if err := next.Rotate(); err != nil {
				t.Fatal(err)
			}
			heads = append(heads, appendN(t, next, 1, "last")...)
			if got := readAll(t, path, heads...); len(got) != 7 {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestRotationKeepsOtherFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	appendN(t, w, 1, "w")
	os.WriteFile(SegmentFile(path, 1), []byte("precious"), 0o600)
	if err := w.Rotate(); err == nil {
		t.Error("rotated over another file")
	}
	appendN(t, w, 1, "w")
	if b, _ := os.ReadFile(SegmentFile(path, 1)); string(b) != "precious" {
		t.Errorf("%q", b)
	}
}

func TestReplayThroughFiles(t *testing.T) {
	start, launch := workedExample(t)
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	w.Append(start)
	if err := w.Rotate(); err != nil {
		t.Fatal(err)
	}
	w.Append(launch)
	l, err := OpenList(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want, _ := NewReplayer(crypto.SHA256)
	want.Add(start)
	want.Add(launch)
	got, _ := NewReplayer(crypto.SHA256)
	v := NewVerifier()
	v.Visit = func(l Link) { got.Add(l.Entry) }
	if _, err := l.Verify(v); err != nil || string(got.Value(10)) != string(want.Value(10)) || len(got.PCRs()) != 1 {
		t.Errorf("%x, %v", got.Value(10), err)
	}
}
