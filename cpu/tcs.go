package cpu

import (
	"encoding/binary"

	"softsgx/isa"
)

// tcs is the state of a TCS page. The page's bytes can be reached by software
// that they are meant to be hidden from, so they are only a mirror. Guarded by
// CPU.mu; fields other than STATE, FLAGS, CSSA and AEP do not change.
type tcs struct {
	isa.TCS
	lin  isa.LinAddr
	epc  isa.EPCAddr
	page []byte // the mirror; nil once the page is no TCS any more
}

func (t *tcs) optIn() bool { return t.FLAGS&isa.TCS_DBGOPTIN != 0 }

// reflect writes what hardware changes to the page, for debuggers.
func (t *tcs) reflect() {
	if t.page == nil {
		return
	}
	binary.LittleEndian.PutUint64(t.page[isa.TCSOffsetSTATE:], t.STATE)
	binary.LittleEndian.PutUint64(t.page[isa.TCSOffsetFLAGS:], t.FLAGS)
	binary.LittleEndian.PutUint32(t.page[isa.TCSOffsetCSSA:], t.CSSA)
	binary.LittleEndian.PutUint64(t.page[isa.TCSOffsetAEP:], t.AEP)
}

// limitsOK reports whether FSLIMIT and GSLIMIT suit a 32-bit enclave.
func limitsOK(t *isa.TCS) bool {
	const low = isa.PageSize - 1
	return t.FSLIMIT&low == low && t.GSLIMIT&low == low
}

// retire forgets that p is a TCS. A thread that runs on it keeps its state.
func (s *secs) retire(p isa.EPCAddr) {
	if t := s.tcs[p]; t != nil {
		t.page = nil
		delete(s.tcs, p)
	}
}

// store writes the whole TCS to page.
func (t *tcs) store(page []byte) {
	if _, err := t.AppendBinary(page[:0]); err != nil {
		panic(err) // a TCS always fits its page
	}
}
