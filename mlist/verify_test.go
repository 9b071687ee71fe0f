package mlist

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// sample is a list in memory, frame by frame.
type sample struct {
	header []byte
	frames [][]byte
	heads  []Head // after each frame
}

func (s sample) bytes() []byte { return slices.Concat(append([][]byte{s.header}, s.frames...)...) }

// make n entries with a tag that tells lists apart.
func makeSample(t testing.TB, n int, tag string) sample {
	t.Helper()
	entries := make([]Entry, n)
	for i := range entries {
		e, err := NewEntry(10, "event", fmt.Appendf(nil, "%s %d", tag, i+1))
		if err != nil {
			t.Fatal(err)
		}
		entries[i] = e
	}
	return chainSample(t, entries)
}

func chainSample(t testing.TB, entries []Entry) sample {
	t.Helper()
	s := sample{header: Header{Segment: 1}.encode()}
	prev := Chain(s.header[offCheck:])
	for i, e := range entries {
		b, err := e.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		var f []byte
		f, prev = appendFrame(nil, prev, uint64(i+1), time.Unix(int64(i), 0), b)
		s.frames = append(s.frames, f)
		s.heads = append(s.heads, Head{uint64(i + 1), prev})
	}
	return s
}

func TestTamperingIsFoundAndLocated(t *testing.T) {
	a, other := makeSample(t, 20, "one list"), makeSample(t, 20, "another list")
	edit := func(off int) func() []byte {
		return func() []byte {
			b := a.bytes()
			b[bytes.Index(b, a.frames[6])+off] ^= 1
			return b
		}
	}
	with := func(frames ...[]byte) []byte { return slices.Concat(append([][]byte{a.header}, frames...)...) }
	f := a.frames
	rewritten := func() []byte {
		var entries []Entry
		for i, x := range f {
			e, _, _ := DecodeEntry(x[frameHead:])
			if i == 6 {
				e, _ = NewEntry(10, "event", []byte("forged"))
			}
			entries = append(entries, e)
		}
		return chainSample(t, entries).bytes()
	}
	last := a.heads[19]
	for _, r := range []struct {
		name   string
		list   func() []byte
		expect []Head
		kind   Kind
		entry  uint64
	}{
		{"edit of the length", edit(0), nil, KindEdited, 7},
		{"edit of the length, beyond all limits", edit(3), nil, KindEdited, 7},
		{"edit of the number", edit(4), nil, KindOrder, 7},
		{"edit of the time", edit(12), nil, KindEdited, 7},
		{"edit of the PCR", edit(20), nil, KindEdited, 7},
		{"edit of the template digest", edit(24), nil, KindEdited, 7},
		{"edit of the buffer", edit(len(f[6]) - 33), nil, KindEdited, 7},
		{"edit of the chain value", edit(len(f[6]) - 1), nil, KindEdited, 7},
		{"header", func() []byte { b := a.bytes(); b[20] ^= 1; return b }, nil, KindHeader, 0},
		{"cut in the middle", func() []byte { return with(slices.Concat(f[:6], f[9:])...) }, nil, KindOrder, 7},
		{"cut at the front", func() []byte { return with(f[3:]...) }, nil, KindOrder, 1},
		{"cut at the end", func() []byte { return with(f[:15]...) }, []Head{last}, KindCut, 16},
		{"cut inside an entry", func() []byte { b := a.bytes(); return b[:len(b)-10] }, nil, KindTorn, 20},
		{"all cut", func() []byte { return with() }, []Head{last}, KindCut, 1},
		{"reorder", func() []byte { return with(slices.Concat(f[:6], f[7:8], f[6:7], f[8:])...) }, nil, KindOrder, 7},
		{"repeat", func() []byte { return with(slices.Concat(f[:7], f[6:])...) }, nil, KindOrder, 8},
		{"splice of another list's entry", func() []byte { return with(slices.Concat(f[:6], other.frames[6:7], f[7:])...) }, nil, KindEdited, 7},
		{"splice of another list's end", func() []byte { return with(slices.Concat(f[:6], other.frames[6:])...) }, nil, KindEdited, 7},
		{"insertion", func() []byte { return with(slices.Concat(f[:6], other.frames[6:7], f[6:])...) }, nil, KindEdited, 7},
		{"rolled back to an older copy", func() []byte { return with(f[:10]...) }, []Head{a.heads[4], last}, KindCut, 11},
		{"another list", func() []byte { return other.bytes() }, []Head{last}, KindRewritten, 20},
		{"edit and a new chain", rewritten, []Head{last}, KindRewritten, 20},
		{"edit and a new chain, between two heads", rewritten, []Head{a.heads[4], a.heads[9], last}, KindRewritten, 10},
		{"bytes after the end", func() []byte { return append(a.bytes(), 0) }, nil, KindTorn, 21},
	} {
		t.Run(r.name, func(t *testing.T) {
			report, err := Verify(bytes.NewReader(r.list()), r.expect...)
			if !errors.Is(err, ErrTampered) {
				t.Fatalf("%v, %+v", err, report)
			}
			if p := report.Problems[0]; p.Kind != r.kind || p.Entry != r.entry {
				t.Errorf("found %v, want %v at entry %d", p, r.kind, r.entry)
			}
		})
	}
	report, err := Verify(bytes.NewReader(a.bytes()), append(a.heads, Head{})...)
	if err != nil || report.Head != last || report.Bytes != int64(len(a.bytes())) {
		t.Errorf("the list itself: %+v, %v", report, err)
	}
}

