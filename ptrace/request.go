//go:build linux && amd64

package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options that every tracee of ours is seized with: all children follow, and
// the tracer's death kills them.
const Options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK |
	unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEVFORKDONE | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEEXIT |
	unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_EXITKILL

const ntX86XState = 0x202 // NT_X86_XSTATE, linux/elf.h

// request performs one ptrace request. It is a raw call: a stopped tracee never
// makes ptrace block, so the Go scheduler need not know.
func request(req int, tid int, addr, data uintptr) error {
	_, _, e := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(req), uintptr(tid), addr, data, 0, 0)
	if e != 0 {
		return e
	}
	return nil
}

// Seize attaches to pid with Options.
func Seize(pid int) error { return request(unix.PTRACE_SEIZE, pid, 0, Options) }

// Interrupt asks a running tracee to stop (PTRACE_EVENT_STOP).
func Interrupt(tid int) error { return request(unix.PTRACE_INTERRUPT, tid, 0, 0) }

// Cont lets a stopped tracee run and delivers sig, if any.
func Cont(tid int, sig unix.Signal) error {
	return request(unix.PTRACE_CONT, tid, 0, uintptr(sig))
}

// ContToSyscall lets a stopped tracee run up to the next entry to or exit from a
// system call.
func ContToSyscall(tid int, sig unix.Signal) error {
	return request(unix.PTRACE_SYSCALL, tid, 0, uintptr(sig))
}

// Step lets a stopped tracee execute one instruction.
func Step(tid int, sig unix.Signal) error {
	return request(unix.PTRACE_SINGLESTEP, tid, 0, uintptr(sig))
}

// Listen leaves a group-stopped tracee stopped, but lets it report SIGCONT.
func Listen(tid int) error { return request(unix.PTRACE_LISTEN, tid, 0, 0) }

// GetRegs reads the general registers.
func GetRegs(tid int, r *unix.PtraceRegs) error {
	return request(unix.PTRACE_GETREGS, tid, 0, uintptr(unsafe.Pointer(r)))
}

// SetRegs writes the general registers. Going back to user mode with
// Orig_rax >= 0 may make the kernel's restart logic touch RAX: set it to -1.
func SetRegs(tid int, r *unix.PtraceRegs) error {
	return request(unix.PTRACE_SETREGS, tid, 0, uintptr(unsafe.Pointer(r)))
}

// GetXState reads the extended state in the standard (uncompacted) XSAVE format
// into buf and returns the part filled.
func GetXState(tid int, buf []byte) ([]byte, error) {
	iov := unix.Iovec{Base: &buf[0], Len: uint64(len(buf))}
	err := request(unix.PTRACE_GETREGSET, tid, ntX86XState, uintptr(unsafe.Pointer(&iov)))
	return buf[:iov.Len], err
}

// SetXState writes the extended state. The kernel refuses (EINVAL, EFAULT) an
// image that XRSTOR would fault on.
func SetXState(tid int, buf []byte) error {
	iov := unix.Iovec{Base: &buf[0], Len: uint64(len(buf))}
	return request(unix.PTRACE_SETREGSET, tid, ntX86XState, uintptr(unsafe.Pointer(&iov)))
}

// EventMsg returns the message of a PTRACE_EVENT stop: a new tid, the former tid
// of exec, or the data of SECCOMP_RET_TRACE.
func EventMsg(tid int) (uint64, error) {
	var msg uint64
	err := request(unix.PTRACE_GETEVENTMSG, tid, 0, uintptr(unsafe.Pointer(&msg)))
	return msg, err
}

// SigMask reads the blocked signals, bit n-1 for signal n.
func SigMask(tid int) (uint64, error) {
	var m uint64
	err := request(unix.PTRACE_GETSIGMASK, tid, 8, uintptr(unsafe.Pointer(&m)))
	return m, err
}

// SetSigMask writes the blocked signals.
func SetSigMask(tid int, m uint64) error {
	return request(unix.PTRACE_SETSIGMASK, tid, 8, uintptr(unsafe.Pointer(&m)))
}

// Siginfo is the head of siginfo_t as x86-64 Linux lays it out; Addr is si_addr
// of a fault and, in other signals, whatever lies there.
type Siginfo struct {
	Signo int32
	Errno int32
	Code  int32
	_     int32
	Addr  uint64
	rest  [104]byte
}

// GetSiginfo reads the siginfo of a signal-delivery stop.
func GetSiginfo(tid int, si *Siginfo) error {
	return request(unix.PTRACE_GETSIGINFO, tid, 0, uintptr(unsafe.Pointer(si)))
}

// SetSiginfo replaces the siginfo of a signal-delivery stop, before Cont.
func SetSiginfo(tid int, si *Siginfo) error {
	return request(unix.PTRACE_SETSIGINFO, tid, 0, uintptr(unsafe.Pointer(si)))
}

// Poke writes eight bytes, page protection notwithstanding (copy on write).
func Poke(tid int, addr, value uint64) error {
	return request(unix.PTRACE_POKEDATA, tid, uintptr(addr), uintptr(value))
}

// Peek reads eight bytes, page protection notwithstanding.
func Peek(tid int, addr uint64) (uint64, error) {
	var v uint64
	err := request(unix.PTRACE_PEEKDATA, tid, uintptr(addr), uintptr(unsafe.Pointer(&v)))
	return v, err
}

// PokeBytes writes b at addr by Peek and Poke: for a few bytes of code.
func PokeBytes(tid int, addr uint64, b []byte) error {
	for len(b) > 0 {
		word := addr &^ 7
		v, err := Peek(tid, word)
		if err != nil {
			return err
		}
		p := (*[8]byte)(unsafe.Pointer(&v))
		n := copy(p[addr-word:], b)
		if err := Poke(tid, word, v); err != nil {
			return err
		}
		addr, b = addr+uint64(n), b[n:]
	}
	return nil
}
