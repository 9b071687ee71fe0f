package driver

import (
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

// sgx2Call is one of the three SGX2 ioctls, as far as they are alike.
type sgx2Call struct {
	name    string
	cmd     uapi.Cmd
	arg     func(offset, length uint64) argument
	length  func(argument) *uint64
	outputs func(argument) []*uint64                       // count last
	ready   func(m *machine, offset uint64, n int)         // makes pages that the call works on
	done    func(m *machine, offset uint64) (changed bool) // to the page
}

var sgx2Calls = []sgx2Call{
	{
		name: "RESTRICT", cmd: uapi.SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS,
		arg: func(o, l uint64) argument {
			return &uapi.EnclaveRestrictPermissions{Offset: o, Length: l, Permissions: isa.SECINFO_R}
		},
		length: func(a argument) *uint64 { return &a.(*uapi.EnclaveRestrictPermissions).Length },
		outputs: func(a argument) []*uint64 {
			r := a.(*uapi.EnclaveRestrictPermissions)
			return []*uint64{&r.Result, &r.Count}
		},
		ready: (*machine).augment,
		done: func(m *machine, offset uint64) bool {
			return m.cpu.at(base+isa.LinAddr(offset)).rwx == isa.Read
		},
	},
	{
		name: "MODIFY", cmd: uapi.SGX_IOC_ENCLAVE_MODIFY_TYPES,
		arg: func(o, l uint64) argument {
			return &uapi.EnclaveModifyTypes{Offset: o, Length: l, PageType: uint64(isa.PT_TRIM)}
		},
		length: func(a argument) *uint64 { return &a.(*uapi.EnclaveModifyTypes).Length },
		outputs: func(a argument) []*uint64 {
			r := a.(*uapi.EnclaveModifyTypes)
			return []*uint64{&r.Result, &r.Count}
		},
		ready: (*machine).augment,
		done: func(m *machine, offset uint64) bool {
			return m.cpu.at(base+isa.LinAddr(offset)).pt == isa.PT_TRIM
		},
	},
	{
		name: "REMOVE", cmd: uapi.SGX_IOC_ENCLAVE_REMOVE_PAGES,
		arg:    func(o, l uint64) argument { return &uapi.EnclaveRemovePages{Offset: o, Length: l} },
		length: func(a argument) *uint64 { return &a.(*uapi.EnclaveRemovePages).Length },
		outputs: func(a argument) []*uint64 {
			return []*uint64{&a.(*uapi.EnclaveRemovePages).Count}
		},
		ready: func(m *machine, offset uint64, n int) {
			m.augment(offset, n)
			m.trim(offset, n, true)
		},
		done: func(m *machine, offset uint64) bool { return m.cpu.at(base+isa.LinAddr(offset)) == nil },
	},
}

// augment makes n accepted pages out of a hole.
func (m *machine) augment(offset uint64, n int) {
	m.t.Helper()
	for i := range n {
		lin := base + isa.LinAddr(offset) + isa.LinAddr(i)*isa.PageSize
		if r := m.fault(lin, rw); r != Resolved {
			m.t.Fatalf("EAUG at %#x: %v", lin, r)
		}
		m.cpu.accept(lin)
	}
}

// eachSGX2 runs a test for each of the three calls.
func eachSGX2(t *testing.T, name string, f func(t *testing.T, c *sgx2Call)) {
	for i := range sgx2Calls {
		t.Run(name+"/"+sgx2Calls[i].name, func(t *testing.T) { f(t, &sgx2Calls[i]) })
	}
}

const holes = uint64(0x20000) // an offset from which on initialized has no pages

func TestSGX2State(t *testing.T) {
	eachSGX2(t, "driver 179/no SGX2", func(t *testing.T, c *sgx2Call) {
		sgx1 := func(_ *machine, cfg *Config) { cfg.SGX2 = false }
		for _, m := range []*machine{newMachine(t, sgx1), newMachine(t, sgx1).created(), newMachine(t, sgx1).initialized()} {
			m.want(m.e.Ioctl(m.c, uint32(c.cmd), 0), uapi.ENODEV)
		}
	})
	eachSGX2(t, "driver 180/not initialized", func(t *testing.T, c *sgx2Call) {
		for _, m := range []*machine{newMachine(t), newMachine(t).created()} {
			m.want(m.e.Ioctl(m.c, uint32(c.cmd), 0), uapi.EINVAL)
		}
	})
	eachSGX2(t, "2.6 row 3/bad pointer", func(t *testing.T, c *sgx2Call) {
		m := newMachine(t).initialized()
		m.want(m.e.Ioctl(m.c, uint32(c.cmd), 0), uapi.EFAULT)
	})
}

func TestSGX2Arguments(t *testing.T) {
	rows := []struct {
		name           string
		offset, length uint64
		want           uapi.Errno
	}{
		{"driver 181/zeroes", 0, 0, uapi.EINVAL},
		{"driver 182/offset", holes + 1, 0x1000, uapi.EINVAL},
		{"driver 182/length", holes, 0x1001, uapi.EINVAL},
		{"driver 182/length 0", holes, 0, uapi.EINVAL},
		{"driver 182/wraps", holes, ^uint64(0xFFF), uapi.EINVAL},
		{"driver 182/wraps to 0", holes, 1 + ^holes, uapi.EINVAL},
		{"driver 182/ends beyond", size - 0x1000, 0x2000, uapi.EINVAL},
		{"driver 182/begins beyond", size, 0x1000, uapi.EINVAL},
		{"driver 182/last page, a hole", size - 0x1000, 0x1000, uapi.EFAULT},
		{"driver 182, 190/two pages", holes, 0x2000, 0},
	}
	for _, r := range rows {
		eachSGX2(t, r.name, func(t *testing.T, c *sgx2Call) {
			m := newMachine(t).initialized()
			c.ready(m, holes, 2)
			a := c.arg(r.offset, r.length)
			m.want(m.ioctl(c.cmd, a), r.want)
			if r.want == 0 {
				if count := *last(c.outputs(a)); count != r.length || !c.done(m, holes) || !c.done(m, holes+0x1000) {
					t.Errorf("count %#x", count)
				}
				return
			}
			if c.done(m, holes) {
				t.Error("a page changed")
			}
		})
	}
	eachSGX2(t, "driver 183, 221/outputs not zero", func(t *testing.T, c *sgx2Call) {
		m := newMachine(t).initialized()
		c.ready(m, holes, 2)
		for i := range c.outputs(c.arg(0, 0)) {
			a := c.arg(holes, 0x2000)
			*c.outputs(a)[i] = 1 << 40
			m.want(m.ioctl(c.cmd, a), uapi.EINVAL)
			if *c.outputs(a)[i] != 1<<40 || c.done(m, holes) {
				t.Errorf("output %d written", i)
			}
		}
	})
}

func last[T any](s []T) T { return s[len(s)-1] }

func TestSGX2Loop(t *testing.T) {
	eachSGX2(t, "driver 184, 187/third page missing", func(t *testing.T, c *sgx2Call) {
		m := newMachine(t).initialized()
		c.ready(m, holes, 2)
		a := c.arg(holes, 0x4000)
		m.want(m.ioctl(c.cmd, a), uapi.EFAULT)
		out := c.outputs(a)
		if *last(out) != 0x2000 || *out[0] != 0 && len(out) > 1 {
			t.Errorf("count %#x, result %d", *last(out), *out[0])
		}
	})
	eachSGX2(t, "driver 184/first page missing", func(t *testing.T, c *sgx2Call) {
		m := newMachine(t).initialized()
		a := c.arg(holes, 0x4000)
		m.want(m.ioctl(c.cmd, a), uapi.EFAULT)
		if n := *last(c.outputs(a)); n != 0 || m.cpu.calls[isa.ETRACK] != 0 || len(m.revoked) != 0 {
			t.Errorf("count %#x, %d ETRACK, revoked %v", n, m.cpu.calls[isa.ETRACK], m.revoked)
		}
	})
	eachSGX2(t, "2.6/continue after count", func(t *testing.T, c *sgx2Call) {
		m := newMachine(t).initialized()
		c.ready(m, holes, 2)
		a := c.arg(holes, 0x4000)
		m.want(m.ioctl(c.cmd, a), uapi.EFAULT)
		c.ready(m, holes+0x2000, 2)
		a = c.arg(holes+0x2000, 0x2000)
		m.want(m.ioctl(c.cmd, a), 0)
		if n := *last(c.outputs(a)); n != 0x2000 || !c.done(m, holes+0x3000) {
			t.Errorf("count %#x", n)
		}
	})
	eachSGX2(t, "driver 188/signals ignored", func(t *testing.T, c *sgx2Call) {
		m := newMachine(t).initialized()
		c.ready(m, holes, 300)
		m.c.signal = signals(1)
		a := c.arg(holes, 300*0x1000)
		m.want(m.ioctl(c.cmd, a), 0)
		if n := *last(c.outputs(a)); n != 300*0x1000 {
			t.Errorf("count %#x", n)
		}
	})
	eachSGX2(t, "2.6 row 8/argument unwritable", func(t *testing.T, c *sgx2Call) {
		m := newMachine(t).initialized()
		c.ready(m, holes, 1)
		m.c.store(t, argAddr, c.arg(holes, 0x1000))
		m.c.find(argAddr).readOnly = true
		m.want(m.e.Ioctl(m.c, uint32(c.cmd), argAddr), uapi.EFAULT)
		if !c.done(m, holes) {
			t.Error("nothing done")
		}
	})
	eachSGX2(t, "settled/revoked once, exactly the range", func(t *testing.T, c *sgx2Call) {
		m := newMachine(t).initialized()
		c.ready(m, holes, 3)
		m.revoked = nil
		m.want(m.ioctl(c.cmd, c.arg(holes, 0x3000)), 0)
		want := event{base + isa.LinAddr(holes), base + isa.LinAddr(holes) + 0x3000}
		if len(m.revoked) != 1 || m.revoked[0] != want {
			t.Errorf("revoked %#x", m.revoked)
		}
	})
}

// TestTracking: EMODPR and EMODT are followed by ETRACK and an IPI round.
func TestTracking(t *testing.T) {
	rows := []struct {
		name       string
		etrack     []error
		want       uapi.Errno
		count      uint64
		calls, ipi int
	}{
		{"2.7/at once", nil, 0, 0x3000, 1, 1},
		{"2.7/second attempt", []error{isa.SGX_PREV_TRK_INCMPL}, 0, 0x3000, 2, 2},
		{"2.7/#GP, then success", []error{isa.GPFault()}, 0, 0x3000, 2, 2},
		{"driver 203/twice", []error{isa.SGX_PREV_TRK_INCMPL, isa.SGX_PREV_TRK_INCMPL}, uapi.EFAULT, 0, 2, 1},
		{"driver 203/#GP twice", []error{isa.GPFault(), isa.GPFault()}, uapi.EFAULT, 0, 2, 1},
	}
	for _, r := range rows {
		eachSGX2(t, r.name, func(t *testing.T, c *sgx2Call) {
			if c.cmd == uapi.SGX_IOC_ENCLAVE_REMOVE_PAGES {
				return // the pages were settled when they became PT_TRIM
			}
			m := newMachine(t).initialized()
			c.ready(m, holes, 3)
			m.cpu.fail(isa.ETRACK, r.etrack...)
			a := c.arg(holes, 0x3000)
			m.want(m.ioctl(c.cmd, a), r.want)
			out := c.outputs(a)
			if *out[0] != 0 || *out[1] != r.count {
				t.Errorf("result %d, count %#x", *out[0], *out[1])
			}
			if m.cpu.calls[isa.ETRACK] != r.calls || m.ipis != r.ipi {
				t.Errorf("%d ETRACK, %d IPI rounds", m.cpu.calls[isa.ETRACK], m.ipis)
			}
			if len(m.revoked) != 1 {
				t.Errorf("revoked %v", m.revoked)
			}
		})
	}
	eachSGX2(t, "driver 203/ETRACK hides a page's code", func(t *testing.T, c *sgx2Call) {
		if c.cmd == uapi.SGX_IOC_ENCLAVE_REMOVE_PAGES {
			return
		}
		m := newMachine(t).initialized()
		c.ready(m, holes, 2)
		m.fault(base+isa.LinAddr(holes)+0x2000, rw) // pending
		m.cpu.fail(isa.ETRACK, isa.SGX_PREV_TRK_INCMPL, isa.SGX_PREV_TRK_INCMPL)
		a := c.arg(holes, 0x3000)
		m.want(m.ioctl(c.cmd, a), uapi.EFAULT)
		if out := c.outputs(a); *out[0] != 0 || *out[1] != 0 {
			t.Errorf("result %d, count %#x", *out[0], *out[1])
		}
	})
}

// TestIPIWithoutLocks: threads that leave may need the enclave to do so.
func TestIPIWithoutLocks(t *testing.T) {
	var asked int
	m := newMachine(t, func(_ *machine, cfg *Config) {
		cfg.IPI = func(e *Enclave) { e.Stats(); e.Fault(base, rw); asked++ }
		cfg.Revoked = func(e *Enclave, start, end isa.LinAddr) {
			e.Runs(start, end, func(_, _ isa.LinAddr, _ isa.Access) { asked++ })
		}
	}).initialized()
	m.want(m.ioctl(uapi.SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS,
		&uapi.EnclaveRestrictPermissions{Length: 0x1000, Permissions: isa.SECINFO_R}), 0)
	if asked != 2 {
		t.Errorf("%d calls", asked)
	}
}
