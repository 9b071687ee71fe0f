//go:build linux && amd64

package supervisor

import (
	"bytes"

	"softsgx/codesite"
	"softsgx/isa"
	"softsgx/ptrace"
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
	ud2   = [2]byte{0x0f, 0x0b}
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
	if !s.cfg.Host.Int80 || straddles(addr, k) {
		return
	}
	if v := t.space.find(addr); v != nil {
		if _, _, ok := v.file.enclave.Page(isa.LinAddr(addr)); ok {
			v.file.patch(addr, k)
		}
		return
	}
	if ptrace.PokeBytes(t.tid, addr, k.code()) == nil {
		t.space.sites[addr] = k
	}
}

// straddles tells whether the instruction lies on two pages: it is left to fault.
func straddles(addr uint64, k site) bool {
	last := addr + uint64(len(k.code())) - 1
	return addr&^uint64(pageAlignMask) != last&^uint64(pageAlignMask)
}

// patch replaces an instruction of the enclave in every address space at once.
func (f *File) patch(addr uint64, k site) {
	copy(f.mem.Page(isa.LinAddr(addr).Page())[addr&pageAlignMask:], k.code())
	f.sites[addr] = k
}

// site tells which instruction of ours stands at addr.
func (sp *Space) site(addr uint64) (site, bool) {
	if v := sp.find(addr); v != nil {
		k, ok := v.file.sites[addr]
		return k, ok
	}
	if sp.vdso != nil && addr == sp.vdso.ENCLU {
		return siteENCLU, true
	}
	k, ok := sp.sites[addr]
	return k, ok
}

// patchEnclave replaces what does not trap by itself in enclave text that is about
// to become executable. Where CPUID can fault everything traps, once per place.
func (s *Supervisor) patchEnclave(f *File, start, end uint64) {
	if s.cfg.Host.CPUIDFaulting || !s.cfg.Host.Int80 {
		return
	}
	f.forgetSites(start, end)
	f.mem.present(start, end, func(text []byte, addr uint64) {
		for _, c := range codesite.Scan(text, addr) {
			switch {
			case c.Kind == codesite.CPUID: // #UD inside, and `int` would lose half of RAX
				copy(text[c.Addr-addr:], ud2[:])
			case !straddles(c.Addr, siteENCLU):
				f.patch(c.Addr, siteENCLU)
			}
		}
		f.mem.forget(isa.LinAddr(addr), uint64(len(text)))
	})
}

// forgetSites drops the sites in [start, end) whose page has other contents by now.
func (f *File) forgetSites(start, end uint64) {
	for addr, k := range f.sites {
		if start <= addr && addr < end && !bytes.HasPrefix(f.mem.Page(isa.LinAddr(addr).Page())[addr&pageAlignMask:], k.code()) {
			delete(f.sites, addr)
		}
	}
}

func siteOf(k codesite.Kind) site {
	if k == codesite.ENCLU {
		return siteENCLU
	}
	return siteCPUID
}
