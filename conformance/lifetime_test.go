//go:build linux && amd64

package conformance

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSupervisorDeath: what softsgx runs does not outlive it.
func TestSupervisorDeath(t *testing.T) {
	cmd := exec.Command(softsgx, "run", "--", "sh", "-c", "sleep 300 & echo $$ $!; wait")
	cmd.Env = append(os.Environ(), "SOFTSGX_STATE="+stateDir(t, 0))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	var shell, sleep int
	fmt.Sscan(line, &shell, &sleep)
	deadline := time.Now().Add(10 * time.Second)
	for _, pid := range []int{shell, sleep} {
		for syscall.Kill(pid, 0) == nil && !zombie(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d lives on", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// TestEverythingIsFreed: programs with enclaves end, by themselves and by SIGKILL in
// the middle of a load, and the supervisor holds no more descriptors than before.
func TestEverythingIsFreed(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`
		before=$(ls /proc/$PPID/fd | wc -l)
		for i in 1 2 3; do %[1]s/recreate; %[1]s/fdpass; %[1]s/forkshare; done >/dev/null
		for i in 1 2 3; do %[1]s/bench load 512 & sleep 0.3; kill -9 $!; wait $!; done 2>/dev/null
		sleep 0.5
		after=$(ls /proc/$PPID/fd | wc -l)
		echo "$before $after"`, dir)
	r := program{args: []string{"sh", "-c", script}}.supervised().run(t)
	var before, after int
	if n, _ := fmt.Sscan(r.stdout, &before, &after); n != 2 || r.code != 0 {
		t.Fatalf("status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if after > before+2 { // files of the runtime itself, opened at the first use
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// TestPassedDescriptor: a descriptor sent to another process opens no other way into
// the enclave.
func TestPassedDescriptor(t *testing.T) {
	need(t, "python3")
	r := program{args: []string{"python3", "testdata/passed.py"}}.supervised().run(t)
	if r.code != 0 || r.stdout != "ok\n" {
		t.Errorf("status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// TestSummary: what softsgx says of an enclave agrees with what the program says.
func TestSummary(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	r := program{args: []string{filepath.Join(dir, "demo")}}.supervised("--summary").run(t)
	for _, field := range []string{"MRENCLAVE", "MRSIGNER"} {
		program, ours := value(r.stdout, field), value(r.stderr, field)
		if len(program) != 64 || program != ours {
			t.Errorf("%s: the program says %q, softsgx %q", field, program, ours)
		}
	}
	if !strings.Contains(r.stderr, "1 by #UD") {
		t.Errorf("no #UD in the summary:\n%s", r.stderr)
	}
}

// value is the word after field.
func value(text, field string) string {
	_, rest, _ := strings.Cut(text, field)
	words := strings.Fields(rest)
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
