package driver

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

func TestCreate(t *testing.T) {
	rows := []struct {
		name  string
		setup func(m *machine, s *isa.SECS)
		want  uapi.Errno
	}{
		{"driver 81/odd source", func(*machine, *isa.SECS) {}, 0},
		{"driver 82/size 0", func(_ *machine, s *isa.SECS) { s.SIZE = 0 }, uapi.EINVAL},
		{"driver 82/size no power of two", func(_ *machine, s *isa.SECS) { s.SIZE = 0x3000 }, uapi.EINVAL},
		{"driver 83/ECREATE faults", func(m *machine, s *isa.SECS) {
			s.SIZE = isa.PageSize
			m.cpu.fail(isa.ECREATE, isa.GPFault())
		}, uapi.EIO},
		{"driver 83/ECREATE page-faults", func(m *machine, _ *isa.SECS) { m.cpu.fail(isa.ECREATE, pf) }, uapi.EIO},
		{"driver 91/size 2^63", func(_ *machine, s *isa.SECS) { s.SIZE = 1 << 63 }, uapi.EINVAL},
		{"driver 91/size 2^62 is ECREATE's", func(m *machine, s *isa.SECS) {
			s.SIZE = 1 << 62
			m.cpu.fail(isa.ECREATE, isa.GPFault())
		}, uapi.EIO},
		{"driver 94/PROVISIONKEY and EINITTOKEN_KEY", func(_ *machine, s *isa.SECS) {
			s.ATTRIBUTES.Flags |= isa.ATTR_PROVISIONKEY | isa.ATTR_EINITTOKEN_KEY
		}, 0},
		{"EPA faults", func(m *machine, _ *isa.SECS) { m.cpu.fail(isa.EPA, pf) }, uapi.EFAULT},
		{"memory refuses", func(m *machine, _ *isa.SECS) { m.mem.err = errors.New("no") }, uapi.ENOMEM},
		{"memory refuses with an errno", func(m *machine, _ *isa.SECS) {
			m.mem.err = fmt.Errorf("range: %w", uapi.EINVAL)
		}, uapi.EINVAL},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t)
			secs := newSECS()
			r.setup(m, secs)
			free := m.free()
			m.want(m.create(secs), r.want)
			if r.want == 0 {
				if used := free - m.free(); used != 2 { // driver 96
					t.Errorf("%d EPC pages used, want SECS and VA", used)
				}
				if m.mem.base != base || m.mem.size != size {
					t.Errorf("mapped %#x+%#x", m.mem.base, m.mem.size)
				}
				return
			}
			if m.free() != free {
				t.Errorf("failure cost %d EPC pages", free-m.free())
			}
			if b, s, _ := m.e.Range(); b != 0 || s != 0 {
				t.Errorf("range %#x+%#x after failure", b, s)
			}
			m.mem.err = nil
			m.want(m.create(newSECS()), 0) // driver 92
		})
	}
}

func TestCreatePointers(t *testing.T) {
	rows := []struct {
		name     string
		arg, src uapi.UserPtr
		want     uapi.Errno
	}{
		{"driver 79/argument", 0x1000, 0, uapi.EFAULT},
		{"driver 80/source", argAddr, 0x1000, uapi.EFAULT},
		{"driver 80/source partly mapped", argAddr, dataAddr + dataSize - 100, uapi.EFAULT},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t)
			m.c.store(t, argAddr, &uapi.EnclaveCreate{Src: r.src})
			m.want(m.e.Ioctl(m.c, uint32(uapi.SGX_IOC_ENCLAVE_CREATE), r.arg), r.want)
			m.created()
		})
	}
	t.Run("driver 78/second CREATE before the pointer", func(t *testing.T) {
		m := newMachine(t).created()
		m.want(m.e.Ioctl(m.c, uint32(uapi.SGX_IOC_ENCLAVE_CREATE), 0), uapi.EINVAL)
	})
	t.Run("driver 78/after INIT", func(t *testing.T) {
		m := newMachine(t).initialized()
		m.want(m.e.Ioctl(m.c, uint32(uapi.SGX_IOC_ENCLAVE_CREATE), 0), uapi.EINVAL)
	})
}

func TestCreateSnapshot(t *testing.T) {
	m := newMachine(t).created()
	later := newSECS() // driver 95
	later.ATTRIBUTES.Flags |= isa.ATTR_PROVISIONKEY
	later.SIZE *= 2
	m.c.store(t, argAddr+0x1001, later)
	if b, s, _ := m.e.Range(); b != base || s != size {
		t.Errorf("range %#x+%#x", b, s)
	}
	m.want(m.init(&isa.SIGSTRUCT{}), 0)
}

