//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"

	"softsgx/probe"

	"golang.org/x/sys/unix"
)

// cpuidAt executes the CPUID at t.regs.Rip.
func (s *Supervisor) cpuidAt(t *Thread) {
	r := &t.regs
	leaf, sub := uint32(r.Rax), uint32(r.Rcx)
	out := s.cpu.CPUID(leaf, sub, hostCPUID(leaf, sub))
	r.Rax, r.Rbx, r.Rcx, r.Rdx = uint64(out[0]), uint64(out[1]), uint64(out[2]), uint64(out[3])
	r.Rip += uint64(len(cpuid))
	t.setRegs()
	t.cont(0)
}

// Leaves about caches: Intel's, and AMD's in the format of Intel's leaf 4.
const (
	cpuidCacheDescriptors = 2
	cpuidCaches           = 4
	cpuidMaxExtended      = 0x80000000
	cpuidCachesAMD        = 0x8000001d
)

// hostCPUID is the host's own answer. SGX makes the processor look like Intel's, so
// the leaves that programs read on those only must hold something on any host.
func hostCPUID(leaf, sub uint32) [4]uint32 {
	if leaf != cpuidCacheDescriptors && leaf != cpuidCaches || probe.Intel() {
		return probe.CPUID(leaf, sub)
	}
	if leaf == cpuidCacheDescriptors {
		return [4]uint32{0x00feff01} // see leaf 4 for caches; TLBs are not told
	}
	if probe.CPUID(cpuidMaxExtended, 0)[0] < cpuidCachesAMD {
		return [4]uint32{}
	}
	return probe.CPUID(cpuidCachesAMD, sub)
}

// armCPUID makes CPUID trap in this process from now on. Dynamic programs are
// armed at the first file they open, when the loader has run its own dozens of
// CPUIDs. At the entry of a system call the call is started over; the result says
// so.
func (s *Supervisor) armCPUID(t *Thread, entry bool) (restarted bool) {
	if t.proc.cpuid || !s.cfg.Host.CPUIDFaulting {
		return false
	}
	const archSetCPUID = 0x1012
	saved := t.regs
	if _, err := t.inject(unix.SYS_ARCH_PRCTL, archSetCPUID, 0); err != nil {
		s.warn("pid %d: CPUID does not trap (%v): the program sees the host's features", t.proc.tgid, err)
	}
	t.proc.cpuid = true
	t.regs = saved
	if entry {
		t.restart()
	}
	return entry
}

// restart goes back to the system call whose entry the thread was stopped at.
func (t *Thread) restart() {
	t.regs.Rax = t.regs.Orig_rax
	t.regs.Rip -= 2
	t.setRegs()
	t.cont(0)
}

// handler is sa_handler of a struct kernel_sigaction.
func handler(sa []byte) uint64 { return binary.LittleEndian.Uint64(sa) }

func (t *Thread) statusMask(field string) uint64 {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(t.tid) + "/status")
	for _, line := range strings.Split(string(b), "\n") {
		if v, ok := strings.CutPrefix(line, field); ok {
			m, _ := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			return m
		}
	}
	return 0
}
