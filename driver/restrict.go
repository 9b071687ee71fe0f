package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// restrictPermissions is SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS (Linux 6.1
// sgx/ioctl.c sgx_ioc_enclave_restrict_permissions). It lowers the EPCM's rights
// with EMODPR; ceilings of mappings stay.
func (e *Enclave) restrictPermissions(c Caller, arg uapi.UserPtr) error {
	if err := e.sgx2Ready(); err != nil {
		return err
	}
	var a uapi.EnclaveRestrictPermissions
	if err := copyIn(c, arg, uapi.EnclaveRestrictPermissionsSize, &a); err != nil {
		return err
	}
	if err := e.checkRange(a.Offset, a.Length); err != nil {
		return err
	}
	switch {
	case a.Permissions&^isa.SECINFO_RWX != 0:
		return uapi.EINVAL
	case a.Permissions&isa.SECINFO_W != 0 && a.Permissions&isa.SECINFO_R == 0:
		return uapi.EINVAL
	case a.Result != 0 || a.Count != 0:
		return uapi.EINVAL
	}
	ev := ModifyEvent{Caller: c, What: RestrictPermissions, Rights: isa.Access(a.Permissions)}
	if err := e.mayModify(a.Offset, a.Length, ev); err != nil {
		return err
	}
	err := e.emodpr(&a)
	return copyOut(c, arg, &a, err)
}

// emodpr restricts the pages of a and fills its results in.
func (e *Enclave) emodpr(a *uapi.EnclaveRestrictPermissions) error {
	secinfo := secinfoOperand(isa.SECINFO{Flags: a.Permissions})
	done, err := e.eachPage(a.Offset, a.Length, func(_ uint64, r *record) error {
		if r.typ != isa.PT_REG {
			return uapi.EINVAL
		}
		err := e.d.cfg.CPU.EMODPR(secinfo, r.page.addr())
		if code, ok := resultCode(err); ok {
			a.Result = uint64(code)
		}
		return refused(isa.EMODPR, err)
	})
	if err := e.settle(a.Offset, done); err != nil {
		a.Result = 0
		return err
	}
	a.Count = done
	return err
}
