// Package house holds the tests of the house itself: which package may import which.
package house

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// levels orders the packages of the house. A package imports lower levels only.
var levels = map[string]int{
	"isa": 0, "uapi": 0,
	"sgxcrypto": 1, "mlist": 1, "ptrace": 1, "seccomp": 1, "probe": 1, "platform": 1, "vdso": 1, "insn": 1, "codesite": 2,
	"cpu": 2, "driver": 2, "launch": 2,
	"supervisor":  3,
	"cmd/softsgx": 4,
	"conformance": 5, "internal/house": 5, // tests only
}

// forbidden are imports that the levels alone would allow.
var forbidden = map[string][]string{
	"cpu":    {"uapi"},
	"driver": {"sgxcrypto", "ptrace", "seccomp", "probe", "platform", "vdso", "insn"},
}

// withoutOS are the packages that make no operating-system call, so that they
// build and test anywhere.
var withoutOS = []string{"isa", "uapi", "sgxcrypto", "seccomp", "vdso", "insn", "codesite", "cpu", "driver", "launch"}

func TestImportDirections(t *testing.T) {
	for name, p := range packages(t) {
		level, known := levels[name]
		if !known {
			t.Errorf("%s has no level: add it, or say which import it removes", name)
			continue
		}
		for _, i := range p.Imports {
			to, ours := strings.CutPrefix(i, "softsgx/")
			if !ours {
				continue
			}
			if levels[to] >= level {
				t.Errorf("%s (level %d) imports %s (level %d)", name, level, to, levels[to])
			}
			for _, f := range forbidden[name] {
				if to == f {
					t.Errorf("%s imports %s", name, to)
				}
			}
		}
	}
}

func TestPureStaysPure(t *testing.T) {
	all := packages(t)
	for _, name := range withoutOS {
		for _, i := range all[name].Imports {
			if i == "os" || i == "syscall" || i == "os/exec" || i == "golang.org/x/sys/unix" || i == "C" {
				t.Errorf("%s imports %s", name, i)
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "softsgx/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]listed{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if name := strings.TrimPrefix(p.ImportPath, "softsgx/"); !strings.HasPrefix(name, "internal/") {
			all[name] = p
		}
	}
	return all
}
