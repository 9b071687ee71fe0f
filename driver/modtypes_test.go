package driver

import (
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

const modify = uapi.SGX_IOC_ENCLAVE_MODIFY_TYPES

func modifyArg(offset, pages uint64, t isa.PageType) *uapi.EnclaveModifyTypes {
	return &uapi.EnclaveModifyTypes{Offset: offset, Length: pages * isa.PageSize, PageType: uint64(t)}
}

// initialized: pages 0..3 RW, 4 R, 5 TCS, 6 RX.
func TestModifyTypes(t *testing.T) {
	rows := []struct {
		name   string
		offset uint64
		pages  uint64
		typ    uint64
		setup  func(m *machine)
		want   uapi.Errno
		result isa.Code
		count  uint64
	}{
		{name: "driver 204/0x101", pages: 1, typ: 0x101, want: uapi.EINVAL},
		{name: "driver 204/TRIM with high bits", pages: 1, typ: 1<<32 | 4, want: uapi.EINVAL},
		{name: "driver 205/SECS", pages: 1, typ: 0, want: uapi.EINVAL},
		{name: "driver 205/REG", pages: 1, typ: 2, want: uapi.EINVAL},
		{name: "driver 205/VA", pages: 1, typ: 3, want: uapi.EINVAL},
		{name: "driver 205/5", pages: 1, typ: 5, want: uapi.EINVAL},
		{name: "driver 205/255", pages: 1, typ: 255, want: uapi.EINVAL},
		{name: "driver 207/REG to TCS", pages: 4, typ: 1, count: 0x4000},
		{name: "driver 208, 220/REG to TRIM", pages: 5, typ: 4, count: 0x5000},
		{name: "driver 209/TCS to TRIM", offset: 0x5000, pages: 2, typ: 4, count: 0x2000},
		{name: "driver 210/TCS to TCS", offset: 0x5000, pages: 1, typ: 1, want: uapi.EINVAL},
		{name: "driver 210/TRIM to TRIM", pages: 3, typ: 4, want: uapi.EINVAL, count: 0x1000,
			setup: func(m *machine) { m.trim(0x1000, 1, false) }},
		{name: "driver 210/TRIM to TCS", pages: 1, typ: 1, want: uapi.EINVAL,
			setup: func(m *machine) { m.trim(0, 1, true) }},
		{name: "driver 211/R to TCS", offset: 0x3000, pages: 2, typ: 1, want: uapi.EPERM, count: 0x1000},
		{name: "driver 211/RX to TCS", offset: 0x6000, pages: 1, typ: 1, want: uapi.EPERM},
		{name: "driver 217/pending", offset: holes, pages: 2, typ: 4, want: uapi.EFAULT, result: 20, count: 0x1000,
			setup: func(m *machine) {
				m.augment(holes, 1)
				m.fault(base+isa.LinAddr(holes)+0x1000, rw)
			}},
		{name: "driver 217/EMODT #GP", pages: 1, typ: 4, want: uapi.EFAULT,
			setup: func(m *machine) { m.cpu.fail(isa.EMODT, isa.GPFault()) }},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t).initialized()
			if r.setup != nil {
				r.setup(m)
			}
			a := modifyArg(r.offset, r.pages, 0)
			a.PageType = r.typ
			want := *a
			want.Result, want.Count = uint64(r.result), r.count
			m.want(m.ioctl(modify, a), r.want)
			if *a != want {
				t.Errorf("argument %+v, want %+v", *a, want)
			}
			for o := uint64(0); o < r.count; o += isa.PageSize {
				if p := m.cpu.at(base + isa.LinAddr(r.offset+o)); uint64(p.pt) != r.typ {
					t.Errorf("type %v at %#x", p.pt, r.offset+o)
				}
			}
		})
	}
}

func TestModifyTypesOrder(t *testing.T) {
	t.Run("driver 206/outputs before the type", func(t *testing.T) {
		m := newMachine(t).initialized()
		a := modifyArg(0, 1, isa.PT_REG)
		a.Count = 1
		m.c.store(t, argAddr, a)
		m.c.find(argAddr).readOnly = true // a copy back would be EFAULT
		m.want(m.e.Ioctl(m.c, uint32(modify), argAddr), uapi.EINVAL)
	})
	t.Run("driver 206/a bad type is copied back", func(t *testing.T) {
		m := newMachine(t).initialized()
		m.c.store(t, argAddr, modifyArg(0, 1, isa.PT_REG))
		m.c.find(argAddr).readOnly = true
		m.want(m.e.Ioctl(m.c, uint32(modify), argAddr), uapi.EFAULT)
	})
	t.Run("driver 206/above 0xFF is not", func(t *testing.T) {
		m := newMachine(t).initialized()
		a := modifyArg(0, 1, 0)
		a.PageType = 0x100
		m.c.store(t, argAddr, a)
		m.c.find(argAddr).readOnly = true
		m.want(m.e.Ioctl(m.c, uint32(modify), argAddr), uapi.EINVAL)
	})
}

