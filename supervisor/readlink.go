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
	if len(s.files) > 0 {
		if f := s.file(t, t.descriptorLink(p)); f != nil {
			s.answerLink(t, f.name(), buf, size)
			return
		}
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

// name is the node that was opened.
func (f *File) name() string {
	if f.enclave == nil {
		return "/dev/sgx_provision"
	}
	return "/dev/sgx_enclave"
}

// descriptorLink returns N if the path at p is /proc/self/fd/N, under one of its
// names, and -1 otherwise.
func (t *Thread) descriptorLink(p uint64) int32 {
	name, err := ptrace.ReadString(t.tid, p, unix.PathMax)
	if err != nil {
		return -1
	}
	dir, last := path.Split(path.Clean(name))
	rest, ok := strings.CutPrefix(dir, "/proc/")
	who, isFD := strings.CutSuffix(rest, "/fd/")
	if !ok && dir == "/dev/fd/" {
		ok, isFD, who = true, true, "self"
	}
	if !ok || !isFD || who != "self" && who != "thread-self" && who != strconv.Itoa(t.proc.tgid) {
		return -1
	}
	n, err := strconv.ParseInt(last, 10, 32)
	if err != nil {
		return -1
	}
	return int32(n)
}