func TestLifetime(t *testing.T) {
	t.Run("driver 5/opens are independent", func(t *testing.T) {
		m := newMachine(t).created()
		first := m.e
		m.e = m.d.Open(&fakeMemory{})
		secs := newSECS()
		secs.BASEADDR += isa.LinAddr(size)
		m.want(m.create(secs), 0)
		if first.ID() == m.e.ID() {
			t.Error("same ID")
		}
	})
	t.Run("driver 16/dup shares the enclave", func(t *testing.T) {
		m := newMachine(t).created()
		m.e.Get() // the dup
		m.want(m.create(newSECS()), uapi.EINVAL)
		m.e.Put()
		m.want(m.init(&isa.SIGSTRUCT{}), 0)
	})
	t.Run("driver 17, 18/alive until the last reference", func(t *testing.T) {
		m := newMachine(t).initialized()
		free := m.free()
		m.e.Get()
		m.e.Put()
		if m.free() != free {
			t.Error("released early")
		}
	})
	t.Run("driver 19, 20/never created", func(t *testing.T) {
		m := newMachine(t)
		free := m.free()
		m.e.Put()
		if m.free() != free || m.cpu.calls[isa.EREMOVE] != 0 {
			t.Errorf("free %d, was %d", m.free(), free)
		}
	})
	t.Run("driver 21/created, ten pages", func(t *testing.T) {
		m := newMachine(t)
		free := m.free()
		m.created()
		m.add(0, 10, isa.PT_REG, rw)
		if s := m.e.Stats(); s != (Stats{Pages: 10, EPCPages: 12}) {
			t.Errorf("%+v", s)
		}
		m.e.Put()
		if m.free() != free || len(m.cpu.epc) != 0 {
			t.Errorf("free %d, was %d", m.free(), free)
		}
	})
	t.Run("driver 19/initialized, augmented", func(t *testing.T) {
		m := newMachine(t)
		free := m.free()
		m.initialized()
		if m.fault(base+0x9000, rw) != Resolved {
			t.Fatal("EAUG")
		}
		m.e.Put()
		if m.free() != free {
			t.Errorf("free %d, was %d", m.free(), free)
		}
	})
	t.Run("5.6/a page that EREMOVE refuses is lost", func(t *testing.T) {
		m := newMachine(t).created()
		m.add(0, 1, isa.PT_REG, rw)
		free := m.free()
		m.cpu.fail(isa.EREMOVE, isa.SGX_ENCLAVE_ACT)
		m.e.Put() // child lost, then the SECS because of its child
		if m.free() != free+1 {
			t.Errorf("free %d, was %d", m.free(), free)
		}
	})
}

func TestOutOfEPC(t *testing.T) {
	small := func(pages int) func(*machine, *Config) {
		return func(m *machine, cfg *Config) {
			m.cpu = newFakeCPU(pages)
			cfg.CPU, cfg.Rights = m.cpu, m.cpu.rights
		}
	}
	t.Run("driver 93/CREATE without VA", func(t *testing.T) {
		m := newMachine(t, small(2)).created()
		m.e = m.d.Open(&fakeMemory{})
		m.want(m.create(newSECS()), uapi.ENOMEM)
	})
	t.Run("driver 93/CREATE without SECS", func(t *testing.T) {
		m := newMachine(t, small(1))
		m.want(m.create(newSECS()), uapi.ENOMEM)
		if m.free() != 1 {
			t.Error("VA page lost")
		}
	})
	t.Run("2.3 c/ADD_PAGES ENOMEM with count", func(t *testing.T) {
		m := newMachine(t, small(4)).created()
		a := m.addArg(0, 3, isa.NewSECINFO(isa.PT_REG, rw))
		m.want(m.ioctl(uapi.SGX_IOC_ENCLAVE_ADD_PAGES, a), uapi.ENOMEM)
		if a.Count != 0x2000 {
			t.Errorf("count %#x", a.Count)
		}
	})
	t.Run("driver 245/fault SIGBUS", func(t *testing.T) {
		m := newMachine(t, small(2)).created()
		m.want(m.init(&isa.SIGSTRUCT{}), 0)
		if m.fault(base, rw) != SIGBUS {
			t.Error("no SIGBUS")
		}
	})
	t.Run("elastic EPC grows", func(t *testing.T) {
		m := newMachine(t, small(4)).created()
		m.cpu.elastic = true
		m.add(0, 100, isa.PT_REG, rw)
		if total, free := m.d.EPC(); total != 4+growPages || free != total-102 {
			t.Errorf("EPC %d, free %d", total, free)
		}
	})
}

// TestElasticLimit: EPC page numbers have 32 bits.
func TestElasticLimit(t *testing.T) {
	m := newMachine(t)
	m.cpu.elastic = true
	m.d.epc.sections = []section{{fresh: math.MaxUint32 - 1, end: math.MaxUint32 - 1}}
	end := m.cpu.end
	if p, err := m.d.epc.alloc(); err != uapi.ENOMEM || m.cpu.end != end {
		t.Errorf("page %#x, %v", p, err)
	}
}
