package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// modifyTypes is SGX_IOC_ENCLAVE_MODIFY_TYPES (Linux 6.1 sgx/ioctl.c
// sgx_ioc_enclave_modify_types).
func (e *Enclave) modifyTypes(c Caller, arg uapi.UserPtr) error {
	if err := e.sgx2Ready(); err != nil {
		return err
	}
	var a uapi.EnclaveModifyTypes
	if err := copyIn(c, arg, uapi.EnclaveModifyTypesSize, &a); err != nil {
		return err
	}
	if err := e.checkRange(a.Offset, a.Length); err != nil {
		return err
	}
	switch {
	case a.PageType > 0xFF:
		return uapi.EINVAL
	case a.Result != 0 || a.Count != 0:
		return uapi.EINVAL
	}
	err := e.changeType(c, &a)
	return copyOut(c, arg, &a, err)
}

// changeType is what follows the checks that leave the argument alone (Linux 6.1
// sgx/ioctl.c sgx_enclave_modify_types).
func (e *Enclave) changeType(c Caller, a *uapi.EnclaveModifyTypes) error {
	t := isa.PageType(a.PageType)
	if t != isa.PT_TCS && t != isa.PT_TRIM {
		return uapi.EINVAL
	}
	if err := e.mayModify(a.Offset, a.Length, ModifyEvent{Caller: c, What: ModifyTypes, Type: t}); err != nil {
		return err
	}
	return e.emodt(a, t)
}

// emodt changes the type of the pages of a and fills its results in. Recorded
// types change once ETRACK has succeeded.
func (e *Enclave) emodt(a *uapi.EnclaveModifyTypes, t isa.PageType) error {
	secinfo := secinfoOperand(isa.NewSECINFO(t, 0))
	done, err := e.eachPage(a.Offset, a.Length, func(_ uint64, r *record) error {
		before := r.cap
		if err := r.become(t); err != nil {
			return err
		}
		err := e.d.cfg.CPU.EMODT(secinfo, r.page.addr())
		if err != nil {
			r.cap = before
		}
		if code, ok := resultCode(err); ok {
			a.Result = uint64(code)
		}
		return refused(isa.EMODT, err)
	})
	if err := e.settle(a.Offset, done); err != nil {
		a.Result = 0
		return err
	}
	a.Count = done
	e.setTypes(a.Offset, done, t)
	return err
}

// become checks that the page may become a t and adapts the ceiling of its
// mappings: a TCS is RW for the kernel and stays a TCS, so the page must have been
// declared so.
func (r *record) become(t isa.PageType) error {
	switch {
	case r.typ == isa.PT_REG && t == isa.PT_TCS:
		const need = isa.Read | isa.Write
		if r.cap&need != need {
			return uapi.EPERM
		}
		r.cap = need
		return nil
	case r.typ == isa.PT_REG, r.typ == isa.PT_TCS && t == isa.PT_TRIM:
		return nil
	}
	return uapi.EINVAL
}

// setTypes records the new type of pages that exist.
func (e *Enclave) setTypes(offset, length uint64, t isa.PageType) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for n := offset / isa.PageSize; n < (offset+length)/isa.PageSize; n++ {
		e.pages.get(n).typ = t
	}
}
