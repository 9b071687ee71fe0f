//go:build linux && amd64

package supervisor

import (
	"softsgx/cpu"
	"softsgx/isa"
	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// signal is a signal-delivery stop.
func (s *Supervisor) signal(t *Thread, sig unix.Signal) {
	var si ptrace.Siginfo
	if !t.getRegs() || ptrace.GetSiginfo(t.tid, &si) != nil {
		return
	}
	t.native = 0
	if t.forced != nil && si.Code == siTkill && si.Signo == t.forced.Signo {
		ptrace.SetSiginfo(t.tid, t.forced)
		t.forced = nil
		t.cont(sig)
		return
	}
	if si.Code > 0 {
		t.native = sig
		switch sig { // raised by the instruction at RIP
		case unix.SIGILL:
			s.illegal(t)
			return
		case unix.SIGSEGV:
			s.segv(t, &si)
			return
		case unix.SIGFPE, unix.SIGTRAP, unix.SIGBUS:
			if t.inside() {
				s.trapInside(t, sig, &si)
				return
			}
		}
	}
	s.asynchronous(t, sig)
}

// asynchronous is a signal that has nothing to do with the current instruction.
func (s *Supervisor) asynchronous(t *Thread, sig unix.Signal) {
	if t.inside() {
		if !s.aex(t, cpu.Event{}) {
			return
		}
		t.setRegs()
	}
	t.cont(sig)
}

// illegal is #UD: an ENCLU, or an illegal instruction of the program's own.
func (s *Supervisor) illegal(t *Thread) {
	known, _ := t.space.site(t.regs.Rip) // another thread was here first
	if (known == siteENCLU || t.codeIs(enclu[:])) && !t.proc.foreign {
		s.repair(t, t.inside())
		s.patch(t, t.regs.Rip, siteENCLU)
		s.enclu(t, atSignal)
		return
	}
	if t.inside() {
		s.exception(t, undefined, atSignal)
		return
	}
	t.cont(unix.SIGILL)
}

// segv is a page fault, #GP, or a CPUID that faulted.
func (s *Supervisor) segv(t *Thread, si *ptrace.Siginfo) {
	switch {
	case si.Code != siKernel:
		s.pageFault(t, si)
	case t.codeIs(cpuid[:]) && t.inside():
		s.exception(t, undefined, atSignal)
	case t.proc.cpuid && t.atCPUID():
		s.repair(t, false)
		s.patch(t, t.regs.Rip, siteCPUID)
		s.cpuidAt(t)
	case t.inside() && t.illegalInEnclave():
		s.exception(t, undefined, atSignal)
	case t.inside():
		s.exception(t, general, atSignal)
	default:
		t.cont(unix.SIGSEGV)
	}
}

// trapInside is an exception of enclave code that the kernel names by signal.
func (s *Supervisor) trapInside(t *Thread, sig unix.Signal, si *ptrace.Siginfo) {
	e := exception{sig: sig, sicode: si.Code, siaddr: atRIP}
	switch sig {
	case unix.SIGFPE:
		e.vector = t.floatVector(si.Code)
	case unix.SIGBUS:
		e.vector = isa.AC
	case unix.SIGTRAP:
		e.vector = isa.DB
		if si.Code == siKernel { // INT3
			t.regs.Rip--
			e.vector, e.siaddr = isa.BP, nowhere
			if t.lp.Delivered(cpu.Event{Valid: true, Vector: isa.BP}).Vector == isa.UD {
				e = undefined
			}
		}
	}
	s.exception(t, e, atSignal)
}

const fpeIntdiv = 1

// floatVector tells the x87 exception from the SIMD one by the instruction, which
// is about to execute again.
func (t *Thread) floatVector(code int32) uint8 {
	if code == fpeIntdiv {
		return isa.DE
	}
	var b [1]byte
	if ptrace.ReadMem(t.tid, t.regs.Rip, b[:]) == nil && (b[0]&0xf8 == 0xd8 || b[0] == 0x9b) {
		return isa.MF
	}
	return isa.XM
}

// atCPUID tells whether a CPUID outside enclaves faulted at RIP, even if another
// thread has replaced it since.
func (t *Thread) atCPUID() bool {
	known, _ := t.space.site(t.regs.Rip)
	return known == siteCPUID || t.codeIs(cpuid[:])
}

// codeIs tells whether the instruction at RIP has these bytes.
func (t *Thread) codeIs(want []byte) bool {
	var b [3]byte
	if ptrace.ReadMem(t.tid, t.regs.Rip, b[:len(want)]) != nil {
		return false
	}
	return string(b[:len(want)]) == string(want)
}

// illegalInEnclave tells whether the instruction that raised #GP outside would
// have raised #UD inside (SDM vol. 3D, "Illegal Instructions").
func (t *Thread) illegalInEnclave() bool {
	var b [4]byte
	if ptrace.ReadMem(t.tid, t.regs.Rip, b[:]) != nil {
		return false
	}
	op := b[:]
	for len(op) > 1 && (op[0] == 0x66 || op[0] == 0xf2 || op[0] == 0xf3 || op[0]&0xf0 == 0x40) {
		op = op[1:]
	}
	switch op[0] {
	case 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, // IN, OUT
		0x6c, 0x6d, 0x6e, 0x6f, // INS, OUTS
		0xcd, 0xcf, 0xca, 0xcb: // INT n, IRET, far RET
		return true
	case 0x0f:
		return len(op) > 1 && (op[1] == 0x33 || op[1] == 0x34) // RDPMC, SYSENTER
	}
	return false
}
