package driver

import (
	"encoding"

	"softsgx/uapi"
)

// UserMem is the memory of the process that issued a call. Any error means that
// the access faulted.
type UserMem interface {
	CopyIn(p uapi.UserPtr, b []byte) error
	CopyOut(p uapi.UserPtr, b []byte) error
}

// Caller is the task that issued a call. ADD_PAGES copies in on another goroutine
// while it asks the rest; copies come one at a time, and none after the call.
type Caller interface {
	UserMem
	// ProvisionFD reports whether fd, in the caller's table, is an open
	// provision device. O_PATH descriptors do not count.
	ProvisionFD(fd uint32) bool
	// Source describes the first VMA that ends above p, which need not contain
	// p (Linux 6.1, find_vma). ok is false if there is none. The answer holds
	// for every address in [p, end).
	Source(p uapi.UserPtr) (end uapi.UserPtr, mayExec, enclave, ok bool)
	// SignalPending reports whether a signal waits for the task.
	SignalPending() bool
}

// copyIn reads the argument of an ioctl.
func copyIn(m UserMem, p uapi.UserPtr, size int, v encoding.BinaryUnmarshaler) error {
	b := make([]byte, size)
	if m.CopyIn(p, b) != nil {
		return uapi.EFAULT
	}
	return v.UnmarshalBinary(b)
}

// copyOut writes the argument of an ioctl back. Its failure hides err, the
// outcome of the ioctl itself.
func copyOut(m UserMem, p uapi.UserPtr, v encoding.BinaryMarshaler, err error) error {
	b, merr := v.MarshalBinary()
	if merr != nil {
		return merr
	}
	if m.CopyOut(p, b) != nil {
		return uapi.EFAULT
	}
	return err
}
