package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// FaultResult is the outcome of a page fault.
type FaultResult uint8

// What happens after a fault.
const (
	Resolved FaultResult = iota // the page is there: map it and run on
	SIGBUS                      // send it
	Retry                       // run on; the same fault will come back
)

// Fault answers a page fault at addr through a mapping with the rights vma: an
// access that the mapping allows and the EPCM did not refuse (Linux 6.1 sgx/encl.c
// sgx_vma_fault). On an SGX2 CPU a hole of an initialized enclave becomes a page,
// whoever touches it and how. Rights are compared with the mapping's, not with the
// access.
func (e *Enclave) Fault(addr isa.LinAddr, vma isa.Access) (isa.EPCAddr, FaultResult) {
	addr = addr.Page()
	p, ceiling, ok := e.Page(addr)
	switch {
	case ok:
		return through(p, ceiling, vma)
	case !e.d.cfg.SGX2:
		return 0, SIGBUS
	}
	return e.augment(addr, vma)
}

// through is the fault on a page that exists.
func through(p isa.EPCAddr, ceiling, vma isa.Access) (isa.EPCAddr, FaultResult) {
	if vma&^ceiling != 0 {
		return 0, SIGBUS
	}
	return p, Resolved
}

// augment adds a page at addr (Linux 6.1 sgx/encl.c sgx_encl_eaug_page).
func (e *Enclave) augment(addr isa.LinAddr, vma isa.Access) (isa.EPCAddr, FaultResult) {
	if _, initialized := e.state(); !initialized {
		return 0, SIGBUS
	}
	cap, err := e.mayAugment(addr, vma)
	if err != nil || vma&^cap != 0 {
		return 0, SIGBUS
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.record(addr); r != nil && !e.d.cfg.AugmentRaceSIGBUS {
		return through(r.page.addr(), r.cap, vma)
	}
	p, err := e.eaug(addr, cap)
	if err != nil {
		return 0, SIGBUS
	}
	return p.addr(), Resolved
}

// mayAugment asks the hooks about a page and returns the ceiling of its mappings:
// every right to be had, unless they lower it.
func (e *Enclave) mayAugment(addr isa.LinAddr, vma isa.Access) (isa.Access, error) {
	const all = isa.Read | isa.Write | isa.Exec
	h := e.d.cfg.Hooks
	if h == nil {
		return all, nil
	}
	ev := &AugmentEvent{Enclave: e, Addr: addr, Rights: vma, Cap: all}
	err := h.EnclaveAugment(ev)
	return ev.Cap & all, err
}

// eaug adds a page whose mappings may have cap: the enclave decides with EACCEPT and
// EMODPE what becomes of that. e.mu is held.
func (e *Enclave) eaug(addr isa.LinAddr, cap isa.Access) (epcPage, error) {
	if !e.contains(addr) {
		return 0, uapi.EFAULT
	}
	s, err := e.reserve()
	if err != nil {
		return 0, err
	}
	if e.record(addr) != nil {
		e.abandon(s)
		return 0, uapi.EBUSY
	}
	pi := isa.PAGEINFO{Addr: kernelBuffer, LINADDR: addr, SECS: e.secs.addr()}
	if err := e.d.cfg.CPU.EAUG(&pi, s.page.addr()); err != nil {
		e.abandon(s)
		return 0, err
	}
	e.pages.put(e.number(addr), record{page: s.page, cap: cap, typ: isa.PT_REG, aug: true})
	return s.page, nil
}
