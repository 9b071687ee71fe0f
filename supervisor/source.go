//go:build linux && amd64

package supervisor

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"softsgx/uapi"

	"golang.org/x/sys/unix"
)

// mapping is one VMA of a tracee, of any kind.
type mapping struct {
	start, end uint64
	executable bool   // now
	name       string // "" for anonymous memory
	offset     uint64 // in the file
	id         inode  // of the file
}

// Source finds the first mapping of the caller that ends above p, as the kernel's
// find_vma does, and tells whether it may become executable: a mapping of a file
// on a noexec mount may not.
func (c *caller) Source(p uapi.UserPtr) (end uapi.UserPtr, mayExec, enclave, ok bool) {
	if c.t.busy {
		c.s.ring(func() { end, mayExec, enclave, ok = c.source(p) })
		return
	}
	return c.source(p)
}

// mapping finds the mapping that holds p.
func (c *caller) mapping(p uint64) (m mapping, ok bool) {
	find := func() { m, ok = c.t.proc.maps.find(c.tid, p) }
	if c.t.busy {
		c.s.ring(find)
	} else {
		find()
	}
	return m, ok && m.start <= p
}

func (c *caller) source(p uapi.UserPtr) (end uapi.UserPtr, mayExec, enclave, ok bool) {
	m, ok := c.t.proc.maps.find(c.tid, uint64(p))
	if !ok {
		return 0, false, false, false
	}
	mayExec = m.executable || !strings.HasPrefix(m.name, "/") || !onNoexec(c.tid, m)
	return uapi.UserPtr(m.end), mayExec, c.t.space.overlaps(m.start, m.end), true
}

// maps looks VMAs up: with PROCMAP_QUERY (Linux 6.11), which costs a microsecond,
// or by reading the whole list.
type maps struct {
	file   *os.File
	absent bool // PROCMAP_QUERY
}

func (q *maps) find(tid int, addr uint64) (mapping, bool) {
	if !q.absent {
		m, err := q.query(tid, addr)
		switch err {
		case nil:
			return m, true
		case unix.ENOENT:
			return mapping{}, false
		}
		q.absent = true
	}
	return scanMaps(tid, addr)
}

func (q *maps) close() {
	if q.file != nil {
		q.file.Close()
		q.file = nil
	}
}

// procmapQuery is struct procmap_query (linux/fs.h).
type procmapQuery struct {
	size, flags, addr        uint64
	start, end, vmaFlags     uint64
	pageSize, offset, inode  uint64
	major, minor             uint32
	nameSize, buildIDSize    uint32
	nameAddr, buildIDAddress uint64
}

const (
	procmapQueryCmd  = 0xc0686611 // PROCMAP_QUERY
	queryExecutable  = 0x04
	queryCoverOrNext = 0x10
)

func (q *maps) query(tid int, addr uint64) (mapping, error) {
	if q.file == nil {
		f, err := os.Open(fmt.Sprintf("/proc/%d/maps", tid))
		if err != nil {
			return mapping{}, err
		}
		q.file = f
	}
	var name [unix.PathMax]byte
	arg := procmapQuery{flags: queryCoverOrNext, addr: addr, nameSize: uint32(len(name)),
		nameAddr: uint64(uintptr(unsafe.Pointer(&name)))}
	arg.size = uint64(unsafe.Sizeof(arg))
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, q.file.Fd(), procmapQueryCmd, uintptr(unsafe.Pointer(&arg))); e != 0 {
		return mapping{}, e
	}
	m := mapping{
		start: arg.start, end: arg.end, executable: arg.vmaFlags&queryExecutable != 0, offset: arg.offset,
		id: inode{unix.Mkdev(arg.major, arg.minor), arg.inode},
	}
	if arg.nameSize > 0 {
		m.name = unix.ByteSliceToString(name[:])
	}
	return m, nil
}

// scanMaps reads /proc/PID/maps up to the mapping wanted.
func scanMaps(tid int, addr uint64) (mapping, bool) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", tid))
	if err != nil {
		return mapping{}, false
	}
	defer f.Close()
	for scan := bufio.NewScanner(f); scan.Scan(); {
		if m, ok := parseMap(scan.Text()); ok && m.end > addr {
			return m, true
		}
	}
	return mapping{}, false
}

// parseMap reads one line of /proc/PID/maps.
func parseMap(line string) (m mapping, ok bool) {
	var rights string
	var major, minor uint32
	n, _ := fmt.Sscanf(line, "%x-%x %s %x %x:%x %d", &m.start, &m.end, &rights, &m.offset, &major, &minor, &m.id.ino)
	if n != 7 || len(rights) < 3 {
		return mapping{}, false
	}
	m.id.dev = unix.Mkdev(major, minor)
	m.executable = rights[2] == 'x'
	if i := strings.IndexAny(line, "/["); i >= 0 {
		m.name = line[i:]
	}
	return m, true
}

// onNoexec tells whether the mapping's file lies on a noexec mount, as the process
// sees its mounts. A file that is gone is taken for one that may be executed.
func onNoexec(tid int, m mapping) bool {
	var st unix.Statfs_t
	if unix.Statfs(fmt.Sprintf("/proc/%d/root%s", tid, m.name), &st) != nil {
		return false
	}
	return st.Flags&unix.ST_NOEXEC != 0
}
