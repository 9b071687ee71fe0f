//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"errors"

	"softsgx/isa"
	"softsgx/ptrace"
	"softsgx/uapi"

	"golang.org/x/sys/unix"
)

// inline is how many bytes of ADD_PAGES the tracer thread hashes itself; more
// goes to a worker.
const inline = 16 * isa.PageSize

// ioctl answers the calls of type 0xA4.
func (s *Supervisor) ioctl(t *Thread) {
	f := s.file(t, int32(t.regs.Rdi))
	if f == nil {
		t.cont(0)
		return
	}
	cmd, arg := uint32(t.regs.Rsi), uapi.UserPtr(t.regs.Rdx)
	if f.enclave == nil {
		t.fail(unix.ENOTTY)
		return
	}
	s.watchDevice(t)
	c := &caller{s: s, t: t, tid: t.tid}
	if cmd == uint32(uapi.SGX_IOC_ENCLAVE_ADD_PAGES) {
		s.addPages(t, f, c, arg)
		return
	}
	err := f.enclave.Ioctl(c, cmd, arg)
	if cmd == uint32(uapi.SGX_IOC_ENCLAVE_INIT) && err == nil {
		s.initialized(t, f)
	}
	s.answerIoctl(t, cmd, err)
}

func (s *Supervisor) answerIoctl(t *Thread, cmd uint32, err error) {
	s.cfg.Trace("ioctl pid=%d cmd=%#x result=%v", t.proc.tgid, cmd, err)
	var e uapi.Errno
	switch {
	case t.dead:
	case err == nil:
		t.answer(0)
	case errors.As(err, &e):
		t.answer(-int64(e))
	default:
		t.fail(unix.EIO)
	}
}

// addPages runs ADD_PAGES. Hashing a large range takes seconds: it runs beside
// the tracer while the calling thread stays stopped.
func (s *Supervisor) addPages(t *Thread, f *File, c *caller, arg uapi.UserPtr) {
	var b [24]byte
	_ = ptrace.ReadMem(t.tid, uint64(arg), b[:])
	length := binary.LittleEndian.Uint64(b[16:])
	var err error
	work := func() {
		err = f.enclave.Ioctl(c, uint32(uapi.SGX_IOC_ENCLAVE_ADD_PAGES), arg)
	}
	finish := func() {
		t.busy = false
		s.answerIoctl(t, uint32(uapi.SGX_IOC_ENCLAVE_ADD_PAGES), err)
	}
	if length <= inline {
		work()
		finish()
		return
	}
	t.busy = true
	f.working++
	s.background(work, func() {
		f.working--
		finish()
		s.sweep()
	})
}

// caller is the process that made an ioctl, as the driver sees it.
type caller struct {
	s   *Supervisor
	t   *Thread
	tid int
}

func (c *caller) CopyIn(p uapi.UserPtr, b []byte) error { return ptrace.ReadMem(c.tid, uint64(p), b) }

func (c *caller) CopyOut(p uapi.UserPtr, b []byte) error { return ptrace.WriteMem(c.tid, uint64(p), b) }

func (c *caller) ProvisionFD(fd uint32) bool {
	f := c.s.file(c.t, int32(fd))
	return f != nil && f.enclave == nil
}

func (c *caller) SignalPending() bool { return false }
