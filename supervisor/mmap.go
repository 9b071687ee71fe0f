//go:build linux && amd64

package supervisor

import (
	"errors"

	"softsgx/isa"
	"softsgx/uapi"

	"golang.org/x/sys/unix"
)

const (
	mapTypeMask   = 0x0f
	mapPrivate    = 0x02
	protMask      = unix.PROT_READ | unix.PROT_WRITE | unix.PROT_EXEC
	readImplExec  = 0x0400000 // READ_IMPLIES_EXEC, linux/personality.h
	fixedNoRepl   = 0x100000
	addressSpace  = 1 << 47
	pageAlignMask = isa.PageSize - 1
)

func access(prot uint64) isa.Access { return isa.Access(prot & protMask) }

func pageUp(n uint64) uint64 { return (n + pageAlignMask) &^ pageAlignMask }

// errnoOf turns a driver refusal into what the system call returns.
func errnoOf(err error) unix.Errno {
	var e uapi.Errno
	if errors.As(err, &e) {
		return unix.Errno(e)
	}
	return unix.EACCES
}

// mmap answers mappings of device files, and keeps account of mappings that
// replace one.
func (s *Supervisor) mmap(t *Thread) {
	r := &t.regs
	length := pageUp(r.Rsi)
	var f *File
	if r.R10&unix.MAP_ANONYMOUS == 0 {
		f = s.file(t, int32(r.R8))
	}
	if f == nil {
		s.mapOther(t, length)
		return
	}
	switch {
	case r.R10&mapTypeMask == mapPrivate || length == 0 || r.R9&pageAlignMask != 0:
		t.fail(unix.EINVAL)
	case f.enclave == nil:
		t.fail(unix.ENODEV)
	case access(r.Rdx)&isa.Write != 0 && !f.writable:
		t.fail(unix.EACCES)
	default:
		s.mapDevice(t, f, length)
	}
}

// mapDevice serves a mapping of an enclave file, which may have come from another
// process: this one is prepared for the enclave if it was not.
func (s *Supervisor) mapDevice(t *Thread, f *File, length uint64) {
	saved := t.regs
	s.watchDevice(t)
	if _, _, initialized := f.enclave.Range(); initialized {
		s.initialized(t, f)
	}
	t.regs = saved
	if t.regs.R10&(unix.MAP_FIXED|fixedNoRepl) != 0 {
		s.mapFixed(t, f, length)
	} else {
		s.mapAnywhere(t, f, length)
	}
}

// mapFixed serves a mapping at a given address: offset = address makes every
// mapping of the enclave show the page that belongs there.
func (s *Supervisor) mapFixed(t *Thread, f *File, length uint64) {
	start, prot := t.regs.Rdi, access(t.regs.Rdx)
	if start&pageAlignMask != 0 {
		t.fail(unix.EINVAL)
		return
	}
	if err := s.mayMap(t, f, start, length, prot); err != nil {
		t.fail(errnoOf(err))
		return
	}
	saved := t.regs
	t.regs.Rdx, t.regs.R9 = uint64(s.hostRights(f, start, start+length, prot)), start
	if t.regs.R10&mapTypeMask == unix.MAP_SHARED_VALIDATE {
		t.regs.R10 = t.regs.R10&^mapTypeMask | unix.MAP_SHARED
	}
	s.callNow(t, saved, unix.SYS_MMAP, func(result int64) {
		if result >= 0 {
			t.space.insert(f.mapped(start, start+length, prot))
			s.cfg.Trace("mmap pid=%d start=%#x length=%#x prot=%d", t.proc.tgid, start, length, prot)
		}
	})
}

// mapAnywhere lets the kernel choose the address, then maps again with the offset
// that belongs to it.
func (s *Supervisor) mapAnywhere(t *Thread, f *File, length uint64) {
	saved := t.regs
	a, err := t.inject(unix.SYS_MMAP, saved.Rdi, length, unix.PROT_NONE, unix.MAP_SHARED, saved.R8, 0)
	if err != nil {
		t.regs = saved
		t.answer(a)
		return
	}
	start, prot := uint64(a), access(saved.Rdx)
	if err := s.mayMap(t, f, start, length, prot); err != nil {
		t.inject(unix.SYS_MUNMAP, start, length)
		t.regs = saved
		t.fail(errnoOf(err))
		return
	}
	native := uint64(s.hostRights(f, start, start+length, prot))
	a, _ = t.inject(unix.SYS_MMAP, start, length, native, unix.MAP_SHARED|unix.MAP_FIXED, saved.R8, start)
	if a >= 0 {
		t.space.insert(f.mapped(start, start+length, prot))
	}
	t.regs = saved
	t.answer(a)
}

