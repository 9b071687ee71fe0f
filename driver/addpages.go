package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// addPages is SGX_IOC_ENCLAVE_ADD_PAGES (Linux 6.1 sgx/ioctl.c
// sgx_ioc_enclave_add_pages).
func (e *Enclave) addPages(c Caller, arg uapi.UserPtr) error {
	if !e.building() {
		return uapi.EINVAL
	}
	var a uapi.EnclaveAddPages
	if err := copyIn(c, arg, uapi.EnclaveAddPagesSize, &a); err != nil {
		return err
	}
	if a.Src%isa.PageSize != 0 {
		return uapi.EINVAL
	}
	if err := e.checkRange(a.Offset, a.Length); err != nil {
		return err
	}
	var secinfo isa.SECINFO
	if err := copyIn(c, a.SECINFO, isa.SECINFOSize, &secinfo); err != nil {
		return err
	}
	if !addable(&secinfo) {
		return uapi.EINVAL
	}
	err := e.load(c, &a, secinfo)
	return copyOut(c, arg, &a, err)
}

// addable reports whether pages may be added with this SECINFO (Linux 6.1
// sgx/ioctl.c sgx_validate_secinfo).
func addable(s *isa.SECINFO) bool {
	rwx := s.RWX()
	switch {
	case s.Type() != isa.PT_REG && s.Type() != isa.PT_TCS:
		return false
	case rwx&isa.Write != 0 && rwx&isa.Read == 0:
		return false
	case s.Type() == isa.PT_TCS && rwx != 0: // EADD would clear them silently
		return false
	}
	return *s == isa.NewSECINFO(s.Type(), rwx)
}

// mayLoad asks the hooks about a stretch of the source when its first page comes.
func (l *loader) mayLoad(p uapi.UserPtr, offset uint64) error {
	h := l.e.d.cfg.Hooks
	if h == nil || p < l.asked {
		return nil
	}
	if _, err := l.src.page(p); err != nil {
		return nil // the error comes in its turn
	}
	content := l.src.stretch(p)
	l.asked = p + uapi.UserPtr(len(content))
	return denied(h.EnclaveLoad(&LoadEvent{
		Enclave: l.e, Caller: l.src.caller, Source: p, Content: content,
		Start: l.e.linear(offset), End: l.e.linear(offset + uint64(len(content))),
		SECINFO: l.secinfo, Measured: l.measure,
	}))
}

// load adds the pages one by one and counts them in a.Count.
func (e *Enclave) load(c Caller, a *uapi.EnclaveAddPages, secinfo isa.SECINFO) error {
	l := &loader{
		e: e, src: newSource(c, a.Src, a.Length), record: newRecord(&secinfo),
		pi:      isa.PAGEINFO{Addr: kernelBuffer, SECINFO: secinfoOperand(secinfo), SECS: e.secs.addr()},
		measure: a.Flags&uapi.SGX_PAGE_MEASURE != 0, secinfo: secinfo,
	}
	ahead := newPrefill(e)
	l.src.prepare = func(p uapi.UserPtr, n uint64) func([]byte) { return ahead.plan(a.Offset+uint64(p-a.Src), n) }
	defer ahead.undo()
	defer l.src.close()
	for a.Count = 0; a.Count < a.Length; a.Count += isa.PageSize {
		if (a.Count == 0 || e.d.cfg.ShortCounts) && c.SignalPending() {
			if a.Count == 0 {
				return uapi.ERESTARTSYS
			}
			return nil
		}
		if err := l.add(a.Src+uapi.UserPtr(a.Count), a.Offset+a.Count); err != nil {
			return err
		}
	}
	return nil
}

// newRecord returns the record of a page added with this SECINFO. A TCS is RW for
// the kernel whatever its SECINFO says (Linux 6.1 sgx/encl.c
// sgx_encl_page_alloc).
func newRecord(s *isa.SECINFO) record {
	r := record{cap: s.RWX(), typ: s.Type()}
	if r.typ == isa.PT_TCS {
		r.cap = isa.Read | isa.Write
	}
	return r
}

// loader is one ADD_PAGES at work.
type loader struct {
	e       *Enclave
	src     *source
	record  record       // of each page, but for its EPC page
	pi      isa.PAGEINFO // of each page, but for address and content
	secinfo isa.SECINFO
	measure bool
	asked   uapi.UserPtr // the hooks have been asked about the source up to here
}

// add adds one page (Linux 6.1 sgx/ioctl.c sgx_encl_add_page). No other ioctl and,
// before INIT, no fault can add pages meanwhile, so the lock is free while the
// caller's memory is read.
func (l *loader) add(src uapi.UserPtr, offset uint64) error {
	if err := l.mayLoad(src, offset); err != nil {
		return err
	}
	s, err := l.reserve(offset)
	if err != nil {
		return err
	}
	content, err := l.src.page(src)
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	if err == nil {
		err = l.eadd(content, offset, s.page)
	}
	if err != nil {
		l.e.abandon(s)
		return err
	}
	r := l.record
	r.page = s.page
	l.e.pages.put(offset/isa.PageSize, r)
	return nil
}

func (l *loader) reserve(offset uint64) (slots, error) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	s, err := l.e.reserve()
	if err != nil {
		return s, err
	}
	if l.e.pages.get(offset/isa.PageSize) != nil {
		l.e.abandon(s)
		return s, uapi.EBUSY
	}
	return s, nil
}

// eadd adds and measures the page. When EEXTEND fails the page is given back
// with the SECS's count of children right, which Linux 6.1 gets wrong.
func (l *loader) eadd(content []byte, offset uint64, p epcPage) error {
	cpu := l.e.d.cfg.CPU
	l.pi.LINADDR, l.pi.SRCPGE = l.e.linear(offset), operand(content)
	if err := cpu.EADD(&l.pi, p.addr()); err != nil {
		return refused(isa.EADD, err)
	}
	if !l.measure {
		return nil
	}
	return refused(isa.EEXTEND, cpu.EEXTENDPage(l.pi.SECS, p.addr(), content))
}