func TestChainValueIsBlamedForItself(t *testing.T) {
	a := makeSample(t, 5, "list")
	a.frames[2][len(a.frames[2])-1] ^= 1
	report, _ := Verify(bytes.NewReader(a.bytes()))
	if len(report.Problems) != 1 || report.Problems[0].Entry != 3 || !bytes.Contains([]byte(report.Problems[0].Detail), []byte("chain value was changed; the entry is sound")) {
		t.Errorf("%v", report.Problems)
	}
}

// Every single-bit change of a 1,000-entry list is detected (issue Govern, Done
// when). Frames before the change verify as they did, so each change is judged from
// its frame on; changes spread over the list go through the whole of it too.
func TestEverySingleBitChangeIsDetected(t *testing.T) {
	const entries = 1000
	a := makeSample(t, entries, "")
	list := a.bytes()
	for bit := range 8 * headerSize {
		flip(list, bit)
		if _, err := Verify(bytes.NewReader(list[:headerSize+len(a.frames[0])])); !errors.Is(err, ErrTampered) {
			t.Fatalf("header bit %d: not detected", bit)
		}
		flip(list, bit)
	}
	step := 1
	if testing.Short() {
		step = 17
	}
	scan, src, changes := newScanner(nil, 0), bytes.NewReader(nil), 0
	off, at := headerSize, Head{}
	for i, f := range a.frames {
		window := list[off-chainSize : min(len(list), off+3*len(f)+64)]
		if i+3 < entries { // whole frames only, so that nothing is torn by the window
			window = list[off-chainSize : off+len(f)+len(a.frames[i+1])+len(a.frames[i+2])]
		}
		for bit := 8 * off; bit < 8*(off+len(f)); bit += step {
			flip(list, bit)
			src.Reset(window)
			scan.r.Reset(src)
			scan.off = int64(off)
			v := Verifier{at: at.Entries}
			if v.frames(scan) != nil || len(v.report.Problems) == 0 || v.report.Problems[0].Entry != at.Entries+1 {
				t.Fatalf("entry %d, bit %d of the list: %v", i+1, bit, v.report.Problems)
			}
			flip(list, bit)
			changes++
		}
		off, at = off+len(f), a.heads[i]
	}
	for bit := 8 * headerSize; bit < 8*len(list); bit += 9973 {
		flip(list, bit)
		if _, err := Verify(bytes.NewReader(list)); !errors.Is(err, ErrTampered) {
			t.Fatalf("bit %d: not detected", bit)
		}
		flip(list, bit)
	}
	t.Logf("%d changes of %d bytes", changes, len(list))
}

func flip(b []byte, bit int) { b[bit/8] ^= 1 << (bit % 8) }

func FuzzVerify(f *testing.F) {
	a := makeSample(f, 3, "seed")
	sound := a.bytes()
	f.Add(sound)
	f.Add(sound[:len(sound)-5])
	f.Fuzz(func(t *testing.T, b []byte) {
		report, err := Verify(bytes.NewReader(b), a.heads[2])
		if err == nil && !bytes.HasPrefix(b, sound) {
			t.Errorf("accepted as the list with head %v: %x", report.Head, b)
		}
		r, err := NewReader(bytes.NewReader(b))
		for err == nil {
			_, err = r.Next()
		}
		ReadIMA(bytes.NewReader(b), func(Entry) {})
	})
}

func BenchmarkVerify(b *testing.B) {
	_, launch := workedExample(b)
	entries := make([]Entry, 100_000)
	for i := range entries {
		entries[i] = launch
	}
	list := chainSample(b, entries).bytes()
	b.SetBytes(int64(len(list)))
	for b.Loop() {
		if _, err := Verify(bytes.NewReader(list)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(entries))/b.Elapsed().Seconds(), "entries/s")
}
