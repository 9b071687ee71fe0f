package driver

import (
	"softsgx/isa"
	"softsgx/uapi"
)

// provision is SGX_IOC_ENCLAVE_PROVISION (Linux 6.1 sgx/ioctl.c
// sgx_ioc_enclave_provision). It works in every state; CREATE forgets a grant
// made before, INIT has no use for one made after.
func (e *Enclave) provision(c Caller, arg uapi.UserPtr) error {
	var a uapi.EnclaveProvision
	if err := copyIn(c, arg, uapi.EnclaveProvisionSize, &a); err != nil {
		return err
	}
	if !c.ProvisionFD(uint32(a.FD)) {
		return uapi.EINVAL
	}
	if h := e.d.cfg.Hooks; h != nil {
		if err := h.EnclaveProvision(&ProvisionEvent{Enclave: e, Caller: c}); err != nil {
			return denied(err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.permitted |= isa.ATTR_PROVISIONKEY
	return nil
}
