package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// readAhead is how many source pages one copy fetches.
const readAhead = 256

// source reads the pages that ADD_PAGES adds from the caller's memory, several
// at a time, and the next stretch while this one is being measured. Errors come
// with the page that they belong to: when reading ahead fails, the rest of that
// stretch is read page by page.
type source struct {
	caller Caller
	end    uapi.UserPtr // of the request's source range

	vma, vmaEnd uapi.UserPtr // what Source said holds for [vma, vmaEnd)
	mayExec     bool
	enclave     bool

	buf      []byte
	at, have uapi.UserPtr // buf holds [at, have)
	single   uapi.UserPtr // up to here, read page by page

	// prepare is asked before n bytes at p are read for what to do with them, while
	// other bytes are being used.
	prepare func(p uapi.UserPtr, n uint64) func(content []byte)
	ahead   chan stretch // holds the stretch being read ahead, nil if there is none
	spare   []byte       // the buffer that buf changes places with
}

// stretch is what was read ahead at from.
type stretch struct {
	from    uapi.UserPtr
	content []byte
	err     error
}

// newSource returns a reader of length bytes at p.
func newSource(c Caller, p uapi.UserPtr, length uint64) *source {
	return &source{caller: c, end: p + uapi.UserPtr(length), buf: make([]byte, min(length, readAhead*isa.PageSize))}
}

// page returns the content of the page at p. It stays valid until the next call.
// The order of checks is that of Linux 6.1 sgx/ioctl.c __sgx_encl_add_page: a VMA
// ends above p, it may become executable, the page can be pinned.
func (s *source) page(p uapi.UserPtr) ([]byte, error) {
	if err := s.check(p); err != nil {
		return nil, err
	}
	if p < s.at || p >= s.have {
		if err := s.fill(p); err != nil {
			return nil, err
		}
	}
	off := p - s.at
	return s.buf[off : off+isa.PageSize], nil
}

// stretch returns what has been read from p on.
func (s *source) stretch(p uapi.UserPtr) []byte { return s.buf[p-s.at : s.have-s.at] }

func (s *source) check(p uapi.UserPtr) error {
	if p < s.vma || p >= s.vmaEnd {
		end, mayExec, enclave, ok := s.caller.Source(p)
		if !ok {
			return uapi.EFAULT
		}
		s.vma, s.vmaEnd, s.mayExec, s.enclave = p, end, mayExec, enclave
	}
	switch {
	case !s.mayExec:
		return uapi.EACCES
	case s.enclave:
		return uapi.EFAULT
	}
	return nil
}

// fill reads from p on, as far as the request, the VMA and the buffer go.
func (s *source) fill(p uapi.UserPtr) error {
	n := min(uint64(len(s.buf)), uint64(s.end-p), max(uint64(s.vmaEnd-p)&^(isa.PageSize-1), isa.PageSize))
	if p < s.single {
		n = isa.PageSize
	}
	s.at, s.have = p, p
	next := s.waitAhead()
	if next.from == p && next.err == nil && len(next.content) > 0 {
		s.buf, s.spare = s.spare, s.buf
		s.have = p + uapi.UserPtr(len(next.content))
		s.readAhead()
		return nil
	}
	err := next.err
	if err == nil || next.from != p {
		err = s.caller.CopyIn(p, s.buf[:n])
	}
	if err != nil && n > isa.PageSize {
		s.single = p + uapi.UserPtr(n)
		n = isa.PageSize
		err = s.caller.CopyIn(p, s.buf[:n])
	}
	if err != nil {
		return uapi.EFAULT
	}
	s.have = p + uapi.UserPtr(n)
	if s.prepare != nil && n > isa.PageSize {
		s.prepare(p, n)(s.buf[:n])
	}
	if n == uint64(len(s.buf)) {
		s.readAhead()
	}
	return nil
}

// readAhead begins to read the stretch that follows.
func (s *source) readAhead() {
	from := s.have
	n := min(uint64(len(s.buf)), uint64(s.end-from), uint64(s.vmaEnd-from)&^(isa.PageSize-1))
	if n == 0 || from < s.single {
		return
	}
	if s.spare == nil {
		s.spare = make([]byte, len(s.buf))
	}
	content, ahead := s.spare[:n], make(chan stretch, 1)
	s.ahead = ahead
	use := func([]byte) {}
	if s.prepare != nil {
		use = s.prepare(from, n)
	}
	go func() {
		err := s.caller.CopyIn(from, content)
		if err == nil {
			use(content)
		}
		ahead <- stretch{from, content, err}
	}()
}

// waitAhead returns the stretch that was read ahead, a zero one if there is none.
func (s *source) waitAhead() (next stretch) {
	if s.ahead != nil {
		next = <-s.ahead
		s.ahead = nil
	}
	return next
}

// close waits until the caller's memory is not looked at any more.
func (s *source) close() { s.waitAhead() }
