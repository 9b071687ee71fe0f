//go:build linux && amd64

package supervisor

import (
	"softsgx/cpu"
	"softsgx/ptrace"
	"softsgx/vdso"

	"golang.org/x/sys/unix"
)

// Process is a thread group.
type Process struct {
	tgid    int
	threads int
	device  bool      // the second seccomp filter is installed
	tried   bool      // watching it was tried when a descriptor was sent
	ranges  []elrange // ELRANGEs whose system calls stop
	cpuid   bool      // CPUID faults or its sites are patched
	foreign bool      // a 32-bit image: runs unsupervised
	actions actions
	maps    maps
}

// copied returns the record of a process that this one becomes by exec or makes by
// fork.
func (p *Process) copied() *Process {
	c := *p
	c.threads, c.maps = 0, maps{}
	return &c
}

type elrange struct{ start, end uint64 }

// Space is one address space, shared by threads and by vfork children.
type Space struct {
	users      int
	vmas       []*VMA          // enclave mappings, sorted, disjoint
	sites      map[uint64]site // patched instructions
	vdso       *vdso.Image     // nil until the exec is set up
	bootGadget uint64          // a syscall instruction of the real vDSO
	scratch    uint64          // a page of ours in the tracee, 0 for none
}

// Thread is one tracee.
type Thread struct {
	tid      int
	proc     *Process
	space    *Space
	s        *Supervisor
	lp       *cpu.LP
	at       *File // the enclave that it executes, for counting
	regs     unix.PtraceRegs
	onExit   func()          // continuation at the exit from the current system call
	native   unix.Signal     // what the kernel raised at the current stop, 0 at others
	mask     uint64          // signal mask at the last entry into an enclave
	forced   *ptrace.Siginfo // siginfo of a signal that we queued ourselves
	walk     walkFault       // what the last page walk for a leaf failed with
	granted  grant           // the last page fault that was resolved
	xbuf     []byte
	busy     bool // a worker runs its system call
	injected bool // inject was called
	vforking bool // waits in the kernel for its vfork child to exec or end
	dead     bool
}

func (s *Supervisor) newThread(tid int, p *Process, sp *Space) *Thread {
	t := &Thread{tid: tid, proc: p, space: sp, s: s, lp: s.cpu.NewLP()}
	p.threads++
	s.threads[tid] = t
	return t
}

// cont resumes the thread; a system call with a continuation runs to its exit.
func (t *Thread) cont(sig unix.Signal) {
	if t.onExit != nil {
		ptrace.ContToSyscall(t.tid, sig)
		return
	}
	ptrace.Cont(t.tid, sig)
}

func (t *Thread) getRegs() bool { return ptrace.GetRegs(t.tid, &t.regs) == nil }

// setRegs writes t.regs for a return to user mode.
func (t *Thread) setRegs() {
	t.regs.Orig_rax = ^uint64(0)
	ptrace.SetRegs(t.tid, &t.regs)
}

// answer completes the current system call without running it.
func (t *Thread) answer(result int64) {
	t.regs.Rax = uint64(result)
	t.setRegs()
	t.onExit = nil
	t.cont(0)
}

// fail completes the current system call with an errno.
func (t *Thread) fail(e unix.Errno) { t.answer(-int64(e)) }

// run lets the current system call run with t.regs and calls then at its exit,
// with t.regs read again.
func (t *Thread) run(then func()) {
	t.onExit = then
	ptrace.SetRegs(t.tid, &t.regs)
	t.cont(0)
}

// syscallStop is the exit from a system call that has a continuation.
func (s *Supervisor) syscallStop(t *Thread) {
	then := t.onExit
	t.onExit = nil
	if then == nil || !t.getRegs() {
		t.cont(0)
		return
	}
	then()
}
