package mlist

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// What a crash leaves behind the last acknowledged entry is no tampering; the same
// before it is.
func TestTornEndIsToldFromACut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{})
	heads := appendN(t, w, 3, "w")
	w.Close()
	whole, _ := os.ReadFile(path)
	for _, r := range []struct {
		name     string
		list     []byte
		torn     bool
		tampered bool
	}{
		{"whole", whole, false, false},
		{"torn behind the head", append(whole[:len(whole):len(whole)], whole[headerSize:headerSize+50]...), true, false},
		{"cut inside an acknowledged entry", whole[:len(whole)-1], false, true},
	} {
		t.Run(r.name, func(t *testing.T) {
			os.WriteFile(path, r.list, 0o600)
			l, err := OpenList(path)
			if err != nil || l.Recorded == nil || *l.Recorded != heads[2] {
				t.Fatalf("%+v, %v", l, err)
			}
			defer l.Close()
			report, err := l.Verify(NewVerifier(*l.Recorded))
			if (report.Torn != nil) != r.torn || errors.Is(err, ErrTampered) != r.tampered {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
}

func TestReadersSeeNoHalfWrittenEntry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	w := mustOpen(t, path, Options{RotateBytes: 4000})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for range 1000 { // a disk in memory would have it run away
			select {
			case <-stop:
				return
			default:
				w.Append(event(t, "load"))
			}
		}
	}()
	for range 100 {
		readAll(t, path)
		l, err := OpenList(path)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := l.Verify(NewVerifier()); err != nil || r.Torn != nil {
			t.Errorf("%+v, %v", r, err)
		}
		l.Close()
	}
	close(stop)
	<-stopped
}

func TestOpenListWithoutAList(t *testing.T) {
	if _, err := OpenList(filepath.Join(t.TempDir(), "list")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
