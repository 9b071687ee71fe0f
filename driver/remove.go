package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// removePages is SGX_IOC_ENCLAVE_REMOVE_PAGES (Linux 6.1 sgx/ioctl.c
// sgx_ioc_enclave_remove_pages).
func (e *Enclave) removePages(c Caller, arg uapi.UserPtr) error {
	if err := e.sgx2Ready(); err != nil {
		return err
	}
	var a uapi.EnclaveRemovePages
	if err := copyIn(c, arg, uapi.EnclaveRemovePagesSize, &a); err != nil {
		return err
	}
	if err := e.checkRange(a.Offset, a.Length); err != nil {
		return err
	}
	if a.Count != 0 {
		return uapi.EINVAL
	}
	if err := e.mayModify(a.Offset, a.Length, ModifyEvent{Caller: c, What: RemovePages}); err != nil {
		return err
	}
	err := e.eremove(&a)
	return copyOut(c, arg, &a, err)
}

// eremove removes the pages of a and fills its result in. Version arrays are not
// given back.
func (e *Enclave) eremove(a *uapi.EnclaveRemovePages) error {
	probe := secinfoOperand(isa.SECINFO{Flags: isa.SECINFO_RWX})
	var err error
	a.Count, err = e.eachPage(a.Offset, a.Length, func(n uint64, r *record) error {
		if r.typ != isa.PT_TRIM || !e.accepted(probe, r.page) {
			return uapi.EPERM
		}
		e.d.epc.release(r.page)
		e.pages.del(n)
		e.shrink(false)
		return nil
	})
	e.revoked(a.Offset, a.Count)
	return err
}

// accepted reports whether the enclave has accepted that the page is trimmed: only
// then does EMODPR page-fault on it.
func (e *Enclave) accepted(probe isa.Operand, p epcPage) bool {
	return pageFault(e.d.cfg.CPU.EMODPR(probe, p.addr()))
}