// full is an initialized enclave with one RWX page at 0.
func full(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t).created()
	m.add(0, 1, isa.PT_REG, rwx)
	m.want(m.init(&isa.SIGSTRUCT{}), 0)
	return m
}

// TestModifyTypesCeiling: what becomes of vm_max_prot_bits.
func TestModifyTypesCeiling(t *testing.T) {
	rows := []struct {
		name    string
		to      isa.PageType
		setup   func(m *machine)
		want    uapi.Errno
		ceiling isa.Access
	}{
		{"driver 66, 212/REG to TCS", isa.PT_TCS, nil, 0, rw},
		{"2.8/REG to TRIM", isa.PT_TRIM, nil, 0, rwx},
		{"driver 217/EMODT code", isa.PT_TCS, func(m *machine) { m.cpu.fail(isa.EMODT, isa.SGX_EPC_PAGE_CONFLICT) }, uapi.EFAULT, rwx},
		{"driver 217/EMODT #PF", isa.PT_TCS, func(m *machine) { m.cpu.fail(isa.EMODT, pf) }, uapi.EFAULT, rwx},
		{"2.8/ETRACK fails", isa.PT_TCS, func(m *machine) {
			m.cpu.fail(isa.ETRACK, isa.SGX_PREV_TRK_INCMPL, isa.SGX_PREV_TRK_INCMPL)
		}, uapi.EFAULT, rw},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := full(t)
			if r.setup != nil {
				r.setup(m)
			}
			m.want(m.ioctl(modify, modifyArg(0, 1, r.to)), r.want)
			if _, ceiling, _ := m.e.Page(base); ceiling != r.ceiling {
				t.Errorf("ceiling %v, want %v", ceiling, r.ceiling)
			}
			exec := uapi.Errno(0)
			result := Resolved
			if r.ceiling&isa.Exec == 0 {
				exec, result = uapi.EACCES, SIGBUS
			}
			m.want(m.e.MayProtect(base, base+0x1000, rw, false), 0)
			m.want(m.e.MayProtect(base, base+0x1000, rx, false), exec)
			if got := m.fault(base, rwx); got != result {
				t.Errorf("fault through RWX: %v, want %v", got, result)
			}
			if got := m.fault(base, rw); got != Resolved {
				t.Errorf("fault through RW: %v", got)
			}
		})
	}
}

// TestModifyTypesUntracked: after a failed ETRACK the EPCM and the record differ,
// as in Linux.
func TestModifyTypesUntracked(t *testing.T) {
	m := full(t)
	m.cpu.fail(isa.ETRACK, isa.SGX_PREV_TRK_INCMPL, isa.SGX_PREV_TRK_INCMPL)
	m.want(m.ioctl(modify, modifyArg(0, 1, isa.PT_TCS)), uapi.EFAULT)
	a := modifyArg(0, 1, isa.PT_TCS)
	m.want(m.ioctl(modify, a), uapi.EFAULT) // still recorded as PT_REG
	if isa.Code(a.Result) != isa.SGX_PAGE_NOT_MODIFIABLE {
		t.Errorf("result %d", a.Result)
	}
}

func TestModifyTypesRevokes(t *testing.T) {
	for _, to := range []isa.PageType{isa.PT_TCS, isa.PT_TRIM} {
		t.Run("driver 213, 214/"+to.String(), func(t *testing.T) {
			m := full(t)
			m.want(m.ioctl(modify, modifyArg(0, 1, to)), 0)
			if len(m.revoked) != 1 || m.revoked[0] != (event{base, base + 0x1000}) {
				t.Errorf("revoked %v", m.revoked)
			}
			m.e.Runs(base, base+0x1000, func(_, _ isa.LinAddr, rights isa.Access) {
				if rights != 0 {
					t.Errorf("native rights %v", rights)
				}
			})
		})
	}
}
