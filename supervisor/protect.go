//go:build linux && amd64

package supervisor

import (
	"os"
	"strconv"
	"strings"

	"softsgx/driver"
	"softsgx/isa"

	"golang.org/x/sys/unix"
)

// hostRights are the rights that the host's page tables may grant on a mapping of
// [start, end): what the program asked for and the EPCM grants, if that is one
// answer for the whole range, else none. A fault then settles it run by run
// (allow). Nothing is granted before EINIT: no code of an enclave runs then.
func (s *Supervisor) hostRights(f *File, start, end uint64, prot isa.Access) isa.Access {
	if _, _, initialized := f.enclave.Range(); !initialized {
		return 0
	}
	rights, first := isa.Access(0), true
	f.enclave.Runs(isa.LinAddr(start), isa.LinAddr(end), func(from, to isa.LinAddr, epcm isa.Access) {
		if first && uint64(from) == start && uint64(to) == end {
			rights = epcm & prot
		}
		first = false
	})
	if rights&isa.Exec != 0 {
		s.patchEnclave(f, start, end)
	}
	return rights
}

// allow grants what mapping and EPCM allow on the run of pages around addr.
func (s *Supervisor) allow(t *Thread, v *VMA, addr uint64) error {
	const window = 1 << 30 // a run this long is settled in one call
	page := addr &^ uint64(pageAlignMask)
	from, to := max(v.start, page&^uint64(window-1)), min(v.end, (page&^uint64(window-1))+window)
	start, end, rights := page, page+isa.PageSize, isa.Access(0)
	v.file.enclave.Runs(isa.LinAddr(from), isa.LinAddr(to), func(a, b isa.LinAddr, epcm isa.Access) {
		if uint64(a) <= addr && addr < uint64(b) {
			start, end, rights = uint64(a), uint64(b), epcm
		}
	})
	rights &= v.prot
	if rights&isa.Exec != 0 {
		s.patchEnclave(v.file, start, end)
	}
	_, err := t.inject(unix.SYS_MPROTECT, start, end-start, uint64(rights))
	return err
}

// revoked takes native rights away after the EPCM lowered them, in every address
// space that maps the pages.
func (s *Supervisor) revoked(e *driver.Enclave, start, end isa.LinAddr) {
	done := map[*Space]bool{}
	for _, t := range s.threads {
		sp := t.space
		if done[sp] || !sp.overlaps(uint64(start), uint64(end)) {
			continue
		}
		if s.withStopped(t, func() { s.zap(t, e, uint64(start), uint64(end)) }) {
			done[sp] = true
		}
	}
}

func (s *Supervisor) zap(t *Thread, e *driver.Enclave, start, end uint64) {
	t.space.pieces(start, end, func(start, end uint64, v *VMA) bool {
		if v != nil && v.file.enclave == e {
			rights := s.hostRights(v.file, start, end, v.prot)
			t.inject(unix.SYS_MPROTECT, start, end-start, uint64(rights))
		}
		return true
	})
}

// ipi forces every thread out of the enclave once, as the driver's interrupt does
// after ETRACK: the thread stops, which is its asynchronous exit, and resumes.
func (s *Supervisor) ipi(e *driver.Enclave) {
	base, _, _ := e.Range()
	for _, t := range s.threads {
		if in, _, ok := t.lp.Inside(); ok && in == base {
			s.withStopped(t, func() { t.lp.Interrupted() })
		}
	}
}

// readImpliesExec tells whether the thread's personality turns reading into
// executing, which the driver refuses for enclave mappings.
func (t *Thread) readImpliesExec() bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(t.tid) + "/personality")
	if err != nil {
		return false
	}
	p, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 16, 64)
	return p&readImplExec != 0
}
