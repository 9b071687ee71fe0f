package driver

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"softsgx/isa"
)

func TestRecordIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(record{}); n != 8 {
		t.Errorf("%d bytes", n)
	}
}

// TestTable compares the table with a map.
func TestTable(t *testing.T) {
	const pages = 3*directoryPages + 5*leafPages
	random := rand.New(rand.NewPCG(3, 4))
	places := []uint64{0, 1, leafPages - 1, leafPages, directoryPages - 1, directoryPages, 2*directoryPages + 7, pages - 1}
	var table table
	model := map[uint64]record{}
	for step := range 20000 {
		n := places[random.IntN(len(places))]
		if random.IntN(2) == 0 {
			n = min(n+uint64(random.IntN(40)), pages-1)
		}
		if _, used := model[n]; used {
			table.del(n)
			delete(model, n)
		} else {
			r := record{page: epcPage(step + 1), cap: isa.Access(step % 8), typ: isa.PT_REG}
			table.put(n, r)
			model[n] = r
		}
		if table.used != len(model) {
			t.Fatalf("%d pages, want %d", table.used, len(model))
		}
		if step%500 == 0 {
			compare(t, &table, model, pages)
		}
	}
	for n := range model {
		table.del(n)
	}
	compare(t, &table, nil, pages)
}

func compare(t *testing.T, table *table, model map[uint64]record, pages uint64) {
	t.Helper()
	want := slices.Sorted(maps.Keys(model))
	var got []uint64
	for n, r, ok := table.next(0, pages); ok; n, r, ok = table.next(n+1, pages) {
		if *r != model[n] || table.get(n) != r {
			t.Fatalf("page %d: %+v, want %+v", n, *r, model[n])
		}
		got = append(got, n)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("pages %v, want %v", got, want)
	}
	for n := uint64(3); n < pages; n += leafPages / 2 {
		if _, used := model[n]; used != (table.get(n) != nil) {
			t.Fatalf("page %d: used %v", n, used)
		}
	}
	if len(want) > 0 {
		if n, _, ok := table.next(want[0], want[0]+1); !ok || n != want[0] {
			t.Errorf("next is %d, %v", n, ok)
		}
		if _, _, ok := table.next(want[0], want[0]); ok {
			t.Error("found a page in an empty range")
		}
	}
}

func TestTableBounds(t *testing.T) {
	var none, one table
	one.put(0, record{page: 1})
	for _, x := range []*table{&none, &one} {
		for _, n := range []uint64{1, leafPages, directoryPages, 1 << 52} {
			if x.get(n) != nil {
				t.Errorf("page %d", n)
			}
		}
		if _, _, ok := x.next(1, 1<<52); ok {
			t.Error("found a page")
		}
	}
}
