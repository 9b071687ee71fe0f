//go:build linux && amd64

package supervisor

import (
	"encoding/binary"

	"softsgx/seccomp"

	"golang.org/x/sys/unix"
)

const (
	seccompSetModeFilter = 1
	seccompFilterTSYNC   = 1
)

// watchDevice installs the second filter in the process, once: from now on calls
// that change mappings stop. It must be called where injecting is allowed.
func (s *Supervisor) watchDevice(t *Thread) {
	if t.proc.device {
		return
	}
	if err := s.install(t, s.filters.device); err != nil {
		s.warn("pid %d: changes of enclave mappings cannot be followed: %v", t.proc.tgid, err)
		return
	}
	t.proc.device = true
	t.inherited()
	s.patchENCLU(t)
}

// initialized prepares the process for code in the enclave: system calls made
// from there stop.
func (s *Supervisor) initialized(t *Thread, f *File) {
	base, size, _ := f.enclave.Range()
	r := elrange{uint64(base), uint64(base) + size}
	for _, old := range t.proc.ranges {
		if old.start <= r.start && r.end <= old.end {
			return
		}
	}
	p, err := seccomp.Enclave(r.start, r.end)
	if err == nil {
		err = s.install(t, p)
	}
	if err != nil {
		s.warn("pid %d: system calls from the enclave at %#x cannot be stopped: %v", t.proc.tgid, r.start, err)
		return
	}
	t.proc.ranges = append(t.proc.ranges[:len(t.proc.ranges):len(t.proc.ranges)], r)
}

// install adds a filter to all threads of the process.
func (s *Supervisor) install(t *Thread, p seccomp.Program) error {
	scratch := t.scratch()
	if scratch == 0 {
		return unix.ENOSYS
	}
	code := p.Bytes()
	prog := binary.LittleEndian.AppendUint64(nil, uint64(len(p))) // struct sock_fprog
	prog = binary.LittleEndian.AppendUint64(prog, scratch+16)
	if err := writeText(t.tid, scratch, append(prog, code...)); err != nil {
		return err
	}
	_, err := t.inject(unix.SYS_SECCOMP, seccompSetModeFilter, seccompFilterTSYNC, scratch)
	return err
}
