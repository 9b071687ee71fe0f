//go:build linux && amd64

package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// demoSigner is MRSIGNER of testprogs/key.pem.
const demoSigner = "933aad30ac13df941685daaa74c1c9244241e9e52adea84bfa261edb14c4018a"

// TestPolicy runs the demo under policies and looks at what became of it and at the
// measurement list.
func TestPolicy(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, policy string
		works        bool
		says         []string // on standard error
		lists        []string // in the list
	}{
		{"R19 an empty policy grants nothing", ``, false, []string{"init denied", "LAUNCH"}, []string{"sgx_enclave_deny"}},
		{"R10 launch and anon by signer", `keyset "k" { allow mrsigner ` + demoSigner + `: launch, anon; }`, true, nil,
			[]string{"sgx_enclave_init", "result=allow"}},
		{"R3 no executable page from no file", `keyset "k" { allow mrsigner ` + demoSigner + `: launch; }`, false,
			[]string{"init denied", "EXECANON"}, []string{"permission=EXECANON"}},
		{"R28 permissive allows and tells", `mode permissive;`, true, []string{"init would be denied", "LAUNCH"},
			[]string{"result=would_deny"}},
		{"mode off", `mode off;`, true, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			work := t.TempDir()
			policy, list := filepath.Join(work, "machine.policy"), filepath.Join(work, "list")
			write(t, work, "machine.policy", tt.policy)
			r := program{args: []string{filepath.Join(dir, "demo")}}.supervised("--policy", policy, "--list", list).run(t)
			if (r.code == 0) != tt.works {
				t.Errorf("status %d\n%s%s", r.code, r.stdout, r.stderr)
			}
			shown := program{args: []string{softsgx, "log", "show", list}}.run(t)
			for text, wants := range map[string][]string{r.stderr: tt.says, shown.stdout: tt.lists} {
				for _, want := range wants {
					if !strings.Contains(text, want) {
						t.Errorf("no %q in:\n%s", want, text)
					}
				}
			}
			if v := (program{args: []string{softsgx, "log", "verify", list}}).run(t); v.code != 0 {
				t.Errorf("the list does not verify: %s%s", v.stdout, v.stderr)
			}
		})
	}
}

// TestPolicyProvenance: R2, R7: an enclave whose text is mapped from a file is known
// by that file, and by nothing else if one byte differs.
func TestPolicyProvenance(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		mode, origin string
	}{
		{"file", "file"}, {"private", "file"}, {"modified", "modified"}, {"anonymous", "anon"},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			work := t.TempDir()
			list := filepath.Join(work, "list")
			write(t, work, "machine.policy", "mode permissive;")
			p := program{args: []string{filepath.Join(dir, "provenance"), tt.mode, filepath.Join(work, "enclave.bin")}}
			r := p.supervised("--policy", filepath.Join(work, "machine.policy"), "--list", list).run(t)
			if r.code != 0 {
				t.Fatalf("status %d\n%s%s", r.code, r.stdout, r.stderr)
			}
			shown := program{args: []string{softsgx, "log", "show", list}}.run(t)
			line := ""
			for l := range strings.Lines(shown.stdout) {
				if strings.Contains(l, "sgx_enclave_source") {
					line = l
				}
			}
			if !strings.Contains(line, "origin="+tt.origin+",") {
				t.Errorf("want origin %s:\n%s", tt.origin, shown.stdout)
			}
			if tt.origin != "anon" && !strings.Contains(line, "path="+filepath.Join(work, "enclave.bin")) {
				t.Errorf("the file is not named: %s", line)
			}
		})
	}
}

// TestPolicyProvision: R23: the provision key wants the node, the keyset's grant, or
// both, as the policy says.
func TestPolicyProvision(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	key := func(grants string) string { return `keyset "k" { allow mrsigner ` + demoSigner + `: ` + grants + `; }` }
	for _, tt := range []struct {
		name, policy string
		node, starts bool
	}{
		{"no policy, no node", "mode off;", false, false},
		{"no policy, node", "mode off;", true, true},
		{"node and grant", key("launch, anon, provision"), true, true},
		{"grant without node", key("launch, anon, provision"), false, false},
		{"node without grant", key("launch, anon"), true, false},
		{"grant alone, as the policy says", "provision keyset; " + key("launch, anon, provision"), false, true},
		{"neither", "provision keyset; " + key("launch, anon"), false, false},
	} {
		t.Run("R23 "+tt.name, func(t *testing.T) {
			work := t.TempDir()
			write(t, work, "machine.policy", tt.policy)
			p := program{args: []string{filepath.Join(dir, "provision")}}
			if tt.node {
				p.args = append(p.args, "/dev/sgx_provision")
			}
			r := p.supervised("--policy", filepath.Join(work, "machine.policy")).run(t)
			if (r.code == 0) != tt.starts {
				t.Errorf("status %d\n%s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}

// TestPolicyTimeOfUse: R15: a thread changes the source while it is loaded. Whatever
// bytes got in, the record says so: an enclave whose text is recorded as the file's
// has the file's measurement, and one that has not is recorded as modified.
func TestPolicyTimeOfUse(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	list := filepath.Join(work, "list")
	write(t, work, "machine.policy", "mode permissive;")
	p := program{args: []string{filepath.Join(dir, "flip"), filepath.Join(work, "text.bin"), "2000"}}
	r := p.supervised("--policy", filepath.Join(work, "machine.policy"), "--list", list).run(t)
	if r.code != 0 {
		t.Fatalf("status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	shown := program{args: []string{softsgx, "log", "show", list}}.run(t)
	var file, modified int
	last := ""
	for line := range strings.Lines(shown.stdout) {
		started := strings.Contains(line, "sgx_enclave_init")
		switch {
		case started && last == "modified":
			t.Errorf("an enclave started with other bytes than the record says: %s", line)
		case !started && last == "file":
			t.Errorf("the file's own bytes did not start, before: %s", line)
		}
		last = ""
		switch {
		case strings.Contains(line, "origin=file"):
			last, file = "file", file+1
		case strings.Contains(line, "origin=modified"):
			last, modified = "modified", modified+1
		}
	}
	if file == 0 || modified == 0 {
		t.Errorf("%d rounds with the file's bytes and %d without: the race was not run", file, modified)
	}
}

// TestLogJSON: what the list shows is valid JSON, entry by entry.
func TestLogJSON(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "list")
	policy := filepath.Join(root, "testprogs", "demo", "allow.policy")
	if r := (program{args: []string{filepath.Join(dir, "demo")}}).supervised("--policy", policy, "--list", list).run(t); r.code != 0 {
		t.Fatalf("status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	shown := program{args: []string{softsgx, "log", "show", "--json", list}}.run(t)
	var entries int
	for line := range strings.Lines(shown.stdout) {
		var any map[string]any
		if err := json.Unmarshal([]byte(line), &any); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		entries++
	}
	if entries < 2 {
		t.Errorf("%d entries", entries)
	}
	// One changed bit is found.
	b, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 4
	if err := os.WriteFile(list, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if v := (program{args: []string{softsgx, "log", "verify", list}}).run(t); v.code == 0 {
		t.Error("a changed list verifies")
	}
}
