//go:build linux && amd64

package supervisor

import (
	"softsgx/cpu"
	"softsgx/isa"
	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// place says at which kind of stop an exception is raised: it decides how a signal
// can be delivered.
type place int

const (
	atSignal  place = iota // a signal-delivery stop
	atSyscall              // the entry of a system call
)

// exception is an exception of the program or the enclave: what the CPU reports
// of it and which signal Linux makes of it.
type exception struct {
	vector uint8
	code   uint32 // error code
	addr   uint64 // full faulting address of #PF
	sig    unix.Signal
	sicode int32
	siaddr func(rip uint64) uint64
}

// Signal codes (asm-generic/siginfo.h).
const (
	siKernel   = 0x80
	siTkill    = -6
	illIllopn  = 2
	segvMaperr = 1
	segvAccerr = 2
	busAdrerr  = 2
)

func atRIP(rip uint64) uint64 { return rip }
func nowhere(uint64) uint64   { return 0 }

var (
	undefined = exception{vector: isa.UD, sig: unix.SIGILL, sicode: illIllopn, siaddr: atRIP}
	general   = exception{vector: isa.GP, sig: unix.SIGSEGV, sicode: siKernel, siaddr: nowhere}
)

// pageFault is a #PF at addr; the CPU hides the low 12 bits from the outside when
// it comes from an enclave.
func pageFault(addr uint64, code uint32, how walkFault) exception {
	e := exception{vector: isa.PF, code: code, addr: addr, sig: unix.SIGSEGV, sicode: segvAccerr}
	switch how {
	case walkMap:
		e.sicode = segvMaperr
	case walkBus:
		e.sig, e.sicode = unix.SIGBUS, busAdrerr
	}
	e.siaddr = func(uint64) uint64 { return addr }
	return e
}

// exception raises e with the registers in t.regs: AEX first if the thread is in
// an enclave, then either a return from the vDSO function or a signal.
func (s *Supervisor) exception(t *Thread, e exception, at place) {
	inside := t.inside()
	s.cfg.Trace("exception tid=%d rip=%#x vector=%d addr=%#x code=%#x inside=%t", t.tid, t.regs.Rip, e.vector, e.addr, e.code, inside)
	if inside {
		ev := cpu.Event{Vector: e.vector, Valid: true, Addr: isa.LinAddr(e.addr), ErrorCode: e.code}
		if !s.aex(t, ev) {
			return
		}
	}
	reported := e.addr
	if inside {
		reported &^= pageAlignMask
	}
	if t.returnsByVDSO(e, reported) {
		if at == atSignal {
			s.repair(t, inside)
		}
		t.setRegs()
		t.cont(0)
		return
	}
	addr := e.siaddr(t.regs.Rip)
	if inside && e.vector == isa.PF {
		addr = reported
	}
	if at == atSignal && t.native != e.sig {
		s.repair(t, inside)
	}
	s.force(t, &ptrace.Siginfo{Signo: int32(e.sig), Code: e.sicode, Addr: addr}, at)
}

// returnsByVDSO makes an exception of the vDSO function's ENCLU a return from it
// with the exception's particulars (Linux 6.1 entry/vdso/extable.c).
func (t *Thread) returnsByVDSO(e exception, reported uint64) bool {
	im := t.space.vdso
	if im == nil || t.regs.Rip != im.ENCLU || !e.fixable() {
		return false
	}
	t.regs.Rdi, t.regs.Rsi, t.regs.Rdx = uint64(e.vector), uint64(e.code&0xffff), reported
	t.regs.Rip = im.Exception
	return true
}

// fixable tells whether the vDSO function's ENCLU turns the exception into a
// return (Linux 6.1 entry/vdso/extable.c: never #DB and #BP).
func (e exception) fixable() bool { return e.vector != isa.DB && e.vector != isa.BP }

// aex performs the asynchronous exit and leaves the outside's registers in t.regs.
func (s *Supervisor) aex(t *Thread, ev cpu.Event) bool {
	regs := loadRegs(&t.regs)
	ctx := cpu.Context{Regs: &regs, X: xstate{t}, Space: t}
	if err := t.lp.AEX(&ctx, ev); err != nil {
		s.warn("pid %d: asynchronous exit failed: %v; the thread is killed", t.proc.tgid, err)
		unix.Kill(t.proc.tgid, unix.SIGKILL)
		t.cont(0)
		return false
	}
	storeRegs(&t.regs, &regs)
	t.left(ev)
	return true
}
