//go:build linux && amd64

package supervisor

import (
	"softsgx/ptrace"
	"softsgx/seccomp"

	"golang.org/x/sys/unix"
)

// calls says who answers a system call that the filters stopped.
var calls map[uint64]func(*Supervisor, *Thread)

// Some answers handle other stops first, and so refer to calls themselves.
func init() { calls = answers() }

func answers() map[uint64]func(*Supervisor, *Thread) {
	return map[uint64]func(*Supervisor, *Thread){
		unix.SYS_OPEN:              func(s *Supervisor, t *Thread) { s.open(t, atCWD, t.regs.Rdi, t.regs.Rsi) },
		unix.SYS_CREAT:             func(s *Supervisor, t *Thread) { s.open(t, atCWD, t.regs.Rdi, unix.O_WRONLY) },
		unix.SYS_OPENAT:            func(s *Supervisor, t *Thread) { s.open(t, t.regs.Rdi, t.regs.Rsi, t.regs.Rdx) },
		unix.SYS_OPENAT2:           (*Supervisor).openat2,
		unix.SYS_STAT:              func(s *Supervisor, t *Thread) { s.stat(t, atCWD, t.regs.Rdi, t.regs.Rsi, 0) },
		unix.SYS_LSTAT:             func(s *Supervisor, t *Thread) { s.stat(t, atCWD, t.regs.Rdi, t.regs.Rsi, 0) },
		unix.SYS_NEWFSTATAT:        func(s *Supervisor, t *Thread) { s.stat(t, t.regs.Rdi, t.regs.Rsi, t.regs.Rdx, t.regs.R10) },
		unix.SYS_FSTAT:             (*Supervisor).fstat,
		unix.SYS_STATX:             (*Supervisor).statx,
		unix.SYS_ACCESS:            func(s *Supervisor, t *Thread) { s.access(t, atCWD, t.regs.Rdi, t.regs.Rsi) },
		unix.SYS_FACCESSAT:         func(s *Supervisor, t *Thread) { s.access(t, t.regs.Rdi, t.regs.Rsi, t.regs.Rdx) },
		unix.SYS_FACCESSAT2:        func(s *Supervisor, t *Thread) { s.access(t, t.regs.Rdi, t.regs.Rsi, t.regs.Rdx) },
		unix.SYS_READLINK:          func(s *Supervisor, t *Thread) { s.readlink(t, atCWD, t.regs.Rdi, t.regs.Rsi, t.regs.Rdx) },
		unix.SYS_READLINKAT:        func(s *Supervisor, t *Thread) { s.readlink(t, t.regs.Rdi, t.regs.Rsi, t.regs.Rdx, t.regs.R10) },
		unix.SYS_GETXATTR:          func(s *Supervisor, t *Thread) { s.onNode(t, atCWD, t.regs.Rdi, -int64(unix.ENODATA)) },
		unix.SYS_LGETXATTR:         func(s *Supervisor, t *Thread) { s.onNode(t, atCWD, t.regs.Rdi, -int64(unix.ENODATA)) },
		unix.SYS_LISTXATTR:         func(s *Supervisor, t *Thread) { s.onNode(t, atCWD, t.regs.Rdi, 0) },
		unix.SYS_LLISTXATTR:        func(s *Supervisor, t *Thread) { s.onNode(t, atCWD, t.regs.Rdi, 0) },
		unix.SYS_SCHED_GETAFFINITY: (*Supervisor).affinity,
		unix.SYS_SCHED_SETAFFINITY: (*Supervisor).affinity,
		unix.SYS_MADVISE:           (*Supervisor).madvise,
		unix.SYS_IOCTL:             (*Supervisor).ioctl,
		unix.SYS_MMAP:              (*Supervisor).mmap,
		unix.SYS_MUNMAP:            (*Supervisor).munmap,
		unix.SYS_MPROTECT:          (*Supervisor).mprotect,
		unix.SYS_PKEY_MPROTECT:     (*Supervisor).mprotect,
		unix.SYS_MREMAP:            (*Supervisor).mremap,
		unix.SYS_LSEEK:             refuse(unix.ESPIPE, 0),
		unix.SYS_PREAD64:           refuse(unix.EINVAL, 0),
		unix.SYS_PWRITE64:          refuse(unix.EINVAL, 0),
		unix.SYS_PREADV:            refuse(unix.EINVAL, 0),
		unix.SYS_PWRITEV:           refuse(unix.EINVAL, 0),
		unix.SYS_PREADV2:           refuse(unix.EINVAL, 0),
		unix.SYS_PWRITEV2:          refuse(unix.EINVAL, 0),
		unix.SYS_FTRUNCATE:         refuse(unix.EINVAL, 0),
		unix.SYS_FALLOCATE:         refuse(unix.ENODEV, 0),
		unix.SYS_SENDFILE:          refuse(unix.EINVAL, 0, 1),
		unix.SYS_COPY_FILE_RANGE:   refuse(unix.EINVAL, 0, 2),
		unix.SYS_SPLICE:            refuse(unix.EINVAL, 0, 2),
		unix.SYS_IO_URING_SETUP:    (*Supervisor).ioURing,
		unix.SYS_SENDMSG:           (*Supervisor).passing,
		unix.SYS_SENDMMSG:          (*Supervisor).passing,
		unix.SYS_PIDFD_GETFD:       (*Supervisor).passing,
		unix.SYS_RT_SIGACTION:      (*Supervisor).sigaction,
	}
}

// x32Bit marks a system call of the x32 ABI (asm/unistd.h).
const x32Bit = 0x40000000

// seccompStop is the entry of a system call that a filter stopped.
func (s *Supervisor) seccompStop(t *Thread) {
	if !t.getRegs() {
		return
	}
	if t.isInt80() {
		s.int80(t)
		return
	}
	if t.inside() {
		s.syscallInside(t)
		return
	}
	if t.proc.foreign {
		t.cont(0)
		return
	}
	if t.regs.Orig_rax&x32Bit != 0 { // else it would bypass every rule by number
		t.fail(unix.ENOSYS)
		return
	}
	if answer := calls[t.regs.Orig_rax]; answer != nil {
		answer(s, t)
		return
	}
	t.cont(0)
}

// isInt80 tells a 32-bit system call from a 64-bit one. Where a site of ours stands
// there is nothing to ask.
func (t *Thread) isInt80() bool {
	if _, ours := t.space.site(t.regs.Rip - 2); ours {
		return true
	}
	data, err := ptrace.EventMsg(t.tid)
	return err == nil && data == seccomp.ForeignData
}

// int80 is `int $0x80`: one of the instructions that we put it in the place of, or
// a real 32-bit system call, which runs as it is.
func (s *Supervisor) int80(t *Thread) {
	at := t.regs.Rip - 2
	kind, ours := t.space.site(at)
	if !ours && !t.inside() {
		t.cont(0)
		return
	}
	t.regs.Rax, t.regs.Rip = t.regs.Orig_rax, at
	switch {
	case kind == siteENCLU:
		s.enclu(t, atSyscall)
	case t.inside(): // an INT 80H of the enclave's own
		s.exception(t, undefined, atSyscall)
	default:
		s.cpuidAt(t)
	}
}

// syscallInside is SYSCALL in an enclave: #UD, whatever the number. The kernel has
// already overwritten RCX and R11.
func (s *Supervisor) syscallInside(t *Thread) {
	t.regs.Rax, t.regs.Rip = t.regs.Orig_rax, t.regs.Rip-2
	s.exception(t, undefined, atSyscall)
}
