//go:build linux && amd64

package supervisor

import (
	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// faultSignals are the signals that exceptions raise. When the kernel raises one
// that the program blocks or ignores, it unblocks it and resets the action before
// we see the stop (Linux kernel/signal.c, force_sig_info_to_task). An exception
// that SGX hardware would not have had must leave no such trace.
var faultSignals = [...]unix.Signal{unix.SIGILL, unix.SIGTRAP, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV}

// sigaction is struct kernel_sigaction: handler, flags, restorer, mask.
type sigaction [32]byte

const (
	sigDefault = 0
	sigIgnore  = 1
)

// actions are what the program last set for each of faultSignals.
type actions [len(faultSignals)]sigaction

func faultIndex(sig unix.Signal) (int, bool) {
	for i, f := range faultSignals {
		if f == sig {
			return i, true
		}
	}
	return 0, false
}

func bit(sig unix.Signal) uint64 { return 1 << (sig - 1) }

// sigaction is the entry of rt_sigaction for one of faultSignals.
func (s *Supervisor) sigaction(t *Thread) {
	i, ok := faultIndex(unix.Signal(t.regs.Rdi))
	if act := t.regs.Rsi; ok && act != 0 && t.regs.R10 == 8 {
		var a sigaction
		if ptrace.ReadMem(t.tid, act, a[:]) == nil {
			t.proc.actions[i] = a
		}
	}
	t.cont(0)
}

// inherited finds the signals that the program ignores since its exec.
func (t *Thread) inherited() {
	ignored := t.statusMask("SigIgn:")
	for i, sig := range faultSignals {
		if handler(t.proc.actions[i][:]) == sigDefault && ignored&bit(sig) != 0 {
			t.proc.actions[i][0] = sigIgnore
		}
	}
}

// entering remembers the signal mask: it cannot change while the enclave runs.
func (t *Thread) entering() {
	if mask, err := ptrace.SigMask(t.tid); err == nil {
		t.mask = mask
	}
}

// repair undoes what the kernel did when it raised the signal that the thread is
// stopped with, which is not going to be delivered: inside tells whether an enclave
// raised it.
func (s *Supervisor) repair(t *Thread, inside bool) {
	i, ok := faultIndex(t.native)
	if !ok {
		return
	}
	act := &t.proc.actions[i]
	h := handler(act[:])
	blocked := inside && t.mask&bit(t.native) != 0
	if !inside && h > sigIgnore {
		blocked = t.statusMask("SigCgt:")&bit(t.native) == 0
	}
	if !blocked && h != sigIgnore {
		return
	}
	if h != sigDefault {
		t.setAction(t.native, act)
	}
	if blocked {
		if mask, err := ptrace.SigMask(t.tid); err == nil {
			ptrace.SetSigMask(t.tid, mask|bit(t.native))
		}
	}
}

func (t *Thread) setAction(sig unix.Signal, act *sigaction) {
	scratch := t.scratch()
	if scratch != 0 && writeText(t.tid, scratch, act[:]) == nil {
		t.inject(unix.SYS_RT_SIGACTION, uint64(sig), scratch, 0, 8)
	}
}

// force delivers a signal that an exception of the current instruction causes.
func (s *Supervisor) force(t *Thread, si *ptrace.Siginfo, at place) {
	sig := unix.Signal(si.Signo)
	if at == atSignal && t.native == sig {
		t.setRegs()
		ptrace.SetSiginfo(t.tid, si)
		t.cont(sig)
		return
	}
	s.unblock(t, sig)
	t.setRegs()
	t.forced = si
	unix.Tgkill(t.proc.tgid, t.tid, sig)
	t.cont(0)
}

// unblock does to a signal about to be forced what the kernel does.
func (s *Supervisor) unblock(t *Thread, sig unix.Signal) {
	saved := t.regs
	defer func() { t.regs = saved }()
	mask, err := ptrace.SigMask(t.tid)
	i, ok := faultIndex(sig)
	if err != nil || !ok {
		return
	}
	ignored := handler(t.proc.actions[i][:]) == sigIgnore
	if mask&bit(sig) == 0 && !ignored {
		return
	}
	t.proc.actions[i] = sigaction{}
	t.setAction(sig, &t.proc.actions[i])
	ptrace.SetSigMask(t.tid, mask&^bit(sig))
}
