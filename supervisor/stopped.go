//go:build linux && amd64

package supervisor

import (
	"slices"

	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// withStopped runs f, which may inject, while t is stopped. The thread whose system
// call is being answered is stopped already, as is one that a worker serves; others
// are interrupted. It reports false if the thread cannot be used: it is ending, or
// waits for its vfork child, which has the same address space.
func (s *Supervisor) withStopped(t *Thread, f func()) bool {
	if t == s.current || t.busy {
		f()
		return true
	}
	for !t.vforking && !t.dead {
		stop, err := s.stopOf(t)
		if err != nil {
			return false
		}
		switch {
		case stop.Kind == ptrace.Exited, stop.Kind == ptrace.Killed, stop.Kind == ptrace.Event && stop.Event == unix.PTRACE_EVENT_EXIT:
			s.queue = append(s.queue, stop)
			return false
		case stop.Kind == ptrace.Signal, stop.Kind == ptrace.Event && stop.Event != unix.PTRACE_EVENT_SECCOMP:
			s.handleFirst(stop) // nothing can be injected within a clone, or before a signal that interrupted a call
		default:
			s.useStop(t, stop, f)
			return true
		}
	}
	return false
}

// stopOf returns the report of t that waits to be handled, or makes it stop.
func (s *Supervisor) stopOf(t *Thread) (ptrace.Stop, error) {
	if i := slices.IndexFunc(s.queue, func(q ptrace.Stop) bool { return q.TID == t.tid }); i >= 0 {
		stop := s.queue[i]
		s.queue = slices.Delete(s.queue, i, i+1)
		return stop, nil
	}
	if err := ptrace.Interrupt(t.tid); err != nil {
		return ptrace.Stop{}, err
	}
	return t.await()
}

// handleFirst handles a report in the middle of handling another one.
func (s *Supervisor) handleFirst(stop ptrace.Stop) {
	current := s.current
	s.handle(stop)
	s.current = current
}

// useStop runs f at a stop and leaves the stop to be handled in its turn. If f injected
// a call, the thread makes the call again that it was entering or that stopping it
// interrupted.
func (s *Supervisor) useStop(t *Thread, stop ptrace.Stop, f func()) {
	var saved unix.PtraceRegs
	if ptrace.GetRegs(t.tid, &saved) != nil {
		return
	}
	t.injected = false
	f()
	entry := stop.Kind == ptrace.Event
	switch {
	case t.injected && (entry || again(&saved)):
		if entry {
			saved.Rax, saved.Rip = saved.Orig_rax, saved.Rip-2
		}
		saved.Orig_rax = ^uint64(0)
		ptrace.SetRegs(t.tid, &saved)
		t.cont(0)
	case stop.Kind == ptrace.NewChild: // the answer to Interrupt
		t.cont(0)
	default:
		s.queue = append(s.queue, stop)
	}
}

// again makes r execute an interrupted system call again, as the kernel does when no
// handler runs (Linux arch/x86/kernel/signal.c arch_do_signal_or_restart). It reports
// whether there was one.
func again(r *unix.PtraceRegs) bool {
	const (
		erestartsys          = 512
		erestartnointr       = 513
		erestartnohand       = 514
		erestartRestartblock = 516
	)
	if int64(r.Orig_rax) < 0 {
		return false
	}
	switch -int64(r.Rax) {
	case erestartsys, erestartnointr, erestartnohand:
		r.Rax = r.Orig_rax
	case erestartRestartblock:
		r.Rax = unix.SYS_RESTART_SYSCALL
	default:
		return false
	}
	r.Rip -= 2
	return true
}
