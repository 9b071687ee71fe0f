//go:build linux && amd64

package supervisor

import (
	"softsgx/cpu"
	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// xstateMax holds any extended state that Linux shows (AMX included).
const xstateMax = 12 << 10

// xstate is a thread's extended state as cpu.XState.
type xstate struct{ t *Thread }

func (x xstate) Load() ([]byte, error) {
	if x.t.xbuf == nil {
		x.t.xbuf = make([]byte, xstateMax)
	}
	return ptrace.GetXState(x.t.tid, x.t.xbuf)
}

func (x xstate) Store(b []byte) error { return ptrace.SetXState(x.t.tid, b) }

func loadRegs(r *unix.PtraceRegs) cpu.Regs {
	return cpu.Regs{
		RAX: r.Rax, RBX: r.Rbx, RCX: r.Rcx, RDX: r.Rdx, RSI: r.Rsi, RDI: r.Rdi, RBP: r.Rbp, RSP: r.Rsp,
		R8: r.R8, R9: r.R9, R10: r.R10, R11: r.R11, R12: r.R12, R13: r.R13, R14: r.R14, R15: r.R15,
		RIP: r.Rip, RFLAGS: r.Eflags, FSBase: r.Fs_base, GSBase: r.Gs_base,
	}
}

func storeRegs(r *unix.PtraceRegs, c *cpu.Regs) {
	r.Rax, r.Rbx, r.Rcx, r.Rdx, r.Rsi, r.Rdi, r.Rbp, r.Rsp = c.RAX, c.RBX, c.RCX, c.RDX, c.RSI, c.RDI, c.RBP, c.RSP
	r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15 = c.R8, c.R9, c.R10, c.R11, c.R12, c.R13, c.R14, c.R15
	r.Rip, r.Eflags, r.Fs_base, r.Gs_base = c.RIP, c.RFLAGS, c.FSBase, c.GSBase
}
