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

// write writes content for the pages from an offset on, but for zero pages, which
// need no memory, and for those that exist: adding them is about to fail.
func (f *prefill) write(offset uint64, content []byte) {
	if f.mem == nil {
		return
	}
	first := offset / isa.PageSize
	for n := 0; n < len(content)/isa.PageSize; {
		end := n
		for end < len(content)/isa.PageSize && f.takes(first+uint64(end), content[end*isa.PageSize:]) {
			end++
		}
		if end > n {
			f.written = append(f.written, pageRange{first + uint64(n), first + uint64(end)})
			f.mem.Prefill(f.e.linear((first+uint64(n))*isa.PageSize), content[n*isa.PageSize:end*isa.PageSize])
		}
		n = end + 1
	}
}

var zeroPage [isa.PageSize]byte

func (f *prefill) takes(page uint64, content []byte) bool {
	if bytes.Equal(content[:isa.PageSize], zeroPage[:]) {
		return false
	}
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	return f.e.pages.get(page) == nil
}

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
