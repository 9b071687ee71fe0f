package driver

import (
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

const restrict = uapi.SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS

func TestRestrict(t *testing.T) {
	rows := []struct {
		name        string
		offset      uint64
		pages       uint64
		permissions uint64
		setup       func(m *machine)
		want        uapi.Errno
		result      isa.Code
		count       uint64
	}{
		{name: "driver 191/bit 3", pages: 1, permissions: 8 | 1, want: uapi.EINVAL},
		{name: "driver 191/bit 63", pages: 1, permissions: 1 << 63, want: uapi.EINVAL},
		{name: "driver 192/W", pages: 1, permissions: 2, want: uapi.EINVAL},
		{name: "driver 192/WX", pages: 1, permissions: 6, want: uapi.EINVAL},
		{name: "driver 193/none", pages: 4, permissions: 0, count: 0x4000},
		{name: "driver 193/X", pages: 4, permissions: 4, count: 0x4000},
		{name: "driver 193/RWX", pages: 4, permissions: 7, count: 0x4000},
		{name: "driver 194/TCS", offset: 0x5000, pages: 1, permissions: 1, want: uapi.EINVAL},
		{name: "driver 194/TCS as third", offset: 0x3000, pages: 4, permissions: 1, want: uapi.EINVAL, count: 0x2000},
		{name: "driver 195/TRIM", pages: 2, permissions: 1, want: uapi.EINVAL,
			setup: func(m *machine) { m.trim(0, 1, false) }},
		{name: "driver 195/TRIM accepted", pages: 2, permissions: 1, want: uapi.EINVAL,
			setup: func(m *machine) { m.trim(0, 1, true) }},
		{name: "driver 200/pending", offset: holes, pages: 1, permissions: 1, want: uapi.EFAULT, result: 20,
			setup: func(m *machine) { m.fault(base+isa.LinAddr(holes), rw) }},
		{name: "driver 200/pending as third", offset: holes, pages: 4, permissions: 1, want: uapi.EFAULT, result: 20, count: 0x2000,
			setup: func(m *machine) {
				m.augment(holes, 2)
				m.fault(base+isa.LinAddr(holes)+0x2000, rw)
			}},
		{name: "2.7/code 19", pages: 1, permissions: 1, want: uapi.EFAULT, result: 19,
			setup: func(m *machine) { m.cpu.fail(isa.EMODPR, isa.SGX_PAGE_ATTRIBUTES_MISMATCH) }},
		{name: "2.7/EMODPR #GP", pages: 1, permissions: 1, want: uapi.EFAULT,
			setup: func(m *machine) { m.cpu.fail(isa.EMODPR, isa.GPFault()) }},
		{name: "2.7/EMODPR #PF on the second", pages: 3, permissions: 1, want: uapi.EFAULT, count: 0x1000,
			setup: func(m *machine) { m.cpu.fail(isa.EMODPR, nil, pf) }},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t).initialized()
			if r.setup != nil {
				r.setup(m)
			}
			a := &uapi.EnclaveRestrictPermissions{Offset: r.offset, Length: r.pages * isa.PageSize, Permissions: r.permissions}
			want := *a
			want.Result, want.Count = uint64(r.result), r.count
			m.want(m.ioctl(restrict, a), r.want)
			if *a != want {
				t.Errorf("argument %+v, want %+v", *a, want)
			}
			for o := uint64(0); o < r.count; o += isa.PageSize {
				if p := m.cpu.at(base + isa.LinAddr(r.offset+o)); p.rwx&^isa.Access(r.permissions) != 0 {
					t.Errorf("rights %v at %#x", p.rwx, r.offset+o)
				}
			}
		})
	}
}

func TestRestrictKeepsCeilings(t *testing.T) {
	m := newMachine(t).initialized()
	m.want(m.ioctl(restrict, &uapi.EnclaveRestrictPermissions{Length: 0x1000, Permissions: isa.SECINFO_R}), 0)
	t.Run("driver 67, 201/mprotect", func(t *testing.T) {
		m.want(m.e.MayProtect(base, base+0x1000, rw, false), 0)
	})
	t.Run("driver 202/no fault of the driver", func(t *testing.T) {
		if r := m.fault(base, rw); r != Resolved {
			t.Error(r)
		}
	})
	t.Run("driver 199/more rights are no-op", func(t *testing.T) {
		a := &uapi.EnclaveRestrictPermissions{Length: 0x1000, Permissions: isa.SECINFO_R | isa.SECINFO_W}
		m.want(m.ioctl(restrict, a), 0)
		if rights := m.cpu.at(base).rwx; rights != isa.Read || a.Count != 0x1000 {
			t.Errorf("rights %v, count %#x", rights, a.Count)
		}
	})
}
