//go:build linux && amd64

package supervisor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"softsgx/isa"
	"softsgx/ptrace"
	"softsgx/vdso"

	"golang.org/x/sys/unix"
)

// execed is the report of execve: one thread is left, with the leader's id, in a
// new address space. Injecting has to wait for execve's exit, which still writes
// RAX.
func (s *Supervisor) execed(t *Thread) {
	s.began()
	former, err := ptrace.EventMsg(t.tid)
	if err != nil {
		return
	}
	if old := s.threads[int(former)]; old != nil && old != t {
		s.near.forget(old)
		delete(s.threads, old.tid)
		old.lp.Abandon()
		t.proc.threads--
	}
	t.lp.Abandon()
	for _, o := range s.threads { // siblings that exec killed without a report
		if o.proc == t.proc && o != t {
			o.lp.Abandon()
		}
	}
	s.dropSpace(t.space)
	t.space = &Space{users: 1, sites: map[uint64]site{}}
	s.forgetProcess(t.proc)
	p := t.proc.copied()
	p.cpuid, p.foreign, p.actions = false, false, actions{}
	t.leave(p)
	s.sweep()
	s.warnSetUID(t)
	t.onExit = func() { s.setupImage(t) }
	t.cont(0)
}

// began notes that the program runs.
func (s *Supervisor) began() {
	if s.stage != nil {
		s.stage.Close()
		s.stage = nil
	}
}

// warnSetUID tells of a program that did not get the rights of its owner, because
// the kernel gives none under a seccomp filter of an unprivileged user.
func (s *Supervisor) warnSetUID(t *Thread) {
	var st unix.Stat_t
	if os.Getuid() == 0 || unix.Stat(fmt.Sprintf("/proc/%d/exe", t.tid), &st) != nil {
		return
	}
	if st.Mode&unix.S_ISUID != 0 && int(st.Uid) != os.Getuid() {
		s.warn("pid %d: %s is set-uid: under softsgx it runs without its owner's rights; run softsgx as that user", t.proc.tgid, t.exe())
	}
}

// leave moves the thread to a process record of its own.
func (t *Thread) leave(p *Process) {
	t.proc.threads--
	p.threads = 1
	t.proc = p
}

// setupImage prepares a fresh program: the vDSO with the enclave entry function,
// and CPUID.
func (s *Supervisor) setupImage(t *Thread) {
	saved := t.regs
	if t.regs.Cs != 0x33 {
		t.proc.foreign = true
		s.warn("pid %d: %s is a 32-bit program; it runs, but without SGX", t.proc.tgid, t.exe())
		t.cont(0)
		return
	}
	aux, err := readAuxv(t.tid)
	if err == nil {
		err = s.installVDSO(t, aux)
	}
	if err != nil {
		s.warn("pid %d: %s runs without the vDSO function for enclaves: %v", t.proc.tgid, t.exe(), err)
	}
	s.armImage(t, aux)
	t.regs = saved
	t.setRegs()
	t.cont(0)
}

// armImage makes CPUID trap: for a dynamic program later, at its first open, and
// where CPUID cannot fault by patching the image's own sites.
func (s *Supervisor) armImage(t *Thread, aux auxv) {
	if s.cfg.Host.CPUIDFaulting {
		if aux[atBase] == 0 {
			s.armCPUID(t, false)
		}
		return
	}
	s.patchImage(t)
}

func (t *Thread) exe() string {
	name, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", t.tid))
	return name
}

// Auxiliary vector entries (linux/auxvec.h).
const (
	atBase       = 7
	atSysinfoHdr = 33
)

type auxv map[uint64]uint64

func readAuxv(tid int) (auxv, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/auxv", tid))
	if err != nil {
		return nil, err
	}
	a := auxv{}
	for ; len(b) >= 16; b = b[16:] {
		a[binary.LittleEndian.Uint64(b)] = binary.LittleEndian.Uint64(b[8:])
	}
	return a, nil
}

// installVDSO maps our pages and points the real vDSO's dynamic section at them.
// The last page is scratch.
func (s *Supervisor) installVDSO(t *Thread, aux auxv) error {
	base := aux[atSysinfoHdr]
	i := bytes.Index(s.vdso, []byte{0x0f, 0x05})
	if base == 0 || i < 0 {
		return fmt.Errorf("the host shows no vDSO")
	}
	t.space.bootGadget = base + uint64(i)
	vdsoOptions := vdso.Options{NativeENCLU: !s.cfg.Host.Int80}
	probe, err := vdsoOptions.Build(s.vdso, base, base)
	if err != nil {
		return err
	}
	size := pageUp(uint64(len(probe.Page))) + isa.PageSize
	page, err := t.inject(unix.SYS_MMAP, 0, size, unix.PROT_READ|unix.PROT_EXEC,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uint64(0), 0)
	if err != nil {
		return fmt.Errorf("mapping the vDSO pages: %w", err)
	}
	im, err := vdsoOptions.Build(s.vdso, base, uint64(page))
	if err != nil {
		return err
	}
	if err := writeText(t.tid, uint64(page), im.Page); err != nil {
		return err
	}
	for _, p := range im.Patches {
		if err := ptrace.Poke(t.tid, p.Addr, p.Value); err != nil {
			return fmt.Errorf("patching the vDSO: %w", err)
		}
	}
	t.space.vdso = im
	t.space.scratch = uint64(page) + size - isa.PageSize
	return nil
}

// writeText writes to memory that the tracee itself may only read and execute.
func writeText(tid int, addr uint64, b []byte) error {
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", tid), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(b, int64(addr))
	return err
}

// scratch is the address of a page of ours in the tracee, 0 if there is none.
func (t *Thread) scratch() uint64 { return t.space.scratch }

// hostVDSO reads the vDSO from our own memory: it is the same in every process.
func hostVDSO() ([]byte, error) {
	aux, err := readAuxv(os.Getpid())
	if err != nil {
		return nil, err
	}
	base := aux[atSysinfoHdr]
	f, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := mappingSize(base)
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	_, err = f.ReadAt(b, int64(base))
	return b, err
}

func mappingSize(base uint64) (uint64, error) {
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, err
	}
	for _, line := range bytes.Split(b, []byte("\n")) {
		var start, end uint64
		if n, _ := fmt.Sscanf(string(line), "%x-%x", &start, &end); n == 2 && start == base {
			return end - start, nil
		}
	}
	return 0, fmt.Errorf("no mapping at %#x", base)
}
