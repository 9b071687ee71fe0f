package driver

import "softsgx/isa"

// runPages is how many pages Runs looks at before it lets others have the lock.
const runPages = 1 << 12

// Runs calls f for the maximal runs of pages in [start, end), both page aligned,
// that native code may use with the same rights now. Holes, TCS and pages that wait
// for EACCEPT have none. The driver holds no lock during f.
func (e *Enclave) Runs(start, end isa.LinAddr, f func(start, end isa.LinAddr, epcm isa.Access)) {
	if start >= end {
		return
	}
	from, at := start, start
	var rights isa.Access
	for at < end {
		next, r := e.stretch(at, end)
		if r != rights && at > from {
			f(from, at, rights)
			from = at
		}
		at, rights = next, r
	}
	f(from, end, rights)
}

// stretch returns the rights at start and an address up to which, at least, they
// stay the same.
func (e *Enclave) stretch(start, end isa.LinAddr) (isa.LinAddr, isa.Access) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.record(start)
	if r == nil {
		return e.hole(start, end), 0
	}
	rights := e.d.cfg.Rights(r.page.addr())
	at := start + isa.PageSize
	for limit := min(end, start+runPages*isa.PageSize); at < limit; at += isa.PageSize {
		r := e.record(at)
		if r == nil || e.d.cfg.Rights(r.page.addr()) != rights {
			break
		}
	}
	return at, rights
}

// hole returns where the hole at start ends. e.mu is held.
func (e *Enclave) hole(start, end isa.LinAddr) isa.LinAddr {
	first, last := e.numbers(start, end)
	if n, _, ok := e.pages.next(first, last); ok {
		return e.base + isa.LinAddr(n)*isa.PageSize
	}
	return end
}
