//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"os"
	"path"
	"strconv"
	"strings"

	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// atCWD is AT_FDCWD as it stands in a register.
const atCWD = ^uint64(99)

// node is a device node of ours.
type node int

const (
	nodeNone node = iota
	nodeEnclave
	nodeProvision
	nodeDirectory // /dev/sgx
)

// nodes are the names that programs use (Linux 5.11 on; before that, and by
// Intel's udev rules still, the names under /dev/sgx).
var nodes = map[string]node{
	"/dev/sgx_enclave":   nodeEnclave,
	"/dev/sgx_provision": nodeProvision,
	"/dev/sgx":           nodeDirectory,
	"/dev/sgx/enclave":   nodeEnclave,
	"/dev/sgx/provision": nodeProvision,
}

// node says which device the path at p, relative to descriptor dir, names.
func (t *Thread) node(dir, p uint64) node {
	name, err := ptrace.ReadString(t.tid, p, unix.PathMax)
	if err != nil || name == "" {
		return nodeNone
	}
	if !path.IsAbs(name) {
		if !couldBeNode(name) {
			return nodeNone
		}
		name = t.directory(int32(dir)) + "/" + name
	}
	return nodes[path.Clean(name)]
}

// couldBeNode keeps the common relative path from costing a look at /proc.
func couldBeNode(name string) bool {
	base := path.Base(name)
	return strings.HasSuffix(base, "enclave") || strings.HasSuffix(base, "provision") || base == "sgx"
}

func (t *Thread) directory(fd int32) string {
	link := "/proc/" + strconv.Itoa(t.tid) + "/cwd"
	if fd != unix.AT_FDCWD {
		link = fdPath(t.tid, int(fd))
	}
	dir, err := os.Readlink(link)
	if err != nil {
		return ""
	}
	return dir
}

// open answers open and openat. A device becomes a memfd created by the tracee in
// place of its open, named by the same path string.
func (s *Supervisor) open(t *Thread, dir, p, flags uint64) {
	if s.armCPUID(t, true) {
		return
	}
	n := t.node(dir, p)
	if n == nodeNone {
		if f := s.deviceLink(t, dir, p); f != nil {
			n = f.node() // opening the link opens the device anew
		}
	}
	switch {
	case n == nodeNone:
		t.cont(0)
	case n == nodeDirectory:
		t.fail(unix.EISDIR)
	case flags&unix.O_DIRECTORY != 0:
		t.fail(unix.ENOTDIR)
	case flags&(unix.O_CREAT|unix.O_EXCL) == unix.O_CREAT|unix.O_EXCL:
		t.fail(unix.EEXIST)
	default:
		s.openDevice(t, n, p, flags)
	}
}

func (s *Supervisor) openat2(t *Thread) {
	var how [8]byte
	if ptrace.ReadMem(t.tid, t.regs.Rdx, how[:]) != nil {
		t.cont(0)
		return
	}
	s.open(t, t.regs.Rdi, t.regs.Rsi, binary.LittleEndian.Uint64(how[:]))
}

func (s *Supervisor) openDevice(t *Thread, n node, p, flags uint64) {
	s.sweep()
	saved := t.regs
	t.regs.Orig_rax, t.regs.Rdi, t.regs.Rsi = unix.SYS_MEMFD_CREATE, p, unix.MFD_ALLOW_SEALING
	if flags&unix.O_CLOEXEC != 0 {
		t.regs.Rsi |= unix.MFD_CLOEXEC
	}
	t.run(func() {
		fd := int64(t.regs.Rax)
		if fd >= 0 {
			f, err := s.adopt(t, int(fd), n == nodeEnclave, flags&unix.O_ACCMODE != unix.O_RDONLY)
			if err != nil {
				s.warn("%v", err)
				fd = -int64(unix.ENOMEM)
			} else {
				s.cfg.Trace("open pid=%d fd=%d enclave=%t inode=%d", t.proc.tgid, fd, f.enclave != nil, f.id.ino)
			}
		}
		t.regs = saved
		t.regs.Rax = uint64(fd)
		t.setRegs()
		s.watchDevice(t)
		if fd >= 0 {
			t.pinPosition(int(fd))
		}
		t.cont(0)
	})
}

