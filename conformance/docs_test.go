//go:build linux && amd64

package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPolicyGuide runs the steps of docs/policy.md as they stand, in one directory.
func TestPolicyGuide(t *testing.T) {
	dir, err := testprogs()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	path := "PATH=" + filepath.Dir(softsgx) + ":" + os.Getenv("PATH")
	for i, step := range steps(string(text)) {
		r := program{
			args: []string{"sh", "-e", "-c", step}, dir: work, env: []string{path, "DEMO=" + filepath.Join(dir, "demo")},
		}.run(t)
		if r.code != 0 {
			t.Fatalf("step %d, status %d:\n%s\n%s%s", i+1, r.code, step, r.stdout, r.stderr)
		}
	}
}

// steps returns the sh blocks of a page.
func steps(page string) (all []string) {
	for _, block := range strings.Split(page, "```sh\n")[1:] {
		step, _, _ := strings.Cut(block, "```")
		all = append(all, step)
	}
	return all
}
