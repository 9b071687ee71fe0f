//go:build linux && amd64

package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const selftestRounds = 20

// nobody is an ordinary user that every machine has.
const nobody = 65534

// selftest builds the Linux 6.1 SGX selftest from Debian's sources, unmodified,
// and returns its directory.
var selftest = sync.OnceValues(func() (string, error) {
	cmd := exec.Command(filepath.Join(root, "scripts", "selftest.sh"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("scripts/selftest.sh: %w", err)
	}
	lines := strings.Fields(string(out))
	return lines[len(lines)-1], nil
})

func selftestProgram(t *testing.T, uid uint32) program {
	t.Helper()
	dir, err := selftest()
	if err != nil {
		t.Fatalf("the kernel selftest could not be built: %v", err)
	}
	if uid != 0 {
		dir = readableCopy(t, dir)
	}
	return program{args: []string{"./test_sgx"}, dir: dir, uid: uid}.supervised()
}

// readableCopy puts the selftest where every user can reach it.
func readableCopy(t *testing.T, dir string) string {
	to := filepath.Join(filepath.Dir(softsgx), "selftest")
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"test_sgx", "test_encl.elf"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// passed demands 16 of 16.
func passed(t *testing.T, r result) {
	t.Helper()
	if r.code != 0 || !strings.Contains(r.stdout, "# PASSED: 16 / 16 tests passed.") {
		t.Fatalf("status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestSelftestAsRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root; TestSelftestAsUser covers this user")
	}
	p := selftestProgram(t, 0)
	for range selftestRounds {
		passed(t, p.run(t))
	}
}

func TestSelftestAsUser(t *testing.T) {
	uid := uint32(nobody)
	if os.Getuid() != 0 {
		uid = 0 // we are an ordinary user already
	}
	p := selftestProgram(t, uid)
	for range selftestRounds {
		passed(t, p.run(t))
	}
}

func TestSelftestTwoCopies(t *testing.T) {
	p := selftestProgram(t, 0)
	for range selftestRounds {
		var wg sync.WaitGroup
		results := make([]result, 2)
		for i := range results {
			wg.Add(1)
			go func() { defer wg.Done(); results[i] = p.run(t) }()
		}
		wg.Wait()
		for _, r := range results {
			passed(t, r)
		}
	}
}
