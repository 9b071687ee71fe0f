//go:build linux && amd64

package supervisor

import (
	"softsgx/insn"
	"softsgx/isa"
	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// pageFault is a SIGSEGV with an address. In an enclave mapping it may only mean
// that the host's page tables grant less than the EPCM does by now.
func (s *Supervisor) pageFault(t *Thread, si *ptrace.Siginfo) {
	v := t.space.find(si.Addr)
	if v == nil && !t.inside() {
		t.cont(unix.SIGSEGV)
		return
	}
	a := t.accessAt(si.Addr)
	if now := (grant{t.regs.Rip, si.Addr}); a == isa.Read && now == t.granted {
		a = isa.Write // reading was granted just now, so the decoder is wrong
	}
	e, resolved := s.resolve(t, si, v, a)
	if resolved {
		s.repair(t, t.inside())
		t.setRegs()
		t.cont(0)
		return
	}
	s.cfg.Trace("fault pid=%d rip=%#x addr=%#x access=%d code=%#x", t.proc.tgid, t.regs.Rip, si.Addr, a, e.code)
	s.exception(t, e, atSignal)
}

// grant is a fault that was answered by granting the page.
type grant struct{ rip, addr uint64 }

// resolve does what page walk, driver and EPCM would have done with the access.
func (s *Supervisor) resolve(t *Thread, si *ptrace.Siginfo, v *VMA, a isa.Access) (exception, bool) {
	if v == nil {
		how := walkAccess
		if si.Code == segvMaperr {
			how = walkMap
		}
		return pageFault(si.Addr, isa.PFEC(a), how), false
	}
	page, fault := t.Translate(isa.LinAddr(si.Addr), a)
	if fault != nil {
		return pageFault(si.Addr, fault.ErrorCode, t.walk), false
	}
	if a&^s.rights(page) != 0 {
		f := isa.SGXPageFault(isa.LinAddr(si.Addr), a)
		return pageFault(si.Addr, f.ErrorCode, walkAccess), false
	}
	t.granted = grant{t.regs.Rip, si.Addr}
	if err := s.allow(t, v, si.Addr); err != nil {
		s.warn("pid %d: granting enclave page %#x: %v", t.proc.tgid, si.Addr, err)
		return pageFault(si.Addr, isa.PFEC(a), walkBus), false
	}
	return exception{}, true
}

// accessAt says what the instruction at RIP does with the page of addr; ptrace
// does not tell the page-fault error code.
func (t *Thread) accessAt(addr uint64) isa.Access {
	rip := t.regs.Rip
	if isa.LinAddr(rip).Page() == isa.LinAddr(addr).Page() {
		return isa.Exec
	}
	var code [15]byte
	n := len(code)
	for ; n > 0; n-- { // the instruction may end right before an unmapped page
		if ptrace.ReadMem(t.tid, rip, code[:n]) == nil {
			break
		}
	}
	r := &t.regs
	file := insn.RegFile{
		R: [16]uint64{r.Rax, r.Rcx, r.Rdx, r.Rbx, r.Rsp, r.Rbp, r.Rsi, r.Rdi,
			r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15},
		RIP: rip, FSBase: r.Fs_base, GSBase: r.Gs_base,
	}
	if write, ok := insn.AccessAt(code[:n], file, addr); ok && write {
		return isa.Write
	}
	return isa.Read
}

// rights are what the EPCM lets the enclave itself do with a page (SDM vol. 3D,
// "Enclave Access Control"): the most that native code may have.
func (s *Supervisor) rights(p isa.EPCAddr) isa.Access {
	e := s.cpu.EPCM(p)
	if !e.Valid || e.Blocked || e.Pending || e.Modified || e.PT != isa.PT_REG {
		return 0
	}
	return e.RWX
}
