//go:build linux && amd64

package supervisor

import (
	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// inject makes the stopped thread perform a system call and returns its result.
// Registers and signal mask are as before when it returns; the caller still has
// to set t.regs if it changed them. It may be called at any stop except an entry
// whose call is still to run.
//
// Two stops, entry and exit. Signals are blocked meanwhile: one that was to
// interrupt our call would leave a half-done state.
func (t *Thread) inject(nr uint64, args ...uint64) (int64, error) {
	t.injected = true
	var saved unix.PtraceRegs
	if err := ptrace.GetRegs(t.tid, &saved); err != nil {
		return 0, err
	}
	mask, err := ptrace.SigMask(t.tid)
	if err != nil {
		return 0, err
	}
	if err := ptrace.SetSigMask(t.tid, ^uint64(0)); err != nil {
		return 0, err
	}
	r := saved
	r.Rip, r.Rax, r.Orig_rax = t.gadget(), nr, ^uint64(0)
	for i, p := range []*uint64{&r.Rdi, &r.Rsi, &r.Rdx, &r.R10, &r.R8, &r.R9} {
		*p = 0
		if i < len(args) {
			*p = args[i]
		}
	}
	if err := ptrace.SetRegs(t.tid, &r); err != nil {
		return 0, err
	}
	// To the entry, to the exit. Coming from a system call that we skip, the
	// thread first reports the exit from that one, before the gadget.
	for seen, after := 0, r.Rip+2; seen < 2; {
		if err := t.toSyscallStop(); err != nil {
			return 0, err
		}
		if err := ptrace.GetRegs(t.tid, &r); err != nil {
			return 0, err
		}
		if r.Rip == after {
			seen++
		}
	}
	saved.Orig_rax = ^uint64(0)
	if err := ptrace.SetRegs(t.tid, &saved); err != nil {
		return 0, err
	}
	if err := ptrace.SetSigMask(t.tid, mask); err != nil {
		return 0, err
	}
	if v := int64(r.Rax); v < 0 && v > -4096 {
		return v, unix.Errno(-v)
	}
	return int64(r.Rax), nil
}

// toSyscallStop resumes the thread until its next system-call stop and swallows
// what else it reports on the way. A thread that ends meanwhile is handed to the
// main loop.
func (t *Thread) toSyscallStop() error {
	for {
		if err := ptrace.ContToSyscall(t.tid, 0); err != nil {
			return err
		}
		stop, err := t.await()
		if err != nil {
			return err
		}
		if stop.Kind == ptrace.Syscall {
			return nil
		}
		if t.s.gone(stop) {
			return unix.ESRCH
		}
	}
}

// await waits for the next report of this one thread.
func (t *Thread) await() (ptrace.Stop, error) {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(t.tid, &ws, unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		return ptrace.Decode(t.tid, ws), err
	}
}

// gone queues the report of a thread's end for the main loop.
func (s *Supervisor) gone(stop ptrace.Stop) bool {
	end := stop.Kind == ptrace.Exited || stop.Kind == ptrace.Killed ||
		stop.Kind == ptrace.Event && stop.Event == unix.PTRACE_EVENT_EXIT
	if end {
		s.queue = append(s.queue, stop)
	}
	return end
}

// gadget is the address of a `syscall` instruction in the tracee.
func (t *Thread) gadget() uint64 {
	if t.space.vdso != nil {
		return t.space.vdso.Syscall
	}
	return t.space.bootGadget
}
