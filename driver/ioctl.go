package driver

import "softsgx/uapi"

// ioctls says who serves each command of the enclave node (Linux 6.1
// sgx/ioctl.c sgx_ioctl).
var ioctls = map[uapi.Cmd]func(*Enclave, Caller, uapi.UserPtr) error{
	uapi.SGX_IOC_ENCLAVE_CREATE:               (*Enclave).create,
	uapi.SGX_IOC_ENCLAVE_ADD_PAGES:            (*Enclave).addPages,
	uapi.SGX_IOC_ENCLAVE_INIT:                 (*Enclave).initialize,
	uapi.SGX_IOC_ENCLAVE_PROVISION:            (*Enclave).provision,
	uapi.SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS: (*Enclave).restrictPermissions,
	uapi.SGX_IOC_ENCLAVE_MODIFY_TYPES:         (*Enclave).modifyTypes,
	uapi.SGX_IOC_ENCLAVE_REMOVE_PAGES:         (*Enclave).removePages,
}

// Ioctl is ioctl(2) on the enclave node. It returns nil or a uapi.Errno. A
// second call while one runs is EBUSY, whatever it asks.
//
// ERESTARTSYS asks for what the kernel does with it: EINTR if a handler without
// SA_RESTART runs, else the same call again.
func (e *Enclave) Ioctl(c Caller, cmd uint32, arg uapi.UserPtr) error {
	if !e.busy.CompareAndSwap(false, true) {
		return uapi.EBUSY
	}
	defer e.busy.Store(false)
	serve, ok := ioctls[uapi.Cmd(cmd)]
	if !ok {
		return uapi.ENOTTY
	}
	err := serve(e, c, arg)
	if err == nil {
		return nil
	}
	if e.d.cfg.Explain != nil {
		e.d.cfg.Explain(e, uapi.Cmd(cmd), err)
	}
	return errnoOf(err, uapi.EIO)
}
