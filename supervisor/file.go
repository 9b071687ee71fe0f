//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"strconv"

	"softsgx/driver"
	"softsgx/isa"

	"golang.org/x/sys/unix"
)

// inode identifies an open device file of ours: a memfd that stands in for it.
// It survives dup, fork and SCM_RIGHTS.
type inode struct{ dev, ino uint64 }

// File is one open of a device node. An enclave lives as long as any descriptor
// or mapping in any process refers to its file.
type File struct {
	id       inode
	enclave  *driver.Enclave // nil for the provision device
	fd       int             // our descriptor of the memfd
	writable bool            // opened for writing
	mappings int
	used     bool // was mapped once
	mem      *memory
	sites    map[uint64]site // replaced instructions of the enclave
	counts   Counts
	working  int // workers in one of its ioctls
}

// maxOffset is the size of every memfd: file offset is linear address.
const maxOffset = 1 << 47

// adopt takes the memfd that the tracee just got as descriptor fd and makes it an
// open file of node.
func (s *Supervisor) adopt(t *Thread, fd int, enclave, writable bool) (*File, error) {
	own, err := unix.Open(fdPath(t.tid, fd), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the tracee's descriptor %d: %w", fd, err)
	}
	f := &File{fd: own, writable: writable, sites: map[uint64]site{}}
	if err := f.prepare(); err != nil {
		unix.Close(own)
		return nil, err
	}
	if enclave {
		f.mem = &memory{fd: own}
		f.enclave = s.driver.Open(f.mem)
	}
	s.files[f.id] = f
	return f, nil
}

func (f *File) prepare() error {
	if err := unix.Ftruncate(f.fd, maxOffset); err != nil {
		return fmt.Errorf("sizing the enclave file: %w", err)
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(f.fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("sealing the enclave file: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return err
	}
	f.id = inode{st.Dev, st.Ino}
	return nil
}

func fdPath(tid, fd int) string {
	return "/proc/" + strconv.Itoa(tid) + "/fd/" + strconv.Itoa(fd)
}

// file returns the device file behind a descriptor of t, or nil.
func (s *Supervisor) file(t *Thread, fd int32) *File {
	if len(s.files) == 0 || fd < 0 {
		return nil
	}
	var st unix.Stat_t
	if unix.Stat(fdPath(t.tid, int(fd)), &st) != nil {
		return nil
	}
	return s.files[inode{st.Dev, st.Ino}]
}

// mapped records one more mapping.
func (f *File) mapped(start, end uint64, prot isa.Access) *VMA {
	f.mappings++
	f.used = true
	return &VMA{start: start, end: end, prot: prot, file: f}
}

func (f *File) unmapped() { f.mappings-- }

// sweep releases the files that nothing refers to any more. It runs when a
// mapping or a process went away and when a device is opened: close is not
// traced. A file that was never mapped may be on its way through a socket: it is
// kept while any process lives.
func (s *Supervisor) sweep() {
	var candidates []*File
	for _, f := range s.files {
		if f.mappings == 0 && f.working == 0 && (f.used || len(s.threads) == 0) {
			candidates = append(candidates, f)
		}
	}
	if len(candidates) == 0 {
		return
	}
	open := s.openInodes()
	for _, f := range candidates {
		if !open[f.id] {
			s.release(f)
		}
	}
}

func (s *Supervisor) openInodes() map[inode]bool {
	open := map[inode]bool{}
	seen := map[*Process]bool{}
	for tid, t := range s.threads {
		if seen[t.proc] {
			continue
		}
		seen[t.proc] = true
		dir := "/proc/" + strconv.Itoa(tid) + "/fd"
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			var st unix.Stat_t
			if unix.Stat(dir+"/"+e.Name(), &st) == nil {
				open[inode{st.Dev, st.Ino}] = true
			}
		}
	}
	return open
}

func (s *Supervisor) release(f *File) {
	delete(s.files, f.id)
	if f.enclave != nil {
		if s.cfg.Ended != nil {
			s.cfg.Ended(f.summary())
		}
		if s.governor != nil {
			s.governor.forget(f.enclave)
		}
		f.mem.ending = true
		f.enclave.Put()
		f.mem.close()
	}
	unix.Close(f.fd)
}
