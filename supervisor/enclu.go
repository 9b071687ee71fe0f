//go:build linux && amd64

package supervisor

import (
	"errors"

	"softsgx/cpu"
	"softsgx/isa"
)

// inside tells whether the thread executes an enclave.
func (t *Thread) inside() bool {
	_, _, ok := t.lp.Inside()
	return ok
}

// enclu executes the ENCLU that t.regs.Rip points at.
func (s *Supervisor) enclu(t *Thread, at place) {
	if !t.inside() {
		t.entering()
		if err := t.mayEnter(); err != nil {
			s.cfg.Trace("enter pid=%d tcs=%#x denied: %v", t.proc.tgid, t.regs.Rbx, err)
			s.exception(t, general, at)
			return
		}
	}
	regs, leaf := loadRegs(&t.regs), isa.Leaf(t.regs.Rax)
	ctx := cpu.Context{Regs: &regs, X: xstate{t}, Space: t}
	err := t.lp.ENCLU(&ctx)
	var fault *isa.Fault
	switch {
	case err == nil:
		storeRegs(&t.regs, &regs)
		t.passed(leaf)
		t.setRegs()
		t.cont(0)
	case errors.As(err, &fault):
		s.cfg.Trace("enclu pid=%d rip=%#x rax=%d rbx=%#x fault=%v", t.proc.tgid, t.regs.Rip, t.regs.Rax, t.regs.Rbx, fault)
		s.exception(t, s.leafFault(t, fault), at)
	default:
		s.warn("pid %d: ENCLU leaf %d: %v", t.proc.tgid, uint32(t.regs.Rax), err)
		s.exception(t, general, at)
	}
}

// mayEnter asks the policy about an EENTER. Hardware has no such refusal; the program
// sees #GP, as from a TCS that cannot be entered.
func (t *Thread) mayEnter() error {
	v := t.space.find(t.regs.Rbx)
	if isa.Leaf(t.regs.Rax) != isa.EENTER || v == nil {
		return nil
	}
	return v.file.enclave.MayEnter(isa.LinAddr(t.regs.Rbx))
}

// leafFault is what Linux makes of a fault that a leaf raised.
func (s *Supervisor) leafFault(t *Thread, f *isa.Fault) exception {
	switch f.Vector {
	case isa.PF:
		how := t.walk
		if f.ErrorCode&isa.PFECSGX != 0 {
			how = walkAccess
		}
		return pageFault(uint64(f.Addr), f.ErrorCode, how)
	case isa.UD:
		return undefined
	}
	return general
}
