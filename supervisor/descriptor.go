//go:build linux && amd64

package supervisor

import "golang.org/x/sys/unix"

// refuse answers a call on a descriptor of ours with what the device answers, which
// has no such operation: the memfd in its place has. args says which arguments are
// descriptors.
func refuse(e unix.Errno, args ...int) func(*Supervisor, *Thread) {
	return func(s *Supervisor, t *Thread) {
		r := &t.regs
		values := [...]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9}
		for _, n := range args {
			if s.file(t, int32(values[n])) != nil {
				t.fail(e)
				return
			}
		}
		t.cont(0)
	}
}

// ioURing refuses io_uring in a process that holds a device, as a host may for all
// (kernel.io_uring_disabled): its requests pass by every filter.
func (s *Supervisor) ioURing(t *Thread) { t.fail(unix.EPERM) }

// pinPosition moves the file position of a new descriptor to the end of the memfd,
// where nothing can be read and the seals let nothing be written: read and write are
// too frequent to stop. Seeking back is refused.
func (t *Thread) pinPosition(fd int) {
	t.inject(unix.SYS_LSEEK, uint64(fd), maxOffset, unix.SEEK_SET)
}

// passing is a call that may give a device's descriptor to a process that never had
// one. What that process may do with it is watched for in every process from now on:
// who receives cannot be told from who sends.
func (s *Supervisor) passing(t *Thread) {
	if len(s.files) == 0 || s.everywhere {
		t.cont(0)
		return
	}
	s.everywhere = true
	for p := s.unwatched(); p != nil; p = s.unwatched() {
		p.proc.tried = true
		if p == t {
			continue
		}
		s.withStopped(p, func() { s.watchDevice(p) })
	}
	if t.proc.device {
		t.cont(0)
		return
	}
	saved := t.regs
	s.watchDevice(t)
	t.regs = saved
	t.restart()
}

// unwatched returns a thread of a process without the second filter, nil if there is
// none left.
func (s *Supervisor) unwatched() *Thread {
	for _, t := range s.threads {
		if !t.proc.device && !t.proc.tried && !t.proc.foreign && !t.vforking {
			return t
		}
	}
	return nil
}
