package driver

import (
	"sync"
	"sync/atomic"

	"softsgx/isa"
	"softsgx/uapi"
)

// Memory is where the contents of one enclave's pages lie.
type Memory interface {
	isa.Memory
	// Map prepares [base, base+size). It is called once per successful ECREATE,
	// before any page is added. A uapi.Errno inside the error is what CREATE
	// returns, any other error is ENOMEM.
	Map(base isa.LinAddr, size uint64) error
}

// Enclave is one open of the enclave node (Linux 6.1 sgx/encl.h struct
// sgx_encl): EMPTY after Open, CREATED after CREATE, INITIALIZED after INIT.
// There is no way back.
type Enclave struct {
	d    *Driver
	id   uint64
	mem  Memory
	refs atomic.Int64
	busy atomic.Bool // SGX_ENCL_IOCTL

	mu          sync.Mutex
	created     bool
	initialized bool
	base        isa.LinAddr
	size        uint64
	attributes  uint64 // ATTRIBUTES.FLAGS of the SECS
	identity    Identity
	permitted   uint64 // attributes_mask
	secs        epcPage
	pages       table
	count       uint64    // page_cnt: pages and the SECS
	va          []epcPage // version arrays
}

// ID identifies the enclave among all of its driver.
func (e *Enclave) ID() uint64 { return e.id }

// Get takes a reference: a descriptor, a mapping.
func (e *Enclave) Get() { e.refs.Add(1) }

// Put gives a reference back. The last one releases the enclave: its pages, then
// the SECS, then the version arrays (Linux 6.1 sgx/encl.c sgx_encl_release).
func (e *Enclave) Put() {
	if e.refs.Add(-1) != 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	end := e.size / isa.PageSize
	for n, r, ok := e.pages.next(0, end); ok; n, r, ok = e.pages.next(n+1, end) {
		e.d.epc.release(r.page)
	}
	if e.created {
		e.d.epc.release(e.secs)
	}
	for _, p := range e.va {
		e.d.epc.release(p)
	}
	e.pages, e.va, e.created, e.initialized = table{}, nil, false, false
}

// Range returns ELRANGE and whether INIT succeeded; zeros before CREATE.
func (e *Enclave) Range() (base isa.LinAddr, size uint64, initialized bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.base, e.size, e.initialized
}

// Stats is what one enclave uses.
type Stats struct {
	Pages    int // enclave pages, without the SECS
	EPCPages int // EPC pages: Pages, the SECS and version arrays
}

// Stats returns what the enclave uses now.
func (e *Enclave) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Stats{Pages: e.pages.used, EPCPages: e.pages.used + len(e.va)}
	if e.created {
		s.EPCPages++
	}
	return s
}

// Identity is who an initialized enclave is: what its SIGSTRUCT, which EINIT has
// verified, says of it.
type Identity struct {
	MRENCLAVE  [32]byte
	MRSIGNER   [32]byte
	ISVPRODID  uint16
	ISVSVN     uint16
	ATTRIBUTES uint64 // flags only
}

// Identity returns the enclave's identity, and false before INIT.
func (e *Enclave) Identity() (Identity, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.identity, e.initialized
}

// Page returns the EPC page behind addr and the ceiling of its mappings. It
// changes nothing.
func (e *Enclave) Page(addr isa.LinAddr) (p isa.EPCAddr, cap isa.Access, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.record(addr)
	if r == nil {
		return 0, 0, false
	}
	return r.page.addr(), r.cap, true
}

// record returns the record of the page at addr, nil for a hole and outside
// ELRANGE. e.mu is held.
func (e *Enclave) record(addr isa.LinAddr) *record {
	if !e.contains(addr) {
		return nil
	}
	return e.pages.get(e.number(addr))
}

// contains reports whether addr is in ELRANGE. e.mu is held.
func (e *Enclave) contains(addr isa.LinAddr) bool {
	return addr >= e.base && uint64(addr-e.base) < e.size
}

// number returns the page number of addr, which is in ELRANGE.
func (e *Enclave) number(addr isa.LinAddr) uint64 { return uint64(addr-e.base) / isa.PageSize }

// linear returns the address at an offset in ELRANGE.
func (e *Enclave) linear(offset uint64) isa.LinAddr { return e.base + isa.LinAddr(offset) }

// state returns the two state flags.
func (e *Enclave) state() (created, initialized bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.created, e.initialized
}

// building reports whether the enclave is CREATED and not INITIALIZED.
func (e *Enclave) building() bool {
	created, initialized := e.state()
	return created && !initialized
}

// checkRange is the rule for [offset, offset+length) of every call that works on
// pages (Linux 6.1 sgx/ioctl.c sgx_validate_offset_length).
func (e *Enclave) checkRange(offset, length uint64) error {
	switch end := offset + length; {
	case offset%isa.PageSize != 0, length == 0, length%isa.PageSize != 0:
		return uapi.EINVAL
	case end < offset, end-isa.PageSize >= e.size:
		return uapi.EINVAL
	}
	return nil
}

// slots is what a page needs before it can be added: an EPC page and a place in
// a version array.
type slots struct {
	page  epcPage
	grown bool // a version array was allocated for it
}

// reserve takes the slots of one more page. e.mu is held.
func (e *Enclave) reserve() (slots, error) {
	p, err := e.d.epc.alloc()
	if err != nil {
		return slots{}, err
	}
	grown, err := e.grow()
	if err != nil {
		e.d.epc.release(p)
		return slots{}, err
	}
	return slots{page: p, grown: grown}, nil
}

// abandon gives slots back. e.mu is held.
func (e *Enclave) abandon(s slots) {
	e.shrink(s.grown)
	e.d.epc.release(s.page)
}

// vaSlots is the number of pages that one version array serves.
const vaSlots = isa.PageSize / 8

// grow counts one more page and allocates a version array when all are full (Linux
// 6.1 sgx/encl.c sgx_encl_grow, which allocates another one whenever the count
// comes by a multiple of 512 again, after pages were removed). e.mu is held.
func (e *Enclave) grow() (grown bool, err error) {
	if e.count == uint64(len(e.va))*vaSlots {
		p, err := e.d.epc.alloc()
		if err != nil {
			return false, err
		}
		if err := e.d.cfg.CPU.EPA(uint64(isa.PT_VA), p.addr()); err != nil {
			e.d.epc.release(p)
			return false, refused(isa.EPA, err)
		}
		e.va = append(e.va, p)
		grown = true
	}
	e.count++
	return grown, nil
}

// shrink takes grow back. e.mu is held.
func (e *Enclave) shrink(grown bool) {
	e.count--
	if grown {
		last := len(e.va) - 1
		e.d.epc.release(e.va[last])
		e.va = e.va[:last]
	}
}
