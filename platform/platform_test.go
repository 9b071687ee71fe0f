package platform

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestLoadKeepsOneRoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	var wg sync.WaitGroup
	roots := make([]Root, 16)
	for i := range roots {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r, err := Load(dir)
			if err != nil {
				t.Error(err)
			}
			roots[i] = r
		}()
	}
	wg.Wait()
	for _, r := range roots {
		if r != roots[0] || r == (Root{}) {
			t.Fatal("supervisors that race do not agree on the root")
		}
	}
	st, err := os.Stat(filepath.Join(dir, "platform-root"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".platform-root-*")); len(left) != 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestLoadRefusesDamage(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "platform-root"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil {
		t.Fatal("a damaged root was accepted")
	}
}
