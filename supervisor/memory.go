//go:build linux && amd64

package supervisor

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"softsgx/isa"

	"golang.org/x/sys/unix"
)

// memory is the supervisor's view of one enclave's pages: the memfd, mapped at
// file offset = linear address. It is driver.Memory.
type memory struct {
	fd     int
	base   isa.LinAddr
	view   []byte
	mu     sync.Mutex
	ahead  []elrange     // written by Prefill and not filled yet
	ending bool          // the file goes, and all its memory with it
	shown  atomic.Uint64 // pages handed out since the view was last emptied
}

// viewPages is how many pages the view may show at once: what it shows counts as
// the supervisor's memory, though it belongs to the enclave's file.
const viewPages = 8192

// Map maps [base, base+size) into the supervisor; untouched pages cost nothing.
func (m *memory) Map(base isa.LinAddr, size uint64) error {
	if size > maxOffset || uint64(base) > maxOffset-size {
		return fmt.Errorf("enclave [%#x,+%#x): %w", uint64(base), size, unix.EINVAL)
	}
	view, err := unix.Mmap(m.fd, int64(base), int(size), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("mapping the enclave: %w", err)
	}
	m.base, m.view = base, view
	return nil
}

// Page returns the bytes of the page at lin.
func (m *memory) Page(lin isa.LinAddr) []byte {
	if m.shown.Add(1)%viewPages == 0 {
		m.forget(m.base, uint64(len(m.view)))
	}
	off := uint64(lin - m.base)
	return m.view[off : off+isa.PageSize : off+isa.PageSize]
}

// Prefill writes content at lin through the file, where the kernel allocates whole
// pages without clearing them first. What it cannot write, Fill will.
func (m *memory) Prefill(lin isa.LinAddr, content []byte) {
	n, err := unix.Pwrite(m.fd, content, int64(lin))
	if err != nil || n < isa.PageSize {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead = append(m.ahead, elrange{uint64(lin), uint64(lin) + uint64(n)&^pageAlignMask})
}

// Fill writes a page, unless Prefill did.
func (m *memory) Fill(lin isa.LinAddr, content []byte) {
	if !m.prefilled(uint64(lin)) {
		copy(m.Page(lin), content)
	}
}

// prefilled tells whether Prefill wrote the page, and forgets it: pages are filled in
// the order in which they were written ahead.
func (m *memory) prefilled(lin uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.ahead) > 0 && m.ahead[0].end <= lin {
		m.ahead = m.ahead[1:]
	}
	return len(m.ahead) > 0 && m.ahead[0].start <= lin
}

// advise is madvise on [lin, lin+n) of the view.
func (m *memory) advise(lin isa.LinAddr, n uint64, advice uintptr) {
	unix.Syscall(unix.SYS_MADVISE, uintptr(unsafe.Pointer(&m.view[lin-m.base])), uintptr(n), advice)
}

// Release gives the page's memory back; it reads as zero afterwards.
func (m *memory) Release(lin isa.LinAddr) {
	if m.ending {
		return
	}
	m.mu.Lock()
	m.ahead = nil // what a failed ADD_PAGES wrote ahead is released page by page
	m.mu.Unlock()
	unix.Fallocate(m.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(lin), isa.PageSize)
}

// forget drops [lin, lin+n) from the supervisor's own page tables. The pages stay
// in the file, so it may happen at any time.
func (m *memory) forget(lin isa.LinAddr, n uint64) {
	if m.view == nil || n == 0 {
		return
	}
	m.advise(lin, n, unix.MADV_DONTNEED)
}

// present calls f for the stretches of [start, end) that hold memory, page by
// aligned page: reading a hole would fill it.
func (m *memory) present(start, end uint64, f func(b []byte, addr uint64)) {
	for start < end {
		from, err := unix.Seek(m.fd, int64(start), unix.SEEK_DATA)
		if err != nil || uint64(from) >= end {
			return
		}
		to, err := unix.Seek(m.fd, from, unix.SEEK_HOLE)
		if err != nil {
			return
		}
		start = min(uint64(to), end, uint64(from)+viewPages*isa.PageSize)
		base := uint64(m.base)
		f(m.view[uint64(from)-base:start-base], uint64(from))
	}
}

func (m *memory) close() {
	if m.view != nil {
		unix.Munmap(m.view)
		m.view = nil
	}
}
