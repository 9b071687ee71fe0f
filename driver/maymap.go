package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// MayMap says whether [start, end) may be mapped with the rights prot by a task
// whose personality has READ_IMPLIES_EXEC or not: nil or EACCES. It is the driver's
// part of mmap.
func (e *Enclave) MayMap(start, end isa.LinAddr, prot isa.Access, readImpliesExec bool) error {
	if err := e.mayMap(start, end, prot, readImpliesExec); err != nil {
		return err
	}
	if h := e.d.cfg.Hooks; h != nil {
		return deniedErrno(h.EnclaveMap(&MapEvent{Enclave: e, Start: start, End: end, Rights: prot}))
	}
	return nil
}

// MayProtect is MayMap for mprotect of one existing mapping. It applies even if the
// rights do not change.
func (e *Enclave) MayProtect(start, end isa.LinAddr, prot isa.Access, readImpliesExec bool) error {
	if err := e.mayMap(start, end, prot, readImpliesExec); err != nil {
		return err
	}
	if h := e.d.cfg.Hooks; h != nil {
		return deniedErrno(h.EnclaveProtect(&ProtectEvent{Enclave: e, Start: start, End: end, Rights: prot}))
	}
	return nil
}

// mayMap is Linux 6.1 sgx/encl.c sgx_encl_may_map. Holes pass: the guard against
// pages that come later is at fault time.
func (e *Enclave) mayMap(start, end isa.LinAddr, prot isa.Access, readImpliesExec bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.initialized && (start < e.base || end > e.base+isa.LinAddr(e.size)) {
		return uapi.EACCES
	}
	if readImpliesExec {
		return uapi.EACCES
	}
	first, last := e.numbers(start, end)
	for n, r, ok := e.pages.next(first, last); ok; n, r, ok = e.pages.next(n+1, last) {
		if prot&^r.cap != 0 {
			return uapi.EACCES
		}
	}
	return nil
}

// numbers returns the page numbers of the part of [start, end) that is in ELRANGE.
// e.mu is held.
func (e *Enclave) numbers(start, end isa.LinAddr) (first, last uint64) {
	start = max(start, e.base)
	end = min(end, e.base+isa.LinAddr(e.size))
	if start >= end {
		return 0, 0
	}
	return e.number(start), e.number(end + isa.PageSize - 1)
}

// Dynamic reports whether [start, end) of an initialized enclave holds pages added
// since, or places where such pages would come.
func (e *Enclave) Dynamic(start, end isa.LinAddr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.initialized {
		return false
	}
	first, last := e.numbers(start, end)
	for ; first < last; first++ {
		if r := e.pages.get(first); r == nil || r.aug {
			return true
		}
	}
	return false
}
