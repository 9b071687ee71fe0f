package codesite

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	const base = 0x401000
	for _, c := range []struct {
		name string
		text string
		want []Site
	}{
		{"nothing", "", nil},
		{"cpuid alone", "\x0f\xa2", []Site{{base, CPUID}}},
		{"enclu alone", "\x0f\x01\xd7", []Site{{base, ENCLU}}},
		{"cut short", "\x90\x0f", nil},
		// mov eax, 7; xor ecx, ecx; cpuid; mov [rdi], ebx; ret
		{"a feature test", "\xb8\x07\x00\x00\x00\x31\xc9\x0f\xa2\x89\x1f\xc3", []Site{{base + 7, CPUID}}},
		// mov eax, 2; lea rcx, [rip]; enclu; ret
		{"EENTER", "\xb8\x02\x00\x00\x00\x48\x8d\x0d\x00\x00\x00\x00\x0f\x01\xd7\xc3", []Site{{base + 12, ENCLU}}},
		// two nops; mov eax, 0xa20f; ret
		{"in an immediate", "\x90\x90\x90\x90\xb8\x0f\xa2\x00\x00\xc3", nil},
		// mov rax, [rip+0x7d7010f]; ret
		{"in a displacement", "\x90\x90\x90\x90\x48\x8b\x05\x0f\x01\xd7\x07\xc3", nil},
		// jmp to a target whose distance reads like it
		{"in a distance", "\x90\x90\x90\x90\xe9\x0f\xa2\x00\x00", nil},
		// main of a static program: cold blocks that call abort, then push rbx; ...
		{"after cold code", strings.Repeat("\xe8\x29\xfc\xff\xff", 10) + "\x53\xb8\x07\x00\x00\x00\x31\xc9\x0f\xa2\x89\xd8\x5b\xc3",
			[]Site{{base + 50 + 8, CPUID}}},
		{"before data", "\x90\x90\x0f\xa2\xf4\xf4", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Scan([]byte(c.text), base); !slices.Equal(got, c.want) {
				t.Errorf("Scan(%x) = %x, want %x", c.text, got, c.want)
			}
		})
	}
}

// TestScanAgainstDisassembler compares with what objdump finds in real programs.
// A site too many would corrupt a program; a site too few leaves a CPUID native.
func TestScanAgainstDisassembler(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("objdump (package binutils) is missing: nothing to compare with")
	}
	var sites, missing int
	for _, name := range programs() {
		want := disassemble(t, objdump, name)
		got := scanFile(t, name)
		for addr, kind := range got {
			if want[addr] != kind {
				t.Errorf("%s: %v at %#x is none", name, kind, addr)
			}
		}
		for addr, kind := range want {
			sites++
			if got[addr] != kind {
				missing++
				t.Logf("%s: %v at %#x not found", name, kind, addr)
			}
		}
	}
	t.Logf("%d sites, %d not found", sites, missing)
	if missing*20 > sites {
		t.Errorf("%d of %d sites not found", missing, sites)
	}
}

// programs are real programs and libraries of this machine, where they exist.
func programs() []string {
	var found []string
	for _, pattern := range []string{
		"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
		"/usr/lib/x86_64-linux-gnu/libgmp.so.10", "/usr/bin/python3", "/usr/bin/git", "/usr/bin/make",
		"/usr/lib/gcc/x86_64-linux-gnu/*/cc1", "/usr/local/go/bin/go", "/usr/local/go/pkg/tool/*/asm", "/usr/local/go/pkg/tool/*/link",
	} {
		names, _ := filepath.Glob(pattern)
		found = append(found, names...)
	}
	return found
}

// scanFile scans the executable sections of an ELF file.
func scanFile(t *testing.T, name string) map[uint64]Kind {
	t.Helper()
	f, err := elf.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sites := map[uint64]Kind{}
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_X == 0 {
			continue
		}
		text := make([]byte, p.Filesz)
		if _, err := p.ReadAt(text, 0); err != nil {
			t.Fatal(err)
		}
		for _, s := range Scan(text, p.Vaddr) {
			sites[s.Addr] = s.Kind
		}
	}
	return sites
}

// disassemble returns what objdump finds.
func disassemble(t *testing.T, objdump, name string) map[uint64]Kind {
	t.Helper()
	out, err := exec.Command("sh", "-c", fmt.Sprintf("%s -d --no-show-raw-insn %s | grep -E '\\s(cpuid|enclu)\\s*$'; true", objdump, name)).Output()
	if err != nil {
		t.Fatal(err)
	}
	sites := map[uint64]Kind{}
	for line := range strings.Lines(string(out)) {
		at, mnemonic, _ := strings.Cut(strings.TrimSpace(line), ":")
		addr, err := strconv.ParseUint(at, 16, 64)
		if err != nil {
			t.Fatal(line)
		}
		sites[addr] = CPUID
		if strings.TrimSpace(mnemonic) == "enclu" {
			sites[addr] = ENCLU
		}
	}
	return sites
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("\xb8\x07\x00\x00\x00\x31\xc9\x0f\xa2\x89\x1f\xc3"))
	f.Add([]byte("\x0f\x01\xd7\x0f\x01"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, s := range Scan(text, 0) {
			for _, e := range encodings {
				if e.kind == s.Kind && !bytes.HasPrefix(text[s.Addr:], e.code) {
					t.Fatalf("no %v at %#x", s.Kind, s.Addr)
				}
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Scan(text, 0)
	}
}
