//go:build linux && amd64

package supervisor

import (
	"path"
	"strconv"
	"strings"

	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// readlink answers readlink and readlinkat: a node is no link, and a descriptor of
// one, which is a memfd in truth, links to the node.
func (s *Supervisor) readlink(t *Thread, dir, p, buf, size uint64) {
	if f := s.deviceLink(t, dir, p); f != nil {
		s.answerLink(t, f.name(), buf, size)
		return
	}
	s.onNode(t, dir, p, -int64(unix.EINVAL))
}

func (s *Supervisor) answerLink(t *Thread, name string, buf, size uint64) {
	if int64(size) <= 0 {
		t.fail(unix.EINVAL)
		return
	}
	b := []byte(name)
	b = b[:min(uint64(len(b)), size)]
	if ptrace.WriteMem(t.tid, buf, b) != nil {
		t.fail(unix.EFAULT)
		return
	}
	t.answer(int64(len(b)))
}

// node is the node that was opened.
func (f *File) node() node {
	if f.enclave == nil {
		return nodeProvision
	}
	return nodeEnclave
}

// name is its path.
func (f *File) name() string {
	if f.enclave == nil {
		return "/dev/sgx_provision"
	}
	return "/dev/sgx_enclave"
}

// deviceLink returns the device file that a path leads to by way of /proc, where
// descriptors and mappings of any process are links to what they show: nil for every
// other path.
func (s *Supervisor) deviceLink(t *Thread, dir, p uint64) *File {
	if len(s.files) == 0 {
		return nil
	}
	name, err := ptrace.ReadString(t.tid, p, unix.PathMax)
	if err != nil {
		return nil
	}
	if !path.IsAbs(name) {
		if strings.Trim(path.Base(name), "0123456789abcdef-") != "" { // a descriptor, or a range in map_files
			return nil
		}
		name = t.directory(int32(dir)) + "/" + name
	}
	name = path.Clean(name)
	if rest, ok := strings.CutPrefix(name, "/dev/fd/"); ok {
		name = "/proc/self/fd/" + rest
	}
	if rest, ok := strings.CutPrefix(name, "/proc/thread-self/"); ok {
		name = "/proc/self/task/" + strconv.Itoa(t.tid) + "/" + rest
	}
	if rest, ok := strings.CutPrefix(name, "/proc/self/"); ok {
		name = "/proc/" + strconv.Itoa(t.proc.tgid) + "/" + rest
	}
	var st unix.Stat_t
	if !strings.HasPrefix(name, "/proc/") || unix.Stat(name, &st) != nil {
		return nil
	}
	return s.files[inode{st.Dev, st.Ino}]
}
