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
		case stop.Kind == ptrace.Event && stop.Event != unix.PTRACE_EVENT_SECCOMP:
			s.handleFirst(stop) // within a clone or exec nothing can be injected
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

// useStop runs f at a stop and leaves the stop to be handled in its turn. A thread at
// the entry of a system call makes the call again if f injected one.
func (s *Supervisor) useStop(t *Thread, stop ptrace.Stop, f func()) {
	entry := stop.Kind == ptrace.Event
	var saved unix.PtraceRegs
	if entry && ptrace.GetRegs(t.tid, &saved) != nil {
		return
	}
	t.injected = false
	f()
	switch {
	case stop.Kind == ptrace.NewChild: // the answer to Interrupt
		t.cont(0)
	case entry && t.injected:
		saved.Rax, saved.Rip, saved.Orig_rax = saved.Orig_rax, saved.Rip-2, ^uint64(0)
		ptrace.SetRegs(t.tid, &saved)
		ptrace.Cont(t.tid, 0)
	default:
		s.queue = append(s.queue, stop)
	}
}