// callNow runs the current system call with t.regs changed for it, and gives the
// program its own argument registers back afterwards.
func (s *Supervisor) callNow(t *Thread, saved unix.PtraceRegs, nr uint64, after func(result int64)) {
	r := t.regs
	result, _ := t.inject(nr, r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9)
	after(result)
	t.regs = saved
	if !t.dead {
		t.answer(result)
	}
}

// mayMap asks the driver, with ELRANGE, personality and page caps.
func (s *Supervisor) mayMap(t *Thread, f *File, start, length uint64, prot isa.Access) error {
	if start > addressSpace || length > addressSpace-start {
		return uapi.ENOMEM
	}
	return f.enclave.MayMap(isa.LinAddr(start), isa.LinAddr(start+length), prot, t.readImpliesExec())
}

// mapOther is a mapping of something else: it may lie on top of an enclave
// mapping, and it may bring code whose CPUID has to be patched.
func (s *Supervisor) mapOther(t *Thread, length uint64) {
	start, fixed := t.regs.Rdi, t.regs.R10&unix.MAP_FIXED != 0
	over := fixed && t.space.overlaps(start, start+length)
	code := t.regs.R10&unix.MAP_ANONYMOUS == 0 && t.regs.Rdx&unix.PROT_EXEC != 0
	if !over && !code {
		t.cont(0)
		return
	}
	fd, offset := int32(t.regs.R8), t.regs.R9
	t.run(func() {
		if result := int64(t.regs.Rax); result >= 0 {
			if over && t.space.remove(start, start+length) {
				s.sweep()
			}
			if code {
				s.mappedCode(t, fd, uint64(result), length, offset)
			}
		}
		t.cont(0)
	})
}

// munmap takes enclave mappings away.
func (s *Supervisor) munmap(t *Thread) {
	start, end := t.regs.Rdi, t.regs.Rdi+pageUp(t.regs.Rsi)
	if !t.space.overlaps(start, end) {
		t.cont(0)
		return
	}
	t.run(func() {
		if t.regs.Rax == 0 && t.space.remove(start, end) {
			s.sweep()
		}
		t.cont(0)
	})
}

// mprotect answers mprotect and pkey_mprotect over enclave mappings: mapping by
// mapping, as the kernel does, so that earlier ones keep their new rights when a
// later one refuses.
func (s *Supervisor) mprotect(t *Thread) {
	start, end := t.regs.Rdi, t.regs.Rdi+pageUp(t.regs.Rsi)
	if start&pageAlignMask != 0 || end <= start || !t.space.overlaps(start, end) {
		t.cont(0)
		return
	}
	saved, prot := t.regs, access(t.regs.Rdx)
	result := int64(0)
	t.space.pieces(start, end, func(start, end uint64, v *VMA) bool {
		rights := saved.Rdx
		if v != nil {
			if prot&isa.Write != 0 && !v.file.writable {
				result = -int64(unix.EACCES)
				return false
			}
			err := v.file.enclave.MayProtect(isa.LinAddr(start), isa.LinAddr(end), prot, t.readImpliesExec())
			if err != nil {
				result = -int64(errnoOf(err))
				return false
			}
			rights = uint64(s.hostRights(v.file, start, end, prot))
		}
		if result, _ = t.inject(unix.SYS_MPROTECT, start, end-start, rights); result < 0 {
			return false
		}
		if v != nil {
			t.space.insert(v.file.mapped(start, end, prot))
		}
		return true
	})
	t.regs = saved
	t.answer(result)
}

// mremap: enclave mappings do not grow, and moved ones would show nothing.
func (s *Supervisor) mremap(t *Thread) {
	if t.space.overlaps(t.regs.Rdi, t.regs.Rdi+max(1, pageUp(t.regs.Rsi))) {
		t.fail(unix.EFAULT)
		return
	}
	t.cont(0)
}

// madvise is MADV_REMOVE, which would empty the enclave's file: the device has no
// such operation (Linux 6.1 mm/madvise.c madvise_remove).
func (s *Supervisor) madvise(t *Thread) {
	if t.space.overlaps(t.regs.Rdi, t.regs.Rdi+max(1, pageUp(t.regs.Rsi))) {
		t.fail(unix.EINVAL)
		return
	}
	t.cont(0)
}
