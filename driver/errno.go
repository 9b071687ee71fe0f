package driver

import (
	"errors"
	"fmt"

	"softsgx/isa"
	"softsgx/uapi"
)

// refusal is what user space gets when a leaf faults or returns a code.
type refusal struct{ fault, code uapi.Errno }

// refusals maps the outcome of each leaf to an errno (Linux 6.1 sgx/ioctl.c and
// sgx/encl.c). The leaf's own reason is lost to user space.
var refusals = map[isa.SystemLeaf]refusal{
	isa.ECREATE: {uapi.EIO, uapi.EIO},
	isa.EADD:    {uapi.EIO, uapi.EIO},
	isa.EEXTEND: {uapi.EIO, uapi.EIO},
	isa.EINIT:   {uapi.EIO, uapi.EPERM},
	isa.EPA:     {uapi.EFAULT, uapi.EFAULT},
	isa.EMODPR:  {uapi.EFAULT, uapi.EFAULT},
	isa.EMODT:   {uapi.EFAULT, uapi.EFAULT},
	isa.ETRACK:  {uapi.EFAULT, uapi.EFAULT},
}

// LeafError says which leaf refused, and why. It reaches Config.Explain only:
// the caller of an ioctl gets the errno inside.
type LeafError struct {
	Leaf  isa.SystemLeaf
	Err   error // *isa.Fault or isa.Code
	Errno uapi.Errno
}

// Error implements error.
func (e *LeafError) Error() string {
	return fmt.Sprintf("%v: %v: %v", e.Leaf, e.Err, e.Errno)
}

// Unwrap returns the reason and the errno.
func (e *LeafError) Unwrap() []error { return []error{e.Err, e.Errno} }

// refused turns the outcome of a leaf into the error that an ioctl returns.
func refused(leaf isa.SystemLeaf, err error) error {
	if err == nil {
		return nil
	}
	errno := refusals[leaf].fault
	if _, ok := resultCode(err); ok {
		errno = refusals[leaf].code
	}
	return &LeafError{Leaf: leaf, Err: err, Errno: errno}
}

// resultCode returns the code with which a leaf completed, if it did.
func resultCode(err error) (isa.Code, bool) {
	var code isa.Code
	return code, errors.As(err, &code)
}

// pageFault reports whether a leaf ended in #PF.
func pageFault(err error) bool {
	var f *isa.Fault
	return errors.As(err, &f) && f.Vector == isa.PF
}

// errnoOf returns the errno inside err, or other if there is none.
func errnoOf(err error, other uapi.Errno) uapi.Errno {
	var errno uapi.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return other
}
