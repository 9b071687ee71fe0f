package cpu

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"testing"

	"softsgx/isa"
)

// How much TestConcurrency does.
const (
	raceThreads = 4
	raceRounds  = 40
)

// Pages of each thread of TestConcurrency, from raceOffset on.
const (
	raceOffset = 0x40000
	raceSize   = 0x10000
	raceSSA    = 0x2000
	raceData   = 0x4000
	raceEDMM   = 0x5000
)

// worker is one goroutine of TestConcurrency: a thread in the enclave, or the
// kernel. It returns errors, because only the test's goroutine may end the test.
type worker struct {
	*enclave
	slot  uint64      // offset of its pages
	pages isa.EPCAddr // first of its own free EPC pages
	spare isa.EPCAddr // free page of evict
}

// TestConcurrency lets threads and kernels work at once, on one enclave and on
// several. It is for the race detector; and no leaf may fail but for the locks
// that the architecture lets it fail for.
func TestConcurrency(t *testing.T) {
	e := newRig(t, fullConfig()).newEnclave(plan{cold: true, flags: isa.ATTR_AEXNOTIFY})
	for i := range uint64(raceThreads) {
		e.addThread(raceOffset + i*raceSize)
	}
	e.initialise(plan{})
	shared := e.create(plan{})
	var kinds []func(*worker) error
	for range raceThreads {
		kinds = append(kinds, (*worker).thread)
	}
	kinds = append(kinds, (*worker).contend, (*worker).contend, (*worker).evict, (*worker).build,
		(*worker).watch, shared.addTo, shared.addTo)

	var wg sync.WaitGroup
	errs := make(chan error, len(kinds))
	for i, run := range kinds {
		n := *e
		n.lp, n.x = e.c.NewLP(), newImage(&e.c.cfg.XLayout)
		n.epc = maps.Clone(e.epc)
		w := &worker{enclave: &n, slot: raceOffset + uint64(i)*raceSize, pages: e.page(), spare: e.page()}
		if i < raceThreads {
			n.space = n.mapped(w.slot+raceEDMM, w.pages)
		}
		wg.Go(func() {
			for range raceRounds {
				if err := run(w); err != nil {
					errs <- fmt.Errorf("worker %d: %w", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if s := e.state(); s.occupied() || s.cur != 0 || s.prev != 0 {
		t.Errorf("%d and %d threads left inside", s.cur, s.prev)
	}
}

func (e *enclave) addThread(off uint64) {
	e.t.Helper()
	tcs := isa.TCS{FLAGS: isa.TCS_AEXNOTIFY, OSSA: off + raceSSA, NSSA: 2, OENTRY: offCode}
	b, err := tcs.MarshalBinary()
	must(e.t, err)
	e.add(off, flagsTCS, b)
	e.add(off+raceSSA, flagsRW, nil)
	e.add(off+raceSSA+isa.PageSize, flagsRW, nil)
	e.add(off+raceData, flagsRW, nil)
	e.put(off+raceData+0x800, &isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL})
}

// mapped returns the address space with one more page.
func (e *enclave) mapped(off uint64, p isa.EPCAddr) space {
	n := space{e.lin(off): {p, isa.Read | isa.Write | isa.Exec}}
	for lin, p := range e.space {
		n[lin] = p
	}
	return n
}

// leaf executes ENCLU with operands, and returns codes as errors too.
func (w *worker) leaf(leaf isa.Leaf, rbx, rcx, rdx uint64) error {
	w.regs.RAX, w.regs.RBX, w.regs.RCX, w.regs.RDX = uint64(leaf), rbx, rcx, rdx
	err := w.lp.ENCLU(w.ctx())
	if err == nil && (leaf == isa.EACCEPT || leaf == isa.EGETKEY) && w.regs.RAX != 0 {
		err = isa.Code(w.regs.RAX)
	}
	return err
}

func (w *worker) here(off uint64) uint64 { return uint64(w.lin(w.slot + off)) }

// all runs steps until one fails.
func all(steps ...func() error) error {
	for i, f := range steps {
		if err := f(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return nil
}

// thread is a thread's life, with pages that come and go.
func (w *worker) thread() error {
	edmm := w.slot + raceEDMM
	aug := &isa.PAGEINFO{Addr: kernel, LINADDR: w.lin(edmm), SECS: w.secs}
	enter := func(leaf isa.Leaf) func() error {
		return func() error { w.outside(leaf); return w.leaf(leaf, w.here(0), outAEP, 0) }
	}
	return all(
		enter(isa.EENTER),
		func() error {
			return w.leaf(isa.EREPORT, w.here(raceData), w.here(raceData+0x200), w.here(raceData+0x400))
		},
		func() error { return w.leaf(isa.EGETKEY, w.here(raceData+0x800), w.here(raceData+0xA00), 0) },
		func() error { return w.c.EAUG(aug, w.pages) },
		func() error { return w.agree(acceptRW) },
		func() error { return w.c.EMODPR(secinfo(flagsR), w.pages) },
		func() error { return w.agree(acceptR) },
		func() error { return w.lp.AEX(w.ctx(), exception(isa.UD)) },
		enter(isa.ERESUME),
		func() error { return w.c.EMODT(secinfo(flagsTRIM), w.pages) },
		func() error { return w.agree(acceptTRIM) },
		func() error { return w.c.EREMOVE(w.pages) },
		func() error { return w.leaf(isa.EEXIT, outRIP, 0, 0) },
	)
}

// agree does EACCEPT, and what it takes until the change is tracked.
func (w *worker) agree(flags uint64) error {
	w.poke(w.slot+raceData+0xC00, secinfo(flags).Bytes)
	for {
		err := w.leaf(isa.EACCEPT, w.here(raceData+0xC00), w.here(raceEDMM), 0)
		if err != isa.SGX_NOT_TRACKED {
			return err
		}
		if err := w.shootDown(); err != nil {
			return err
		}
	}
}

// shootDown does what the system does to finish a tracking cycle.
func (w *worker) shootDown() error {
	if err := w.c.ETRACK(w.secs); err != nil && err != isa.SGX_PREV_TRK_INCMPL {
		return err
	}
	for _, lp := range w.c.StaleLPs(w.secs) {
		lp.Interrupted()
	}
	runtime.Gosched()
	return nil
}

// contend wants a TCS that others want too.
func (w *worker) contend() error {
	w.outside(isa.EENTER)
	err := w.lp.ENCLU(w.ctx())
	if isGPFault(err) {
		w.outside(isa.ERESUME)
		err = w.lp.ENCLU(w.ctx())
	}
	if isGPFault(err) {
		return nil
	}
	return all(
		func() error { return err },
		func() error { return w.lp.AEX(w.ctx(), Event{}) },
	)
}

func isGPFault(err error) bool {
	var f *isa.Fault
	return errors.As(err, &f) && f.Vector == isa.GP
}

// evict writes a page back and loads it again, into another page.
func (w *worker) evict() error {
	old, va := w.epc[offMore], w.pages
	pi := isa.PAGEINFO{Addr: kernel, SRCPGE: operand(make([]byte, isa.PageSize)), SECINFO: operand(make([]byte, isa.PCMDSize))}
	w.epc[offMore], w.spare = w.spare, old
	return all(
		func() error { return w.c.EPA(uint64(isa.PT_VA), va) },
		func() error { return w.c.EBLOCK(old) },
		func() error { return w.writeBack(&pi, old, va) },
		func() error { pi.SECS = w.secs; return w.c.ELDU(&pi, w.epc[offMore], va) },
		func() error { return w.c.EREMOVE(va) },
	)
}

// writeBack does EWB, and what it takes until the EBLOCK is tracked.
func (w *worker) writeBack(pi *isa.PAGEINFO, p, va isa.EPCAddr) error {
	for {
		if err := w.c.EWB(pi, p, va); err != isa.SGX_NOT_TRACKED {
			return err
		}
		if err := w.shootDown(); err != nil {
			return err
		}
	}
}

// build makes an enclave and takes it down.
func (w *worker) build() error {
	s := isa.SECS{SIZE: 0x100000, BASEADDR: elbase, SSAFRAMESIZE: 1, ATTRIBUTES: isa.ATTRIBUTES{Flags: isa.ATTR_MODE64BIT, XFRM: 3}}
	b, err := s.MarshalBinary()
	if err != nil {
		return err
	}
	pi := isa.PAGEINFO{Addr: kernel, SRCPGE: operand(b), SECINFO: secinfo(0)}
	add := isa.PAGEINFO{Addr: kernel, LINADDR: elbase, SRCPGE: operand(fill(1)), SECINFO: secinfo(flagsR), SECS: w.pages}
	page := w.spare
	return all(
		func() error { return w.c.ECREATE(&pi, w.pages, newMemory()) },
		func() error { return w.c.EADD(&add, page) },
		func() error { return w.c.EEXTENDPage(w.pages, page, nil) },
		func() error { return w.c.EREMOVE(page) },
		func() error { return w.c.EREMOVE(w.pages) },
	)
}

// addTo adds a page to an enclave that others add to as well. They fail with
// #GP while another measures.
func (e *enclave) addTo(w *worker) error {
	pi := e.pageinfo(w.slot, flagsRW, fill(2))
	for _, f := range []func() error{
		func() error { return w.c.EADD(pi, w.pages) },
		func() error { return w.c.EEXTENDPage(e.secs, w.pages, nil) },
		func() error { return w.c.EREMOVE(w.pages) },
	} {
		err := f()
		for isGPFault(err) {
			runtime.Gosched()
			err = f()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// watch looks at everything.
func (w *worker) watch() error {
	w.c.Sections()
	w.c.CPUID(isa.CPUIDSGX, 2, [4]uint32{})
	for _, p := range w.epc {
		w.c.EPCM(p)
	}
	for _, lp := range w.c.StaleLPs(w.secs) {
		lp.SECS()
		lp.Interrupted()
	}
	runtime.Gosched()
	return nil
}
