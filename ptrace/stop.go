//go:build linux && amd64

package ptrace

import (
	"golang.org/x/sys/unix"
)

// Kind says why a tracee reported.
type Kind int

// The kinds of report, in the order in which Decode tests them.
const (
	Exited    Kind = iota // exit status in Status
	Killed                // by signal Sig
	Event                 // PTRACE_EVENT_* in Event (clone, exec, exit, seccomp)
	NewChild              // first stop of a child, or the answer to Interrupt
	GroupStop             // stopped by Sig; answer with Listen
	Syscall               // entry or exit of a system call (ContToSyscall)
	Signal                // about to be delivered Sig
	Other
)

// Stop is one decoded report of wait4.
type Stop struct {
	TID   int
	Kind  Kind
	Event int
	Sig   unix.Signal
	Code  int // exit status
}

// Decode turns a wait status into a Stop.
func Decode(tid int, ws unix.WaitStatus) Stop {
	s := Stop{TID: tid}
	switch {
	case ws.Exited():
		s.Kind, s.Code = Exited, ws.ExitStatus()
	case ws.Signaled():
		s.Kind, s.Sig = Killed, ws.Signal()
	case ws.Stopped():
		decodeStopped(&s, ws)
	default:
		s.Kind = Other
	}
	return s
}

func decodeStopped(s *Stop, ws unix.WaitStatus) {
	s.Sig = ws.StopSignal()
	s.Event = int(uint32(ws)) >> 16
	switch {
	case s.Event == unix.PTRACE_EVENT_STOP && s.Sig == unix.SIGTRAP:
		s.Kind = NewChild
	case s.Event == unix.PTRACE_EVENT_STOP:
		s.Kind = GroupStop
	case s.Event != 0:
		s.Kind = Event
	case s.Sig == unix.SIGTRAP|0x80:
		s.Kind = Syscall
	default:
		s.Kind = Signal
	}
}

// Wait waits for the next report of any tracee. With unix.WNOHANG in options it
// returns ok=false when there is none; a signal to the caller does the same. ECHILD
// means that none are left.
func Wait(options int) (s Stop, ok bool, err error) {
	var ws unix.WaitStatus
	tid, err := unix.Wait4(-1, &ws, unix.WALL|options, nil)
	switch {
	case err == unix.EINTR:
		return Stop{}, false, nil
	case err != nil:
		return Stop{}, false, err
	case tid == 0:
		return Stop{}, false, nil
	}
	return Decode(tid, ws), true, nil
}
