//go:build linux && amd64

// Package probe finds out what this host offers to a supervisor: kernel, ptrace,
// seccomp, CPUID faulting, FSGSBASE, protection keys, extended state.
package probe

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"softsgx/isa"

	"golang.org/x/sys/unix"
)

// Finding is one answer of the probe.
type Finding struct {
	Name string
	OK   bool
	Seen string // what was seen
	Cost string // if not OK: what it costs
	Do   string // if not OK: what to do
	Need bool   // nothing runs without it
}

// Host is what the supervisor needs to know of the machine.
type Host struct {
	CPUIDFaulting  bool // arch_prctl(ARCH_SET_CPUID) works
	Int80          bool // IA32 emulation: `int $0x80` reaches a seccomp filter
	FSGSBASE       bool
	ProtectionKeys bool
	XLayout        isa.XLayout
	Kernel         string
}

const (
	archGetCPUID = 0x1011
	archSetCPUID = 0x1012
	atHWCAP2     = 26
	hwcap2FSGS   = 1 << 1
)

// Probe asks the machine.
func Probe() Host {
	h := Host{CPUIDFaulting: cpuidFaulting(), XLayout: xlayout(), Kernel: kernel()}
	h.Int80 = int80()
	h.FSGSBASE = hwcap2()&hwcap2FSGS != 0
	h.ProtectionKeys = CPUID(7, 0)[2]&(1<<4) != 0 // OSPKE
	return h
}

// cpuidFaulting tries on a locked thread and puts it back at once.
func cpuidFaulting() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, e := unix.RawSyscall(unix.SYS_ARCH_PRCTL, archSetCPUID, 1, 0); e != 0 {
		return false
	}
	return true
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

func hwcap2() uint64 {
	b, _ := os.ReadFile("/proc/self/auxv")
	for ; len(b) >= 16; b = b[16:] {
		if *(*uint64)(unsafe.Pointer(&b[0])) == atHWCAP2 {
			return *(*uint64)(unsafe.Pointer(&b[8]))
		}
	}
	return 0
}

// xlayout reads which components the kernel keeps in XCR0 and where the standard
// XSAVE format puts them (CPUID leaf 0DH).
func xlayout() isa.XLayout {
	l := isa.XLayout{XCR0: 3}
	if CPUID(1, 0)[2]&(1<<27) == 0 { // OSXSAVE
		return l
	}
	l.XCR0 = xgetbv()
	for i := uint32(2); i < 63; i++ {
		if l.XCR0>>i&1 == 1 {
			c := CPUID(0xd, i)
			l.Size[i], l.Offset[i] = c[0], c[1]
		}
	}
	return l
}

// Int80Child is argv[0] of a child that makes one 32-bit system call.
const Int80Child = "softsgx-int80"

// int80 asks whether the kernel takes 32-bit system calls, in a child: without IA32
// emulation the instruction is a deadly #GP.
func int80() bool {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{Int80Child}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	return err == nil && strings.TrimSpace(string(out)) == "yes"
}

// RunInt80 is the child: getpid as a 32-bit call.
func RunInt80() {
	code := []byte{
		0xb8, 0x14, 0, 0, 0, // mov eax, 20 (getpid)
		0xcd, 0x80, // int 0x80
		0xc3, // ret: the result is in EAX already
	}
	if pid := int(int32(callCode(code))); pid == os.Getpid() {
		os.Stdout.WriteString("yes\n")
	}
}

// Findings is the report of `softsgx doctor`.
func (h Host) Findings() []Finding {
	return []Finding{
		{Name: "kernel", OK: true, Seen: h.Kernel},
		h.ptrace(),
		h.seccomp(),
		{Name: "CPUID faulting", OK: h.CPUIDFaulting, Seen: yes(h.CPUIDFaulting),
			Cost: "CPUID in program text is found and patched as it is mapped; code made at run time sees the host's CPUID",
			Do:   "nothing; a CPU with CPUID faulting (Intel since Ivy Bridge, not passed through by every hypervisor) removes the limit"},
		{Name: "IA32 emulation", OK: h.Int80, Seen: yes(h.Int80),
			Cost: "ENCLU is caught by SIGILL: slower, and a program that executes it with SIGILL blocked loses its handler",
			Do:   "boot with ia32_emulation=on"},
		{Name: "FSGSBASE", OK: h.FSGSBASE, Seen: yes(h.FSGSBASE),
			Cost: "Gramine refuses to start; enclaves that use WRFSBASE fail", Do: "a kernel of 5.9 or later without nofsgsbase"},
		{Name: "protection keys", OK: h.ProtectionKeys, Seen: yes(h.ProtectionKeys),
			Cost: "enclaves with PKRU in XFRM cannot be built", Do: "nothing, unless the program needs PKRU inside"},
		{Name: "SGX hardware", OK: true, Seen: yes(CPUID(7, 0)[1]&(1<<2) != 0) + " (softsgx does not use it)"},
		{Name: "XCR0", OK: true, Seen: "0x" + strconv.FormatUint(h.XLayout.XCR0, 16)},
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// ptrace reports Yama's restriction: our tracee is a child, so only level 3 forbids.
func (h Host) ptrace() Finding {
	b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	level := strings.TrimSpace(string(b))
	if err != nil {
		level = "not restricted"
	}
	return Finding{Name: "ptrace", OK: level != "3", Seen: level, Need: true,
		Cost: "no program can be supervised", Do: "sysctl kernel.yama.ptrace_scope=1 (needs a reboot from 3)"}
}

func (h Host) seccomp() Finding {
	_, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	return Finding{Name: "seccomp", OK: err == nil, Seen: yes(err == nil), Need: true,
		Cost: "no program can be supervised", Do: "a kernel with CONFIG_SECCOMP_FILTER"}
}
