package isa

import (
	"bytes"
	"encoding"
	"math/rand/v2"
	"reflect"
	"testing"
)

// structure is what all the structures of this package have in common.
type structure interface {
	encoding.BinaryUnmarshaler
	encoding.BinaryMarshaler
	encoding.BinaryAppender
}

// structures are the structures with a reader, by name.
var structures = []struct {
	name     string
	size     int
	new      func() structure
	lossless bool // reserved areas are kept
}{
	{"SECS", 4096, func() structure { return new(SECS) }, false},
	{"TCS", 4096, func() structure { return new(TCS) }, false},
	{"SECINFO", 64, func() structure { return new(SECINFO) }, true},
	{"PCMD", 128, func() structure { return new(PCMD) }, true},
	{"SIGSTRUCT", 1808, func() structure { return new(SIGSTRUCT) }, true},
	{"EINITTOKEN", 304, func() structure { return new(EINITTOKEN) }, true},
	{"REPORT", 432, func() structure { return new(REPORT) }, false},
	{"TARGETINFO", 512, func() structure { return new(TARGETINFO) }, false},
	{"KEYREQUEST", 512, func() structure { return new(KEYREQUEST) }, false},
	{"GPRSGX", 184, func() structure { return new(GPRSGX) }, true},
	{"EXINFO", 16, func() structure { return new(EXINFO) }, true},
}

func TestSizes(t *testing.T) {
	for _, s := range structures {
		t.Run("isa 1.0 "+s.name, func(t *testing.T) {
			b, err := s.new().MarshalBinary()
			if err != nil || len(b) != s.size {
				t.Errorf("%d bytes, %v; want %d", len(b), err, s.size)
			}
		})
	}
}

func TestShortInput(t *testing.T) {
	for _, s := range structures {
		t.Run(s.name, func(t *testing.T) {
			for _, n := range []int{0, 1, s.size - 1} {
				if err := s.new().UnmarshalBinary(make([]byte, n)); err == nil {
					t.Errorf("%d bytes accepted", n)
				}
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for _, s := range structures {
		t.Run(s.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				b := make([]byte, s.size)
				for i := range b {
					b[i] = byte(r.Uint32())
				}
				checkRoundTrip(t, s.new, s.lossless, b)
			}
		})
	}
}

// checkRoundTrip reads b, writes it and reads it again.
func checkRoundTrip(t *testing.T, make func() structure, lossless bool, b []byte) {
	t.Helper()
	first, second := make(), make()
	if err := first.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	out, err := first.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if lossless && !bytes.Equal(out, b[:len(out)]) {
		t.Fatalf("bytes changed:\n%x\n%x", b, out)
	}
	if err := second.UnmarshalBinary(out); err != nil {
		t.Fatal(err)
	}
	again, err := second.AppendBinary([]byte("head"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, append([]byte("head"), out...)) {
		t.Fatalf("bytes changed the second time:\n%x\n%x", out, again)
	}
}

func TestReadingReplacesEverything(t *testing.T) {
	for _, s := range structures {
		t.Run(s.name, func(t *testing.T) {
			got := s.new()
			if err := got.UnmarshalBinary(bytes.Repeat([]byte{0xFF}, s.size)); err != nil {
				t.Fatal(err)
			}
			if err := got.UnmarshalBinary(make([]byte, s.size)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, s.new()) {
				t.Errorf("something of the first reading is left: %+v", got)
			}
		})
	}
}

func fuzzStructure(f *testing.F, name string) {
	for _, s := range structures {
		if s.name != name {
			continue
		}
		f.Add(make([]byte, s.size))
		f.Add(bytes.Repeat([]byte{0xFF}, s.size-1))
		f.Fuzz(func(t *testing.T, b []byte) {
			if len(b) >= s.size {
				checkRoundTrip(t, s.new, s.lossless, b)
			} else if s.new().UnmarshalBinary(b) == nil {
				t.Errorf("%d bytes accepted", len(b))
			}
		})
		return
	}
	f.Fatalf("no structure %q", name)
}

func FuzzSECS(f *testing.F)       { fuzzStructure(f, "SECS") }
func FuzzTCS(f *testing.F)        { fuzzStructure(f, "TCS") }
func FuzzSECINFO(f *testing.F)    { fuzzStructure(f, "SECINFO") }
func FuzzPCMD(f *testing.F)       { fuzzStructure(f, "PCMD") }
func FuzzSIGSTRUCT(f *testing.F)  { fuzzStructure(f, "SIGSTRUCT") }
func FuzzEINITTOKEN(f *testing.F) { fuzzStructure(f, "EINITTOKEN") }
func FuzzREPORT(f *testing.F)     { fuzzStructure(f, "REPORT") }
func FuzzTARGETINFO(f *testing.F) { fuzzStructure(f, "TARGETINFO") }
func FuzzKEYREQUEST(f *testing.F) { fuzzStructure(f, "KEYREQUEST") }
func FuzzGPRSGX(f *testing.F)     { fuzzStructure(f, "GPRSGX") }
func FuzzEXINFO(f *testing.F)     { fuzzStructure(f, "EXINFO") }
