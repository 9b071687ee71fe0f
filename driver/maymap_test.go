package driver

import (
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

// both runs a test for mmap and for mprotect, whose rules are the same.
func both(t *testing.T, name string, f func(t *testing.T, may func(e *Enclave, start, end isa.LinAddr, prot isa.Access, rie bool) error)) {
	t.Run(name+"/mmap", func(t *testing.T) { f(t, (*Enclave).MayMap) })
	t.Run(name+"/mprotect", func(t *testing.T) { f(t, (*Enclave).MayProtect) })
}

// capped has pages 0..2 RW, R, RW; 3 nothing; 4 a hole; 5 TCS; 6 RX; 7 X.
func capped(t *testing.T, initialized bool) *machine {
	t.Helper()
	m := newMachine(t).created()
	for _, p := range []struct {
		offset uint64
		rights isa.Access
	}{{0, rw}, {0x1000, isa.Read}, {0x2000, rw}, {0x3000, 0}, {0x6000, rx}, {0x7000, isa.Exec}} {
		m.add(p.offset, 1, isa.PT_REG, p.rights)
	}
	m.add(0x5000, 1, isa.PT_TCS, 0)
	if initialized {
		m.want(m.init(&isa.SIGSTRUCT{}), 0)
	}
	return m
}

func TestCeilings(t *testing.T) {
	const no = uapi.EACCES
	rows := []struct {
		name       string
		start, end uint64
		prot       isa.Access
		want       uapi.Errno
	}{
		{"driver 51, 62, 141/R page as RW", 0x1000, 0x2000, rw, no},
		{"driver 51/R page as R", 0x1000, 0x2000, isa.Read, 0},
		{"driver 52/RW R RW as RW", 0, 0x3000, rw, no},
		{"driver 52/RW R RW as R", 0, 0x3000, isa.Read, 0},
		{"driver 52, 63/first as RW", 0, 0x1000, rw, 0},
		{"driver 53/hole and RW page", 0x2000, 0x3000, rw, 0},
		{"driver 53/a hole as RWX", 0x4000, 0x5000, rwx, 0},
		{"driver 53/many holes", 0x8000, size, rwx, 0},
		{"driver 53/holes and the pages before them", 0x7000, size, isa.Exec, 0},
		{"driver 53/holes and the pages before them, RWX", 0x7000, size, rwx, no},
		{"driver 54, 68/no rights, PROT_NONE", 0x3000, 0x4000, 0, 0},
		{"driver 54/no rights, R", 0x3000, 0x4000, isa.Read, no},
		{"driver 54/everything, PROT_NONE", 0, size, 0, 0},
		{"driver 55/TCS RW", 0x5000, 0x6000, rw, 0},
		{"driver 55/TCS RX", 0x5000, 0x6000, rx, no},
		{"driver 56/RX page RX", 0x6000, 0x7000, rx, 0},
		{"driver 56/RX page X", 0x6000, 0x7000, isa.Exec, 0},
		{"driver 56/RX page RW", 0x6000, 0x7000, rw, no},
		{"driver 56/X page R", 0x7000, 0x8000, isa.Read, no},
		{"driver 56/X page X", 0x7000, 0x8000, isa.Exec, 0},
	}
	for _, r := range rows {
		both(t, r.name, func(t *testing.T, may func(*Enclave, isa.LinAddr, isa.LinAddr, isa.Access, bool) error) {
			for _, initialized := range []bool{false, true} {
				m := capped(t, initialized)
				start, end := base+isa.LinAddr(r.start), base+isa.LinAddr(r.end)
				m.want(may(m.e, start, end, r.prot, false), r.want)
				m.want(may(m.e, start, end, r.prot, true), no) // driver 57, 69
			}
		})
	}
}

func TestRangeOfMappings(t *testing.T) {
	const end = base + isa.LinAddr(size)
	rows := []struct {
		name        string
		start, end  isa.LinAddr
		before, now uapi.Errno // INIT
	}{
		{"driver 48/page below", base - 0x1000, base, 0, uapi.EACCES},
		{"driver 48/straddles the base", base - 0x1000, base + 0x1000, 0, uapi.EACCES},
		{"driver 48/page above", end, end + 0x1000, 0, uapi.EACCES},
		{"driver 48/far away", 0x1000, 0x2000, 0, uapi.EACCES},
		{"driver 49/straddles the end", end - 0x1000, end + 0x1000, 0, uapi.EACCES},
		{"driver 48/the last page", end - 0x1000, end, 0, 0},
		{"driver 48/all", base, end, 0, 0},
		{"driver 48/around", 0, ^isa.LinAddr(0xFFF), 0, uapi.EACCES},
	}
	for _, r := range rows {
		both(t, r.name, func(t *testing.T, may func(*Enclave, isa.LinAddr, isa.LinAddr, isa.Access, bool) error) {
			m := newMachine(t)
			m.want(may(m.e, r.start, r.end, rwx, false), 0) // driver 14, 47: EMPTY
			m.want(may(m.e, r.start, r.end, 0, true), uapi.EACCES)
			m.created()
			m.add(0, 1, isa.PT_REG, rwx)
			m.want(may(m.e, r.start, r.end, rwx, false), r.before)
			m.want(m.init(&isa.SIGSTRUCT{}), 0)
			m.want(may(m.e, r.start, r.end, rwx, false), r.now)
			m.want(may(m.e, r.start, r.end, 0, false), r.now)
		})
	}
}

func TestMapFirstAddLater(t *testing.T) {
	m := newMachine(t).created()
	m.want(m.e.MayMap(base, base+0x1000, rwx, false), 0)
	m.add(0, 1, isa.PT_REG, isa.Read)
	t.Run("driver 64/mprotect that changes nothing", func(t *testing.T) {
		m.want(m.e.MayProtect(base, base+0x1000, rwx, false), uapi.EACCES)
	})
	t.Run("driver 233/read through RWX", func(t *testing.T) {
		if r := m.fault(base, rwx); r != SIGBUS {
			t.Error(r)
		}
	})
	t.Run("driver 63/mprotect to what it may", func(t *testing.T) {
		m.want(m.e.MayProtect(base, base+0x1000, isa.Read, false), 0)
		if r := m.fault(base, isa.Read); r != Resolved {
			t.Error(r)
		}
	})
}

// TestDynamic: R13: a range that holds pages added after INIT, or none yet.
func TestDynamic(t *testing.T) {
	m := newMachine(t).created()
	m.add(0, 4, isa.PT_REG, rx)
	if m.e.Dynamic(base, base+0x8000) {
		t.Error("dynamic before INIT")
	}
	m.want(m.init(&isa.SIGSTRUCT{}), 0)
	if m.e.Dynamic(base, base+0x4000) {
		t.Error("loaded pages are dynamic")
	}
	if !m.e.Dynamic(base+0x3000, base+0x5000) {
		t.Error("a hole is not")
	}
	if r := m.fault(base+0x4000, rw); r != Resolved {
		t.Fatal(r)
	}
	if !m.e.Dynamic(base+0x4000, base+0x5000) {
		t.Error("an augmented page is not")
	}
}
