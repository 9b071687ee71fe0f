package insn

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaries are large programs and libraries with much vector code, where a
// system has them.
var binaries = []string{
	goCommand(),
	"/usr/lib/x86_64-linux-gnu/libc.so.6",
	"/usr/lib/x86_64-linux-gnu/libm.so.6",
	"/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
	"/usr/lib/x86_64-linux-gnu/libdav1d.so.6",
	"/usr/lib/x86_64-linux-gnu/libgmp.so.10",
	"/usr/lib/x86_64-linux-gnu/libgcrypt.so.20",
}

// goCommand is the go command, a large Go program.
func goCommand() string {
	path, err := exec.LookPath("go")
	if err != nil {
		return "go"
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// TestBinaries compares every instruction of real programs with objdump.
func TestBinaries(t *testing.T) {
	for _, path := range binaries {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if _, err := os.Stat(path); err != nil {
				t.Skipf("not installed: %v", err)
			}
			if testing.Short() && filepath.Base(path) != "libc.so.6" {
				t.Skip("only the C library with -short")
			}
			checkBinary(t, path)
		})
	}
}

// checkBinary walks over the executable section that a compiler fills.
func checkBinary(t *testing.T, path string) {
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != elf.EM_X86_64 {
		t.Skipf("%s is code for %v", path, f.Machine)
	}
	text := f.Section(".text")
	code, err := text.Data()
	if err != nil {
		t.Fatal(err)
	}
	n, differ := 0, 0
	objdump(t, 1, func(l listing) {
		n++
		at := l.addr - text.Addr
		diff := l.compare(code[at:min(at+MaxLen, uint64(len(code)))])
		if diff == "" {
			return
		}
		if differ++; differ <= 20 {
			t.Errorf("%#x %x %q: %s", l.addr, l.code, l.text, diff)
		}
	}, "-d", "-j", ".text", path)
	t.Logf("%d of %d instructions differ", differ, n)
}