// stat answers stat, lstat and newfstatat.
func (s *Supervisor) stat(t *Thread, dir, p, buf, flags uint64) {
	n := t.node(dir, p)
	if n == nodeNone && flags&unix.AT_EMPTY_PATH != 0 {
		n = s.descriptorNode(t, int32(dir))
	}
	s.answerStat(t, n, buf)
}

func (s *Supervisor) fstat(t *Thread) {
	s.answerStat(t, s.descriptorNode(t, int32(t.regs.Rdi)), t.regs.Rsi)
}

func (s *Supervisor) descriptorNode(t *Thread, fd int32) node {
	if f := s.file(t, fd); f != nil {
		return f.node()
	}
	return nodeNone
}

func (s *Supervisor) answerStat(t *Thread, n node, buf uint64) {
	if n == nodeNone {
		t.cont(0)
		return
	}
	a := n.attributes()
	b := make([]byte, 144) // struct stat
	le := binary.LittleEndian
	le.PutUint64(b[0:], unix.Mkdev(0, 5))
	le.PutUint64(b[8:], a.ino)
	le.PutUint64(b[16:], 1)
	le.PutUint32(b[24:], a.mode)
	le.PutUint64(b[40:], a.rdev())
	le.PutUint64(b[56:], 4096)
	t.deliver(buf, b)
}

// deliver writes b to buf and completes the system call with 0 or EFAULT.
func (t *Thread) deliver(buf uint64, b []byte) {
	if ptrace.WriteMem(t.tid, buf, b) != nil {
		t.fail(unix.EFAULT)
		return
	}
	t.answer(0)
}

// attributes are what stat shows of a node: a character device of major 10 (misc).
type attributes struct {
	mode  uint32
	ino   uint64
	minor uint32
}

func (a attributes) rdev() uint64 {
	if a.minor == 0 {
		return 0
	}
	return unix.Mkdev(miscMajor, a.minor)
}

const miscMajor = 10

func (n node) attributes() attributes {
	switch n {
	case nodeDirectory:
		return attributes{mode: unix.S_IFDIR | 0o755, ino: 0x5601}
	case nodeProvision:
		return attributes{mode: unix.S_IFCHR | 0o666, ino: 0x5602, minor: 126}
	}
	return attributes{mode: unix.S_IFCHR | 0o666, ino: 0x5603, minor: 125}
}

func (s *Supervisor) statx(t *Thread) {
	n := t.node(t.regs.Rdi, t.regs.Rsi)
	if n == nodeNone && t.regs.Rdx&unix.AT_EMPTY_PATH != 0 {
		n = s.descriptorNode(t, int32(t.regs.Rdi))
	}
	if n == nodeNone {
		t.cont(0)
		return
	}
	a := n.attributes()
	b := make([]byte, 256) // struct statx
	le := binary.LittleEndian
	le.PutUint32(b[0:], unix.STATX_BASIC_STATS)
	le.PutUint32(b[4:], 4096)
	le.PutUint32(b[16:], 1)
	le.PutUint16(b[28:], uint16(a.mode))
	le.PutUint64(b[32:], a.ino)
	if a.minor != 0 {
		le.PutUint32(b[128:], miscMajor)
		le.PutUint32(b[132:], a.minor)
	}
	le.PutUint32(b[140:], 5)
	t.deliver(t.regs.R8, b)
}

// access answers access, faccessat and faccessat2.
func (s *Supervisor) access(t *Thread, dir, p, mode uint64) {
	switch n := t.node(dir, p); {
	case n == nodeNone:
		t.cont(0)
	case mode&unix.X_OK != 0 && n != nodeDirectory:
		t.fail(unix.EACCES)
	default:
		t.answer(0)
	}
}

// onNode answers a call about a path with a fixed result if it names a node.
func (s *Supervisor) onNode(t *Thread, dir, p uint64, result int64) {
	if t.node(dir, p) == nodeNone {
		t.cont(0)
		return
	}
	t.answer(result)
}
