//go:build linux && amd64

package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

// Programs that never touch SGX run as if we were not there: same output, same
// status.
func TestTransparent(t *testing.T) {
	work := t.TempDir()
	write(t, work, "go.mod", "module hello\n\ngo 1.26\n")
	write(t, work, "main.go", goProgram)
	write(t, work, "Makefile", makefile)
	write(t, work, "threads.py", threads)
	for _, tt := range []struct {
		name  string
		needs []string
		args  []string
		stdin string
	}{
		{"exit status", nil, []string{"sh", "-c", "exit 37"}, ""},
		{"killed by a signal", nil, []string{"sh", "-c", "kill -TERM $$"}, ""},
		{"standard input", nil, []string{"tr", "a-z", "A-Z"}, "hello\n"},
		{"signal handler", nil, []string{"sh", "-c", "trap 'echo caught; exit 5' USR1; kill -USR1 $$; echo not reached"}, ""},
		{"fork and pipes", nil, []string{"sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i | cat | sort; done; wait"}, ""},
		{"stop and continue", nil, []string{"sh", "-c", "sleep 0.3 & kill -STOP $!; sleep 0.1; kill -CONT $!; wait $!; echo $?"}, ""},
		{"python3 -c", []string{"python3"}, []string{"python3", "-c", "import json,sys;print(json.dumps({'a':[1,2]}))"}, ""},
		{"multi-threaded", []string{"python3"}, []string{"python3", "threads.py"}, ""},
		{"git status", []string{"git"}, []string{"git", "-C", root, "status", "--porcelain", "--branch"}, ""},
		{"make -j", []string{"make"}, []string{"make", "-s", "-j4", "all"}, ""},
		{"go build", []string{"go"}, []string{"go", "build", "-a", "-o", "hello", "unicode/utf8"}, ""},
		{"go run", []string{"go"}, []string{"go", "run", "."}, ""},
		{"processors", []string{"python3"}, []string{"python3", "-c", manyStops}, ""},
		{"set-uid program", nil, []string{"sh", "-c", "test -u /bin/su && echo set-uid"}, ""},
		{"no such program", nil, []string{"sh", "-c", "/no/such/program; echo $?"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			need(t, tt.needs...)
			p := program{args: tt.args, dir: work, stdin: tt.stdin}
			want, got := p.run(t), p.supervised().run(t)
			if got != want {
				t.Errorf("native %+v\nsupervised %+v", want, got)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const goProgram = `package main

import (
	"fmt"
	"os/exec"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	sums := make([]int, 16)
	for i := range sums {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 100000 {
				sums[i] += i * j
			}
		}()
	}
	wg.Wait()
	out, err := exec.Command("echo", "child").Output()
	fmt.Println(sums, string(out), err)
}
`

const makefile = "all: a b c d e f g h\n" +
	"a b c d e f g h:\n\t@for i in 1 2 3; do cat Makefile | wc -l > $@.out; done; test -s $@.out\n"

const threads = `
import threading, hashlib, subprocess
out = {}
def work(i):
    h = hashlib.sha256()
    for j in range(200):
        h.update(bytes([i]) * 1000)
        if j % 100 == 0:
            open(__file__).read()
    out[i] = h.hexdigest()
ts = [threading.Thread(target=work, args=(i,)) for i in range(8)]
[t.start() for t in ts]
[t.join() for t in ts]
print(sorted(out.items()))
print(subprocess.run(["true"]).returncode)
`

// manyStops makes the tracer move to this thread's processor, which must not show.
const manyStops = `
import os
for i in range(200): os.stat("/etc")
print(sorted(os.sched_getaffinity(0)))
for i in range(200): os.stat("/etc")
child = os.fork()
if child == 0:
    print(sorted(os.sched_getaffinity(0)))
    os._exit(0)
os.waitpid(child, 0)
`

// TestJobControl: a shell sees the program stop, continue and end.
func TestJobControl(t *testing.T) {
	need(t, "python3", "sh")
	r := program{args: []string{"python3", "testdata/jobcontrol.py", softsgx}}.run(t)
	if r.code != 0 || r.stdout != "ok\n" {
		t.Errorf("status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
