package driver

import (
	"fmt"

	"softsgx/isa"
	"softsgx/uapi"
)

// Hooks decides what is allowed beyond the rules of Linux 6.1. A method returns
// nil to allow; a uapi.Errno inside the error is what user space gets, any other
// error is EACCES. A denied augmentation is SIGBUS. Each method is called after
// the driver's own checks of the same request and before anything changes.
type Hooks interface {
	EnclaveCreate(*CreateEvent) error
	EnclaveProvision(*ProvisionEvent) error
	EnclaveLoad(*LoadEvent) error
	EnclaveInit(*InitEvent) error
	EnclaveMap(*MapEvent) error
	EnclaveProtect(*ProtectEvent) error
	EnclaveAugment(*AugmentEvent) error
	EnclaveModify(*ModifyEvent) error
	EnclaveEnter(*EnterEvent) error
}

// CreateEvent is SGX_IOC_ENCLAVE_CREATE.
type CreateEvent struct {
	Enclave *Enclave
	Caller  Caller
	SECS    *isa.SECS
}

// ProvisionEvent is SGX_IOC_ENCLAVE_PROVISION with a good descriptor.
type ProvisionEvent struct {
	Enclave *Enclave
	Caller  Caller
}

// LoadEvent is a stretch of pages of one SGX_IOC_ENCLAVE_ADD_PAGES, before any of
// them is added.
type LoadEvent struct {
	Enclave  *Enclave
	Caller   Caller
	Source   uapi.UserPtr // address of the stretch in the caller
	Content  []byte       // the copy of it that is going to be used; valid during the call
	Start    isa.LinAddr
	End      isa.LinAddr
	SECINFO  isa.SECINFO
	Measured bool
}

// InitEvent is SGX_IOC_ENCLAVE_INIT.
type InitEvent struct {
	Enclave    *Enclave
	Caller     Caller
	SIGSTRUCT  *isa.SIGSTRUCT
	MRSIGNER   [32]byte
	ATTRIBUTES uint64 // ATTRIBUTES.FLAGS of the SECS
	Verified   bool   // EINIT is going to accept the SIGSTRUCT: the identity is genuine
}

// MapEvent is mmap of the enclave node.
type MapEvent struct {
	Enclave    *Enclave
	Start, End isa.LinAddr
	Rights     isa.Access
}

// ProtectEvent is mprotect of an enclave mapping.
type ProtectEvent struct {
	Enclave    *Enclave
	Start, End isa.LinAddr
	Rights     isa.Access
}

// AugmentEvent is a fault that would add a page with EAUG.
type AugmentEvent struct {
	Enclave *Enclave
	Addr    isa.LinAddr
	Rights  isa.Access // of the mapping
	Cap     isa.Access // that any mapping of the page may ever have; a hook may lower it
}

// Modification says what a ModifyEvent asks for.
type Modification uint8

// The modifications of an initialized enclave's pages.
const (
	RestrictPermissions Modification = iota
	ModifyTypes
	RemovePages
)

// ModifyEvent is one of the three SGX2 ioctls, once per call.
type ModifyEvent struct {
	Enclave    *Enclave
	Caller     Caller
	What       Modification
	Start, End isa.LinAddr
	Rights     isa.Access   // of RestrictPermissions
	Type       isa.PageType // of ModifyTypes
}

// EnterEvent is EENTER.
type EnterEvent struct {
	Enclave *Enclave
	TCS     isa.LinAddr
}

// MayEnter asks the hooks about an EENTER through the TCS at tcs.
func (e *Enclave) MayEnter(tcs isa.LinAddr) error {
	h := e.d.cfg.Hooks
	if h == nil {
		return nil
	}
	return deniedErrno(h.EnclaveEnter(&EnterEvent{Enclave: e, TCS: tcs}))
}

// DeniedError says why a hook refused an ioctl. Like LeafError it reaches
// Config.Explain only.
type DeniedError struct {
	Err   error // the hook's
	Errno uapi.Errno
}

// Error implements error.
func (e *DeniedError) Error() string { return fmt.Sprintf("denied: %v: %v", e.Err, e.Errno) }

// Unwrap returns the reason and the errno.
func (e *DeniedError) Unwrap() []error { return []error{e.Err, e.Errno} }

// denied turns the answer of a hook into the error of an ioctl.
func denied(err error) error {
	if err == nil {
		return nil
	}
	return &DeniedError{Err: err, Errno: errnoOf(err, uapi.EACCES)}
}

// deniedErrno is denied for calls that nobody explains.
func deniedErrno(err error) error {
	if err == nil {
		return nil
	}
	return errnoOf(err, uapi.EACCES)
}
