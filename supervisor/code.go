//go:build linux && amd64

package supervisor

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"softsgx/codesite"

	"golang.org/x/sys/unix"
)

// codeCache remembers the trapping instructions of files already scanned.
type codeCache map[codeKey][]codesite.Site

type codeKey struct {
	id           inode
	size, mtime  int64
	offset, span uint64
}

// scan returns the sites of [offset, offset+length) of a mapped file, with Addr
// relative to offset.
func (c *codeCache) scan(name string, offset, length uint64) []codesite.Site {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	key := codeKey{inode{st.Dev, st.Ino}, st.Size, st.Mtim.Nano(), offset, length}
	if *c == nil {
		*c = codeCache{}
	}
	if sites, ok := (*c)[key]; ok {
		return sites
	}
	n := min(int64(length), st.Size-int64(offset))
	if n <= 0 {
		return nil
	}
	text, err := unix.Mmap(int(f.Fd()), int64(offset), int(n), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	defer unix.Munmap(text)
	sites := codesite.Scan(text, 0)
	(*c)[key] = sites
	return sites
}

// loaderFile tells whether CPUID in the file is left alone: what the dynamic
// loader and the C library find at their start costs many stops and their
// functions do not depend on SGX.
func loaderFile(name string) bool {
	base := filepath.Base(name)
	return strings.HasPrefix(base, "ld-") || strings.HasPrefix(base, "libc.so") ||
		strings.HasPrefix(base, "libc-2") || strings.HasPrefix(base, "ld.so")
}

// mappedCode patches the trapping instructions of text that was just mapped.
func (s *Supervisor) mappedCode(t *Thread, fd int32, start, length, offset uint64) {
	name, err := os.Readlink(fdPath(t.tid, int(fd)))
	if err != nil {
		return
	}
	s.patchText(t, name, start, length, offset, !s.cfg.Host.CPUIDFaulting)
}

func (s *Supervisor) patchText(t *Thread, name string, start, length, offset uint64, withCPUID bool) {
	if loaderFile(name) {
		return
	}
	for _, site := range s.code.scan(name, offset, length) {
		switch k := siteOf(site.Kind); {
		case k == siteENCLU && t.proc.device, k == siteCPUID && withCPUID:
			s.patch(t, start+site.Addr, k)
		}
	}
}

// patchImage patches CPUID in the program's own text, on hosts where it cannot
// fault. The loader is left alone, libraries follow as they are mapped.
func (s *Supervisor) patchImage(t *Thread) {
	if s.cfg.Host.Int80 {
		s.eachText(t, func(name string, start, length, offset uint64) {
			s.patchText(t, name, start, length, offset, true)
		})
	}
}

// patchENCLU patches every ENCLU of the program when it first opens a device, so
// that it never raises a signal.
func (s *Supervisor) patchENCLU(t *Thread) {
	if s.cfg.Host.Int80 {
		s.eachText(t, func(name string, start, length, offset uint64) {
			s.patchText(t, name, start, length, offset, false)
		})
	}
}

// eachText calls f for every executable mapping of a file.
func (s *Supervisor) eachText(t *Thread, f func(name string, start, length, offset uint64)) {
	m, err := os.Open(fmt.Sprintf("/proc/%d/maps", t.tid))
	if err != nil {
		return
	}
	defer m.Close()
	scan := bufio.NewScanner(m)
	for scan.Scan() {
		var start, end, offset, ino uint64
		var rights, dev, name string
		n, _ := fmt.Sscanf(scan.Text(), "%x-%x %s %x %s %d %s", &start, &end, &rights, &offset, &dev, &ino, &name)
		if n == 7 && rights[2] == 'x' && strings.HasPrefix(name, "/") && t.space.find(start) == nil {
			f(name, start, end-start, offset)
		}
	}
}
