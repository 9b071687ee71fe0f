// Package platform keeps the secret that makes one machine's enclaves one SGX
// platform: report and seal keys derive from it, so that enclaves under different
// supervisors can attest each other and sealed data survives a restart.
package platform

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Root is the 32-byte root secret of a platform.
type Root [32]byte

// mark starts the file, so that nobody takes it for keys of real hardware.
const mark = "softsgx software platform root v1: no hardware stands behind these keys\n"

// Dir returns where the platform's state lies: $SOFTSGX_STATE, else
// $XDG_STATE_HOME/softsgx, else ~/.local/state/softsgx.
func Dir() (string, error) {
	if d := os.Getenv("SOFTSGX_STATE"); d != "" {
		return d, nil
	}
	if d := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "softsgx"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for the platform state: %w; set SOFTSGX_STATE", err)
	}
	return filepath.Join(home, ".local", "state", "softsgx"), nil
}

// Load returns the platform root kept in dir and makes one there first if there is
// none. Supervisors that race agree on one root.
func Load(dir string) (Root, error) {
	name := filepath.Join(dir, "platform-root")
	root, err := read(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return root, err
	}
	if err := create(dir, name); err != nil {
		return Root{}, fmt.Errorf("making the platform root: %w", err)
	}
	return read(name)
}

// Throwaway returns a root that nothing keeps.
func Throwaway() (r Root) {
	rand.Read(r[:])
	return r
}

func read(name string) (r Root, err error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return r, err
	}
	if len(b) != len(mark)+len(r) || string(b[:len(mark)]) != mark {
		return r, fmt.Errorf("%s is not a softsgx platform root; move it away to get a new platform (data sealed under the old one is lost)", name)
	}
	copy(r[:], b[len(mark):])
	return r, nil
}

// create writes a new root under a temporary name and links it into place: the
// first of several wins, and no one sees a half-written file.
func create(dir, name string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".platform-root-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	root := Throwaway()
	_, err = f.Write(append([]byte(mark), root[:]...))
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
