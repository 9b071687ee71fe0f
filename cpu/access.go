package cpu

import "softsgx/isa"

// Access makes the checks of an ordinary memory access by a thread inside an
// enclave (SDM vol. 3D, "Access-control Requirements"): the page walk, then,
// within ELRANGE, the EPCM. Outside ELRANGE data is not the EPCM's business and
// fetching is #GP.
func (lp *LP) Access(sp Space, lin isa.LinAddr, a isa.Access) error {
	if lp.secs == nil {
		return nil
	}
	if !lp.secs.covers(lin) {
		if a&isa.Exec != 0 {
			return isa.GPFault()
		}
		return nil
	}
	p, fault := sp.Translate(lin, a)
	if fault != nil {
		return fault
	}
	lp.cpu.mu.Lock()
	defer lp.cpu.mu.Unlock()
	if e := lp.cpu.entry(p); e == nil || !e.owned(lp.secs, lin, a) {
		return isa.SGXPageFault(lin, a)
	}
	return nil
}
