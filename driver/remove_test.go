package driver

import (
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

func (m *machine) remove(offset, pages uint64) (count uint64, err error) {
	m.t.Helper()
	a := &uapi.EnclaveRemovePages{Offset: offset, Length: pages * isa.PageSize}
	err = m.ioctl(uapi.SGX_IOC_ENCLAVE_REMOVE_PAGES, a)
	return a.Count, err
}

// initialized: pages 0..3 RW, 4 R, 5 TCS, 6 RX.
func TestRemove(t *testing.T) {
	rows := []struct {
		name   string
		offset uint64
		pages  uint64
		setup  func(m *machine)
		want   uapi.Errno
		count  uint64
	}{
		{name: "driver 222/REG", pages: 1, want: uapi.EPERM},
		{name: "driver 222/TCS", offset: 0x5000, pages: 1, want: uapi.EPERM},
		{name: "driver 222/new TCS", pages: 1, want: uapi.EPERM, setup: func(m *machine) {
			m.want(m.ioctl(modify, modifyArg(0, 1, isa.PT_TCS)), 0)
		}},
		{name: "driver 223/TRIM not accepted", pages: 1, want: uapi.EPERM,
			setup: func(m *machine) { m.trim(0, 1, false) }},
		{name: "driver 224/TRIM accepted", pages: 7, count: 0x7000,
			setup: func(m *machine) { m.trim(0, 7, true) }},
		{name: "driver 225/third not accepted", pages: 4, want: uapi.EPERM, count: 0x2000, setup: func(m *machine) {
			m.trim(0, 2, true)
			m.trim(0x2000, 1, false)
			m.trim(0x3000, 1, true)
		}},
		{name: "driver 225/third REG", pages: 4, want: uapi.EPERM, count: 0x2000,
			setup: func(m *machine) { m.trim(0, 2, true) }},
		{name: "2.9/probe ends in #GP", pages: 1, want: uapi.EPERM, setup: func(m *machine) {
			m.trim(0, 1, true)
			m.cpu.fail(isa.EMODPR, isa.GPFault())
		}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t).initialized()
			if r.setup != nil {
				r.setup(m)
			}
			had, free := m.e.Stats(), m.free()
			m.revoked = nil
			count, err := m.remove(r.offset, r.pages)
			m.want(err, r.want)
			if count != r.count {
				t.Errorf("count %#x, want %#x", count, r.count)
			}
			gone := int(r.count / isa.PageSize)
			now := m.e.Stats()
			if had.Pages-now.Pages != gone || had.EPCPages-now.EPCPages != gone || m.free()-free != gone { // driver 229
				t.Errorf("%+v became %+v, %d EPC pages came back", had, now, m.free()-free)
			}
			if m.cpu.calls[isa.ETRACK] > 0 && m.ipis == 0 {
				t.Error("ETRACK without IPI")
			}
		})
	}
}

func TestRemoved(t *testing.T) {
	removed := func(t *testing.T) *machine {
		m := newMachine(t).initialized()
		m.trim(0, 1, true)
		_, err := m.remove(0, 1)
		m.want(err, 0)
		return m
	}
	t.Run("driver 227/a hole", func(t *testing.T) {
		m := removed(t)
		if _, _, ok := m.e.Page(base); ok {
			t.Error("the page is there")
		}
		count, err := m.remove(0, 1)
		m.want(err, uapi.EFAULT)
		if count != 0 {
			t.Errorf("count %#x", count)
		}
	})
	t.Run("driver 53/holes pass mmap", func(t *testing.T) {
		m := removed(t)
		m.want(m.e.MayMap(base, base+0x1000, rwx, false), 0)
	})
	t.Run("driver 228/augmented again", func(t *testing.T) {
		m := removed(t)
		if r := m.fault(base, rwx); r != Resolved {
			t.Fatal(r)
		}
		if _, ceiling, _ := m.e.Page(base); ceiling != rwx {
			t.Errorf("ceiling %v", ceiling)
		}
		if !m.cpu.at(base).pending {
			t.Error("not pending")
		}
	})
	t.Run("driver 229/for ever takes no more VA pages", func(t *testing.T) {
		m := newMachine(t).created()
		m.add(0, 200, isa.PT_REG, rw)
		m.add(200*isa.PageSize, 200, isa.PT_REG, rw)
		m.add(400*isa.PageSize, 111, isa.PT_REG, rw) // with the SECS, one VA page is full
		m.want(m.init(&isa.SIGSTRUCT{}), 0)
		free := m.free()
		for range vaSlots + 1 {
			m.augment(0x40_0000, 1)
			m.trim(0x40_0000, 1, true)
			_, err := m.remove(0x40_0000, 1)
			m.want(err, 0)
		}
		if m.free() != free-1 {
			t.Errorf("%d EPC pages for one VA page", free-m.free())
		}
	})
	t.Run("5.6/a page that EREMOVE refuses is lost", func(t *testing.T) {
		m := newMachine(t).initialized()
		m.trim(0, 1, true)
		m.cpu.fail(isa.EREMOVE, isa.SGX_ENCLAVE_ACT)
		free := m.free()
		count, err := m.remove(0, 1)
		m.want(err, 0)
		if count != 0x1000 || m.free() != free {
			t.Errorf("count %#x, free %d, was %d", count, m.free(), free)
		}
	})
}
