//go:build linux && amd64

package probe

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Code returns the address of a page of memory that holds code and may be executed:
// what pure Go cannot say.
func Code(code []byte) *byte {
	p, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic("no memory for one page of code: " + err.Error())
	}
	copy(p, code)
	if err := unix.Mprotect(p, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		panic("this host forbids making a page executable: " + err.Error())
	}
	return &p[0]
}

// callCode runs code once and returns what it leaves in RAX.
func callCode(code []byte) uint64 {
	entry := Code(code)
	closure := &entry
	return (*(*func() uint64)(unsafe.Pointer(&closure)))()
}
