//go:build linux && amd64

// Package conformance runs real programs under softsgx: the kernel's own SGX
// selftest, our C programs, and ordinary software that must not notice us.
package conformance

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// softsgx is the binary under test, built once; root is the module's directory.
var softsgx, root string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "softsgx-conformance-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		os.Chmod(dir, 0o755)
		root, _ = filepath.Abs("..")
		softsgx = filepath.Join(dir, "softsgx")
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", softsgx, "./cmd/softsgx")
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building softsgx: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// result is how a program ended and what it wrote.
type result struct {
	stdout, stderr string
	code           int // exit status, 128+n for signal n
}

// program is one run of a command.
type program struct {
	args  []string
	dir   string
	stdin string
	env   []string
	uid   uint32 // run as this user if nonzero
	limit time.Duration
}

// supervised returns the same program under softsgx.
func (p program) supervised(flags ...string) program {
	p.args = append(append(append([]string{softsgx, "run"}, flags...), "--"), p.args...)
	return p
}

// run runs the program. A program that does not end in time fails the test.
func (p program) run(t testing.TB) result {
	t.Helper()
	if p.limit == 0 {
		p.limit = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, &out, &errs
	cmd.Stdin = bytes.NewBufferString(p.stdin)
	cmd.Env = append(append(os.Environ(), "SOFTSGX_STATE="+stateDir(t, p.uid)), p.env...)
	cmd.WaitDelay = time.Second
	if p.uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: p.uid, Gid: p.uid}}
		cmd.Env = append(cmd.Env, "HOME=/nonexistent")
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v", p.args, err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%q did not end within %v\n%s%s", p.args, p.limit, &out, &errs)
	}
	code := cmd.ProcessState.ExitCode()
	if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		code = 128 + int(ws.Signal())
	}
	return result{out.String(), errs.String(), code}
}

// stateDir is where this test's platform root lies, for each user its own.
func stateDir(t testing.TB, uid uint32) string {
	dir := filepath.Join(filepath.Dir(softsgx), fmt.Sprintf("state-%d", uid))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if uid != 0 {
		if err := os.Chown(dir, int(uid), int(uid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// need skips the test, with the reason, if a command is missing.
func need(t testing.TB, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := exec.LookPath(n); err != nil {
			t.Skipf("needs %s, which this machine lacks", n)
		}
	}
}

// TestBinary: one static binary of less than 8 MB.
func TestBinary(t *testing.T) {
	f, err := elf.Open(softsgx)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary has a %v segment: it is not static", p.Type)
		}
	}
	st, err := os.Stat(softsgx)
	if err != nil {
		t.Fatal(err)
	}
	if st.Size() >= 8_000_000 {
		t.Errorf("the binary has %d bytes, 8,000,000 are too many", st.Size())
	}
}
