// Package uapi holds the numbers and structures that the Linux SGX driver
// shares with user space: ioctl commands and arguments, device paths, errnos
// and the layout of struct sgx_enclave_run. It has no behaviour and builds on
// any operating system.
//
// Revision: Linux 6.1, arch/x86/include/uapi/asm/sgx.h. All structures are
// little endian and have the same layout for 32-bit callers.
package uapi

// UserPtr is an address in the memory of the process that issued a call.
type UserPtr uint64
