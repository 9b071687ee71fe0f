//go:build linux && amd64

package conformance

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnotherMachine runs our C programs on Debian's kernel and a processor that QEMU
// emulates: another kernel, another XCR0, protection keys.
func TestAnotherMachine(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(root, "scripts", "vm.sh"))
	cmd.Env = append(os.Environ(), "SOFTSGX="+softsgx, "TESTPROGS="+dir, "VM_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 77 {
		t.Skipf("the emulated machine is not installed: %s", out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if reason, ok := strings.CutPrefix(strings.TrimSpace(line), "skip "); ok {
			t.Run("part", func(t *testing.T) { t.Skip(reason) })
		}
	}
	if !strings.Contains(string(out), "ok vectors") {
		t.Errorf("vectors did not run\n%s", out)
	}
}
