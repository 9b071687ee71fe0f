package vdso

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestContract runs the function in a process of its own, where a C program
// plays the CPU and the enclave (testdata/contract.c).
func TestContract(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to build testdata/contract.c")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "contract")
	if out, err := exec.Command(gcc, "-O1", "-Wall", "-Werror", "-no-pie", "-o", program, "testdata/contract.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	image, base := hostImage(t)
	page := base + 0x10000
	img, err := Build(image, base, page)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "page")
	if err := os.WriteFile(file, img.Page, 0o600); err != nil {
		t.Fatal(err)
	}
	off := func(addr uint64) string { return strconv.FormatUint(addr-page, 10) }
	out, err := exec.Command(program, file, off(img.Enter), off(img.ENCLU), off(img.Exception)).CombinedOutput()
	rows := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "ok "); ok {
			rows++
			t.Run(name, func(*testing.T) {})
		} else if name, ok := strings.CutPrefix(line, "not ok "); ok {
			rows++
			name, why, _ := strings.Cut(name, " -- ")
			t.Run(name, func(t *testing.T) { t.Error(why) })
		} else {
			t.Log(line)
		}
	}
	if err != nil {
		t.Errorf("contract: %v", err)
	}
	if rows == 0 {
		t.Error("the program printed no row")
	}
}
