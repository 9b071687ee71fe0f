package uapi

import "fmt"

// Errno is a Linux error number, positive as user space sees it. It is an
// error; zero is success and is never returned as one.
type Errno uint16

// The error numbers that the driver and the calls around it give
// (Linux 6.1, asm-generic/errno-base.h and errno.h).
const (
	EPERM  Errno = 1
	ENOENT Errno = 2
	EINTR  Errno = 4
	EIO    Errno = 5
	EBADF  Errno = 9
	EAGAIN Errno = 11
	ENOMEM Errno = 12
	EACCES Errno = 13
	EFAULT Errno = 14
	EBUSY  Errno = 16
	EEXIST Errno = 17
	ENODEV Errno = 19
	EINVAL Errno = 22
	ENFILE Errno = 23
	EMFILE Errno = 24
	ENOTTY Errno = 25
	ESPIPE Errno = 29
	ENOSYS Errno = 38

	// ERESTARTSYS never reaches user space: it becomes EINTR when a signal
	// handler without SA_RESTART runs, else the call starts again with the
	// same arguments (Linux 6.1, include/linux/errno.h).
	ERESTARTSYS Errno = 512
)

var errnoNames = map[Errno]string{
	EPERM:       "EPERM",
	ENOENT:      "ENOENT",
	EINTR:       "EINTR",
	EIO:         "EIO",
	EBADF:       "EBADF",
	EAGAIN:      "EAGAIN",
	ENOMEM:      "ENOMEM",
	EACCES:      "EACCES",
	EFAULT:      "EFAULT",
	EBUSY:       "EBUSY",
	EEXIST:      "EEXIST",
	ENODEV:      "ENODEV",
	EINVAL:      "EINVAL",
	ENFILE:      "ENFILE",
	EMFILE:      "EMFILE",
	ENOTTY:      "ENOTTY",
	ESPIPE:      "ESPIPE",
	ENOSYS:      "ENOSYS",
	ERESTARTSYS: "ERESTARTSYS",
}

// Error implements error.
func (e Errno) Error() string {
	if n, ok := errnoNames[e]; ok {
		return n
	}
	return fmt.Sprintf("errno %d", uint16(e))
}
