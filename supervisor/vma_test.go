//go:build linux && amd64

package supervisor

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"softsgx/isa"
)

// spell writes an address space as "10-20:1 20-30:2": start-end:file.
func spell(sp *Space, names map[*File]int) string {
	var parts []string
	for _, v := range sp.vmas {
		parts = append(parts, fmt.Sprintf("%x-%x:%d", v.start, v.end, names[v.file]))
	}
	return strings.Join(parts, " ")
}

func TestSpace(t *testing.T) {
	a, b := &File{}, &File{}
	names := map[*File]int{a: 1, b: 2}
	for _, tt := range []struct {
		name     string
		change   func(*Space)
		want     string
		mappings [2]int
	}{
		{"two", func(*Space) {}, "10-20:1 30-40:2", [2]int{1, 1}},
		{"one split", func(sp *Space) { sp.remove(0x14, 0x18) }, "10-14:1 18-20:1 30-40:2", [2]int{2, 1}},
		{"both cut", func(sp *Space) { sp.remove(0x18, 0x38) }, "10-18:1 38-40:2", [2]int{1, 1}},
		{"all gone", func(sp *Space) { sp.remove(0, 0x100) }, "", [2]int{0, 0}},
		{"one over both", func(sp *Space) { sp.insert(b.mapped(0x10, 0x40, isa.Read)) }, "10-40:2", [2]int{0, 1}},
		{"one between", func(sp *Space) { sp.insert(a.mapped(0x20, 0x30, isa.Read)) }, "10-30:1 30-40:2", [2]int{1, 1}},
		{"a child", func(sp *Space) { sp.fork().remove(0, 0x25) }, "10-20:1 30-40:2", [2]int{1, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			*a, *b = File{}, File{}
			sp := &Space{}
			sp.insert(a.mapped(0x10, 0x20, isa.Read))
			sp.insert(b.mapped(0x30, 0x40, isa.Read|isa.Write))
			tt.change(sp)
			if got := spell(sp, names); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := [2]int{a.mappings, b.mappings}; got != tt.mappings {
				t.Errorf("%v mappings, want %v", got, tt.mappings)
			}
		})
	}
}

// TestSpaceAgainstArray compares with an array of owners, one for each address.
func TestSpaceAgainstArray(t *testing.T) {
	const size = 64
	r := rand.New(rand.NewPCG(1, 2))
	files := []*File{{}, {}, {}}
	sp := &Space{}
	var model [size]*File
	for range 20_000 {
		start := r.Uint64N(size)
		end := start + 1 + r.Uint64N(size-start)
		var owner *File
		if n := r.IntN(4); n < 3 {
			owner = files[n]
			sp.insert(owner.mapped(start, end, isa.Read))
		} else {
			sp.remove(start, end)
		}
		for i := start; i < end; i++ {
			model[i] = owner
		}
		checkModel(t, sp, model[:])
	}
	for _, f := range files {
		var mappings int
		for _, v := range sp.vmas {
			if v.file == f {
				mappings++
			}
		}
		if f.mappings != mappings {
			t.Errorf("a file counts %d mappings and has %d", f.mappings, mappings)
		}
	}
}

func checkModel(t *testing.T, sp *Space, model []*File) {
	t.Helper()
	var covered uint64
	sp.pieces(0, uint64(len(model)), func(start, end uint64, v *VMA) bool {
		if start != covered || end <= start {
			t.Fatalf("piece [%d,%d) after %d", start, end, covered)
		}
		covered = end
		for i := start; i < end; i++ {
			if (v == nil) != (model[i] == nil) || v != nil && v.file != model[i] || sp.find(i) != v {
				t.Fatalf("address %d belongs to another", i)
			}
		}
		return true
	})
	if covered != uint64(len(model)) {
		t.Fatalf("pieces end at %d", covered)
	}
}

func FuzzParseMap(f *testing.F) {
	f.Add("7f00-7f01 r-xp 00000000 08:01 123 /usr/lib/a b (deleted)")
	f.Add("7ffc-7ffd rw-p 00000000 00:00 0 [stack]")
	f.Add("0-1 ---p 0 0:0 0")
	f.Fuzz(func(t *testing.T, line string) { parseMap(line) })
}
