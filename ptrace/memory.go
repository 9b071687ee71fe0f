//go:build linux && amd64

package ptrace

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ReadMem copies len(b) bytes at addr of pid's memory. It fails with EFAULT if
// any of them cannot be read by pid itself.
func ReadMem(pid int, addr uint64, b []byte) error {
	return transfer(unix.SYS_PROCESS_VM_READV, pid, addr, b)
}

// WriteMem copies b to addr of pid's memory, with pid's own write permission.
func WriteMem(pid int, addr uint64, b []byte) error {
	return transfer(unix.SYS_PROCESS_VM_WRITEV, pid, addr, b)
}

func transfer(nr uintptr, pid int, addr uint64, b []byte) error {
	for len(b) > 0 {
		local := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
		remote := unix.RemoteIovec{Base: uintptr(addr), Len: len(b)}
		n, _, e := unix.Syscall6(nr, uintptr(pid), uintptr(unsafe.Pointer(&local)), 1,
			uintptr(unsafe.Pointer(&remote)), 1, 0)
		if e != 0 {
			return e
		}
		if n == 0 {
			return fmt.Errorf("memory of %d at %#x: %w", pid, addr, unix.EFAULT)
		}
		addr, b = addr+uint64(n), b[n:]
	}
	return nil
}

// ReadString reads a NUL-terminated string of at most limit bytes at addr.
func ReadString(pid int, addr uint64, limit int) (string, error) {
	var out []byte
	for len(out) < limit {
		chunk := make([]byte, min(256, 4096-int(addr&4095)))
		if err := ReadMem(pid, addr, chunk); err != nil {
			return "", err
		}
		for i, c := range chunk {
			if c == 0 {
				return string(append(out, chunk[:i]...)), nil
			}
		}
		out = append(out, chunk...)
		addr += uint64(len(chunk))
	}
	return "", unix.ENAMETOOLONG
}
