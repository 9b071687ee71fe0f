//go:build linux && amd64

package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// testprogs builds our C programs, dynamic and static, where every user can run
// them, and returns their directory.
var testprogs = sync.OnceValues(func() (string, error) {
	out := filepath.Join(filepath.Dir(softsgx), "testprogs")
	cmd := exec.Command("make", "-s", "-j4", "-C", filepath.Join(root, "testprogs"), "OUT="+out)
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make -C testprogs: %w\n%s", err, b)
	}
	err := filepath.Walk(out, func(name string, info os.FileInfo, err error) error {
		if err == nil && info.IsDir() {
			err = os.Chmod(name, 0o755)
		}
		return err
	})
	return out, err
})

// programNames asks the makefile for the programs that want an enclave.
func programNames(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("make", "-s", "-C", filepath.Join(root, "testprogs"), "list").Output()
	if err != nil {
		t.Fatalf("make -C testprogs list: %v", err)
	}
	return strings.Fields(string(out))
}

// TestPrograms runs our C programs, each linked dynamically and statically, as
// root and as an ordinary user.
func TestPrograms(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	users := map[string]uint32{"this user": 0}
	if os.Getuid() == 0 {
		users = map[string]uint32{"root": 0, "user": nobody}
	}
	for user, uid := range users {
		for _, kind := range []string{"", "static"} {
			for _, name := range programNames(t) {
				p := program{args: []string{filepath.Join(dir, kind, name)}, dir: "/tmp", uid: uid}
				t.Run(filepath.Join(user, kind, name), func(t *testing.T) {
					report(t, name, p.supervised().run(t))
				})
			}
		}
	}
}

// report passes a program that ended with "ok NAME". What it says it could not try
// here becomes a skipped subtest with its reason.
func report(t *testing.T, name string, r result) {
	t.Helper()
	for line := range strings.Lines(r.stdout) {
		if reason, ok := strings.CutPrefix(line, "skip "+name+": "); ok {
			t.Run("part", func(t *testing.T) { t.Skip(strings.TrimSpace(reason)) })
		}
	}
	if r.code != 0 || !strings.HasSuffix(r.stdout, "ok "+name+"\n") {
		t.Errorf("status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// TestAttestationBetweenSupervisors moves a TARGETINFO and a REPORT between two
// enclaves in processes under supervisors of their own: one platform, one key.
func TestAttestationBetweenSupervisors(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	attest, work := filepath.Join(dir, "attest"), t.TempDir()
	targetinfo, report := filepath.Join(work, "targetinfo"), filepath.Join(work, "report")
	for _, args := range [][]string{
		{attest, "targetinfo", targetinfo},
		{attest, "report", targetinfo, report},
		{attest, "verify", report},
	} {
		if r := (program{args: args}).supervised().run(t); r.code != 0 {
			t.Fatalf("%q: status %d\n%s%s", args, r.code, r.stdout, r.stderr)
		}
	}
	// Another platform must not verify it.
	other := program{args: []string{attest, "verify", report}, env: []string{"SOFTSGX_STATE=" + t.TempDir()}}
	if r := other.supervised().run(t); r.code == 0 {
		t.Error("a report of one platform verifies on another")
	}
}

// TestTwoSupervisorsAtOnce runs the heaviest program beside itself.
func TestTwoSupervisorsAtOnce(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	results := make([]result, 2)
	for i := range results {
		wg.Go(func() {
			results[i] = program{args: []string{filepath.Join(dir, "threads")}}.supervised().run(t)
		})
	}
	wg.Wait()
	for _, r := range results {
		report(t, "threads", r)
	}
}

// TestErrorsSayWhatToDo runs what cannot be supervised.
func TestErrorsSayWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no such program", []string{softsgx, "run", "--", "/no/such/program"}, 127, "/no/such/program"},
		{"not executable", []string{softsgx, "run", "--", "/etc/passwd"}, 126, "/etc/passwd"},
		{"no program", []string{softsgx, "run"}, 125, "program"},
		{"unknown flag", []string{softsgx, "run", "--no-such-flag", "--", "true"}, 125, "no-such-flag"},
		{"unknown command", []string{softsgx, "frobnicate"}, 125, "frobnicate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := program{args: tt.args}.run(t)
			if r.code != tt.code || !strings.Contains(r.stderr, tt.want) || bytes.Count([]byte(r.stderr), []byte("\n")) > 3 {
				t.Errorf("status %d, want %d with %q in a line or two:\n%s", r.code, tt.code, tt.want, r.stderr)
			}
		})
	}
}
