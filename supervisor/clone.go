//go:build linux && amd64

package supervisor

import (
	"encoding/binary"

	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// cloned is the parent's report of a new thread or process.
func (s *Supervisor) cloned(t *Thread, event int) {
	msg, err := ptrace.EventMsg(t.tid)
	if err != nil || !t.getRegs() {
		return
	}
	child := int(msg)
	flags := t.cloneFlags(event)
	p, sp := t.proc, t.space
	if flags&unix.CLONE_THREAD == 0 {
		p = t.proc.copied()
		p.tgid = child
		if flags&unix.CLONE_VM == 0 {
			sp = t.space.fork()
		}
		sp.users++
	}
	c := s.newThread(child, p, sp)
	s.near.inherit(t, child)
	if _, waiting := s.early[child]; waiting {
		delete(s.early, child)
		c.cont(0)
	}
	t.vforking = event == unix.PTRACE_EVENT_VFORK
	t.cont(0)
}

// cloneFlags reads the flags of the clone, clone3, fork or vfork under way.
func (t *Thread) cloneFlags(event int) uint64 {
	switch t.regs.Orig_rax {
	case unix.SYS_CLONE:
		return t.regs.Rdi
	case unix.SYS_CLONE3:
		var b [8]byte
		if ptrace.ReadMem(t.tid, t.regs.Rdi, b[:]) == nil {
			return binary.LittleEndian.Uint64(b[:])
		}
	}
	if event == unix.PTRACE_EVENT_VFORK {
		return unix.CLONE_VM | unix.CLONE_VFORK
	}
	return 0
}
