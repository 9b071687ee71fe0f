//go:build linux && amd64

package supervisor

import (
	"softsgx/isa"
	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// site is an instruction that we replaced by `int $0x80`, which stops in the
// seccomp filter: no signal, so no blocked or ignored SIGILL or SIGSEGV is ever
// touched, and no register is lost.
type site byte

const (
	siteENCLU site = iota + 1
	siteCPUID
)

var (
	enclu = [3]byte{0x0f, 0x01, 0xd7}
	cpuid = [2]byte{0x0f, 0xa2}
)

// code returns the bytes that stand in for the instruction.
func (k site) code() []byte {
	if k == siteENCLU {
		return []byte{0xcd, 0x80, 0x90}
	}
	return []byte{0xcd, 0x80}
}

// patch replaces the instruction at addr in the thread's address space. Text
// outside enclaves becomes a private copy; enclave text changes in the enclave
// file, after it was measured.
func (s *Supervisor) patch(t *Thread, addr uint64, k site) {
	code := k.code()
	if !s.cfg.Host.Int80 || addr&^uint64(pageAlignMask) != (addr+uint64(len(code))-1)&^uint64(pageAlignMask) {
		return
	}
	if v := t.space.find(addr); v != nil {
		if _, _, ok := v.file.enclave.Page(isa.LinAddr(addr)); !ok {
			return
		}
		copy(v.file.mem.Page(isa.LinAddr(addr).Page())[addr&pageAlignMask:], code)
		s.patched(v.file, addr, k)
		return
	}
	if ptrace.PokeBytes(t.tid, addr, code) == nil {
		t.space.sites[addr] = k
	}
}

// patched tells every address space that maps the enclave page.
func (s *Supervisor) patched(f *File, addr uint64, k site) {
	for _, t := range s.threads {
		if v := t.space.find(addr); v != nil && v.file == f {
			t.space.sites[addr] = k
		}
	}
}

// repairSIGILL undoes what the kernel does when an instruction raises SIGILL that
// is blocked or ignored: it resets the action and unblocks the signal. It can only
// happen at the first execution of a site.
func (s *Supervisor) repairSIGILL(t *Thread) {
	const bit = uint64(1) << (unix.SIGILL - 1)
	a := t.proc.sigill
	if !a.known || t.handles(unix.SIGILL) || handler(a.raw[:]) <= 1 {
		return
	}
	scratch := t.scratch()
	if scratch == 0 || ptrace.PokeBytes(t.tid, scratch, a.raw[:]) != nil {
		return
	}
	t.inject(unix.SYS_RT_SIGACTION, uint64(unix.SIGILL), scratch, 0, 8)
	if mask, err := ptrace.SigMask(t.tid); err == nil {
		ptrace.SetSigMask(t.tid, mask|bit)
	}
}
