package vdso

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestLoaders starts programs with a patched vDSO and lets their own loaders
// read it: glibc by name, glibc as a weak symbol, and Go's runtime.
func TestLoaders(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to build the programs")
	}
	dir := t.TempDir()
	build := func(name string, args ...string) string {
		out := filepath.Join(dir, name)
		if b, err := exec.Command(gcc, append([]string{"-o", out}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("gcc: %v\n%s", err, b)
		}
		return out
	}
	lookup := build("lookup", "testdata/lookup.c")
	// A stub with the vDSO's soname and version makes the linker record both.
	stub := filepath.Join(dir, "stub.c")
	script := filepath.Join(dir, "stub.map")
	write(t, stub, "int __vdso_sgx_enter_enclave(void) { return 0; }\n")
	write(t, script, "LINUX_2.6 { global: *; };\n")
	lib := build("libstub.so", "-shared", "-Wl,-soname,linux-vdso.so.1", "-Wl,--version-script="+script, stub)
	weak := build("weak", "testdata/weak.c", "-Wl,--no-as-needed", lib)

	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"glibc dlvsym", []string{lookup}, "-22"},
		{"glibc weak symbol", []string{weak}, "-22"},
		{"Go runtime", []string{os.Args[0], "-test.run=^TestHashFunctions$"}, "PASS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := runPatched(t, tt.args); strings.TrimSpace(got) != tt.want {
				t.Errorf("printed %q, want %q", got, tt.want)
			}
		})
	}
}

func write(t *testing.T, name, s string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runPatched starts a program stopped at exec, gives it the function, lets it
// go, and returns what it printed.
func runPatched(t *testing.T, args []string) string {
	t.Helper()
	runtime.LockOSThread() // ptrace requests come from the thread that started it
	defer runtime.UnlockOSThread()
	var out bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Skipf("cannot trace: %v", err)
	}
	pid := cmd.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || !status.Stopped() {
		t.Fatalf("wait: %v, status %#x", err, status)
	}
	install(t, pid)
	if err := syscall.PtraceDetach(pid); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %v", args, err)
	}
	return out.String()
}

// install does the supervisor's part on a stopped process.
func install(t *testing.T, pid int) {
	t.Helper()
	proc := "/proc/" + strconv.Itoa(pid)
	auxv, err := os.ReadFile(proc + "/auxv")
	if err != nil {
		t.Fatal(err)
	}
	var base uint64
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.LittleEndian.Uint64(auxv) == atSysinfoEHDR {
			base = binary.LittleEndian.Uint64(auxv[8:])
		}
	}
	image := imageAt(t, proc, base)
	page := injectMmap(t, pid, base+uint64(bytes.Index(image, []byte{0x0F, 0x05})), 2*pageSize)
	img, err := Build(image, base, page)
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.OpenFile(proc+"/mem", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	if _, err := mem.WriteAt(img.Page, int64(page)); err != nil {
		t.Fatal(err)
	}
	for _, p := range img.Patches {
		if _, err := mem.WriteAt(binary.LittleEndian.AppendUint64(nil, p.Value), int64(p.Addr)); err != nil {
			t.Fatal(err)
		}
	}
}

// injectMmap makes the process map memory by way of a SYSCALL instruction in it.
func injectMmap(t *testing.T, pid int, gadget uint64, size int) uint64 {
	t.Helper()
	var saved, regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(pid, &saved); err != nil {
		t.Fatal(err)
	}
	regs = saved
	regs.Rip, regs.Rax, regs.Orig_rax = gadget, syscall.SYS_MMAP, ^uint64(0)
	regs.Rdi, regs.Rsi, regs.Rdx = 0, uint64(size), syscall.PROT_READ|syscall.PROT_EXEC
	regs.R10, regs.R8, regs.R9 = syscall.MAP_PRIVATE|syscall.MAP_ANON, ^uint64(0), 0
	if err := syscall.PtraceSetRegs(pid, &regs); err != nil {
		t.Fatal(err)
	}
	if err := syscall.PtraceSingleStep(pid); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || !status.Stopped() {
		t.Fatalf("wait: %v, status %#x", err, status)
	}
	if err := syscall.PtraceGetRegs(pid, &regs); err != nil {
		t.Fatal(err)
	}
	if int64(regs.Rax) < 0 {
		t.Fatalf("mmap: %v", syscall.Errno(-int64(regs.Rax)))
	}
	if err := syscall.PtraceSetRegs(pid, &saved); err != nil {
		t.Fatal(err)
	}
	return regs.Rax
}
