package driver

import (
	"bytes"

	"softsgx/isa"
)

// Prefiller is a Memory that takes contents before the EADD that adds the page.
// Writing many pages at once costs much less than EADD's one by one.
type Prefiller interface {
	// Prefill writes content, whole pages, at lin.
	Prefill(lin isa.LinAddr, content []byte)
}

// prefill writes what one ADD_PAGES read ahead, beside the measurement of the pages
// before. It never touches a page of the enclave, and pages that are not added in
// the end become zero again.
type prefill struct {
	e       *Enclave
	mem     Prefiller // nil if Memory is none
	written []pageRange
}

// pageRange is pages [first, end) by number in ELRANGE.
type pageRange struct{ first, end uint64 }

func newPrefill(e *Enclave) *prefill {
	mem, _ := e.mem.(Prefiller)
	return &prefill{e: e, mem: mem}
}

// plan returns what writes the contents of n bytes of pages from an offset on, but
// for zero pages, which need no memory, and for those that exist: adding them is
// about to fail. Which exist is settled here: EADD holds the lock for most of the
// time that the writing has.
func (f *prefill) plan(offset, n uint64) func(content []byte) {
	if f.mem == nil {
		return func([]byte) {}
	}
	first := offset / isa.PageSize
	missing := f.missing(first, first+n/isa.PageSize)
	return func(content []byte) {
		for _, r := range missing {
			f.write(r, content[(r.first-first)*isa.PageSize:(r.end-first)*isa.PageSize])
		}
	}
}

// missing returns the ranges of [first, end) without a page.
func (f *prefill) missing(first, end uint64) (all []pageRange) {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	for n := first; n < end; n++ {
		switch last := len(all) - 1; {
		case f.e.pages.get(n) != nil:
		case last >= 0 && all[last].end == n:
			all[last].end++
		default:
			all = append(all, pageRange{n, n + 1})
		}
	}
	return all
}

// write writes the pages of content that are not zero.
func (f *prefill) write(r pageRange, content []byte) {
	for n := r.first; n < r.end; {
		end := n
		for end < r.end && !bytes.Equal(content[(end-r.first)*isa.PageSize:][:isa.PageSize], zeroPage[:]) {
			end++
		}
		if end > n {
			f.written = append(f.written, pageRange{n, end})
			f.mem.Prefill(f.e.linear(n*isa.PageSize), content[(n-r.first)*isa.PageSize:(end-r.first)*isa.PageSize])
		}
		n = end + 1
	}
}

var zeroPage [isa.PageSize]byte

// undo gives back what no EADD came for. Nothing is read ahead any more.
func (f *prefill) undo() {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	for _, r := range f.written {
		for n := r.first; n < r.end; n++ {
			if f.e.pages.get(n) == nil {
				f.e.mem.Release(f.e.linear(n * isa.PageSize))
			}
		}
	}
}
