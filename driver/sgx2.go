package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// sgx2Ready is the first check of the three SGX2 calls (Linux 6.1 sgx/ioctl.c
// sgx_ioc_sgx2_ready).
func (e *Enclave) sgx2Ready() error {
	if !e.d.cfg.SGX2 {
		return uapi.ENODEV
	}
	if _, initialized := e.state(); !initialized {
		return uapi.EINVAL
	}
	return nil
}

// mayModify asks the hooks about one of the SGX2 calls; ev says which.
func (e *Enclave) mayModify(offset, length uint64, ev ModifyEvent) error {
	h := e.d.cfg.Hooks
	if h == nil {
		return nil
	}
	ev.Enclave = e
	ev.Start, ev.End = e.linear(offset), e.linear(offset+length)
	return denied(h.EnclaveModify(&ev))
}

// eachPage calls step for the pages of [offset, offset+length) in order, with e.mu
// held anew for each, and returns how many bytes are done. A hole ends it with
// EFAULT. Signals do not.
func (e *Enclave) eachPage(offset, length uint64, step func(n uint64, r *record) error) (done uint64, err error) {
	for ; done < length; done += isa.PageSize {
		if err := e.onPage((offset+done)/isa.PageSize, step); err != nil {
			return done, err
		}
	}
	return done, nil
}

func (e *Enclave) onPage(n uint64, step func(n uint64, r *record) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.pages.get(n)
	if r == nil {
		return uapi.EFAULT
	}
	return step(n, r)
}

// settle makes the changes to the EPCM of [offset, offset+length) final: native
// rights go down, and ETRACK with an IPI sees to it that no thread still runs on
// the old ones. Linux does this after every page; that a whole range shares one
// ETRACK shows only if ETRACK fails, when no page of the range counts as done.
func (e *Enclave) settle(offset, length uint64) error {
	if length == 0 {
		return nil
	}
	e.revoked(offset, length)
	return e.etrack()
}

// revoked says that native rights to [offset, offset+length) went down.
func (e *Enclave) revoked(offset, length uint64) {
	if e.d.cfg.Revoked != nil && length != 0 {
		e.d.cfg.Revoked(e, e.linear(offset), e.linear(offset+length))
	}
}

// etrack is Linux 6.1 sgx/ioctl.c sgx_enclave_etrack: if the previous cycle is not
// over, an IPI ends it and the second attempt counts.
func (e *Enclave) etrack() error {
	secs := e.secs.addr()
	if e.d.cfg.CPU.ETRACK(secs) != nil {
		e.ipi()
		if err := e.d.cfg.CPU.ETRACK(secs); err != nil {
			return refused(isa.ETRACK, err)
		}
	}
	e.ipi()
	return nil
}

func (e *Enclave) ipi() {
	if e.d.cfg.IPI != nil {
		e.d.cfg.IPI(e)
	}
}
