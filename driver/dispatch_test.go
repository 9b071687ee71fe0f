package driver

import (
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

func TestUnknownCommands(t *testing.T) {
	rows := []struct {
		name string
		cmd  uint32
	}{
		{"driver 31/ADD_PAGES of 40 bytes", 0xC028A401},
		{"driver 31/ADD_PAGE of 26 bytes", 0x401AA401},
		{"driver 31/CREATE as read", 0x8008A400},
		{"driver 38/vEPC command", uint32(uapi.SGX_IOC_VEPC_REMOVE_ALL)},
		{"driver 29/number 0x08", 0x4008A408},
		{"driver 29/number 0xFF", 0xA4FF},
		{"driver 31/INIT with token", 0x4010A402},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t)
			m.want(m.e.Ioctl(m.c, r.cmd, 0), uapi.ENOTTY)
		})
	}
}

func TestOneIoctlAtATime(t *testing.T) {
	m := newMachine(t).created()
	inside, leave := make(chan struct{}), make(chan struct{})
	m.cpu.during[isa.EADD] = func() {
		inside <- struct{}{}
		<-leave
	}
	done := make(chan error)
	m.c.store(t, argAddr, m.addArg(0, 1, isa.NewSECINFO(isa.PT_REG, rw)))
	go func() { done <- m.e.Ioctl(m.c, uint32(uapi.SGX_IOC_ENCLAVE_ADD_PAGES), argAddr) }()
	<-inside
	rows := []struct {
		name string
		cmd  uapi.Cmd
		arg  uapi.UserPtr
	}{
		{"driver 33/ADD_PAGES", uapi.SGX_IOC_ENCLAVE_ADD_PAGES, argAddr},
		{"driver 34/unknown", 0xA4FF, argAddr},
		{"driver 35/bad pointer", uapi.SGX_IOC_ENCLAVE_CREATE, 0},
		{"driver 189/RESTRICT", uapi.SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, argAddr},
		{"driver 33/PROVISION", uapi.SGX_IOC_ENCLAVE_PROVISION, argAddr},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if err := m.e.Ioctl(newFakeCaller(), uint32(r.cmd), r.arg); err != uapi.EBUSY {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("driver 36/other enclave", func(t *testing.T) {
		e, c := m.d.Open(&fakeMemory{}), newFakeCaller()
		secs := newSECS()
		c.store(t, argAddr+0x1000, secs)
		c.store(t, argAddr, &uapi.EnclaveCreate{Src: argAddr + 0x1000})
		if err := e.Ioctl(c, uint32(uapi.SGX_IOC_ENCLAVE_CREATE), argAddr); err != nil {
			t.Error(err)
		}
	})
	close(leave)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	m.cpu.during[isa.EADD] = nil
	t.Run("driver 37/flag cleared", func(t *testing.T) {
		m.want(m.e.Ioctl(m.c, uint32(uapi.SGX_IOC_ENCLAVE_CREATE), 0), uapi.EINVAL)
		m.add(0x1000, 1, isa.PT_REG, rw)
	})
}

func TestBoot(t *testing.T) {
	rows := []struct {
		name   string
		change func(*fakeCPU)
		ok     bool
		total  int
	}{
		{"driver 1/normal", func(*fakeCPU) {}, true, fakePages},
		{"driver 2/no launch control", func(f *fakeCPU) { f.cpuid[[2]uint32{7, 0}] = [4]uint32{ebx: isa.CPUID_7_EBX_SGX} }, false, 0},
		{"driver 2/no SGX1", func(f *fakeCPU) { f.cpuid[[2]uint32{0x12, 0}] = [4]uint32{} }, false, 0},
		{"driver 3/no section", func(f *fakeCPU) { delete(f.cpuid, [2]uint32{0x12, 2}) }, false, 0},
		{"driver 263/nine sections", func(f *fakeCPU) {
			for i := range uint32(9) {
				f.cpuid[[2]uint32{0x12, 2 + i}] = [4]uint32{i<<24 | 1, 8, 0x10000 | 1, 0}
			}
		}, true, 8 * 16},
		{"driver 263/invalid type ends the list", func(f *fakeCPU) {
			f.cpuid[[2]uint32{0x12, 3}] = [4]uint32{2, 9, 0x10001, 0}
			f.cpuid[[2]uint32{0x12, 4}] = [4]uint32{1, 10, 0x10001, 0}
		}, true, fakePages},
		{"section too high", func(f *fakeCPU) { f.cpuid[[2]uint32{0x12, 2}] = [4]uint32{1, 0xFFFFF, 0x10001, 0} }, false, 0},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := newFakeCPU(fakePages)
			r.change(f)
			d, err := New(Config{CPU: f, Rights: f.rights})
			if (err == nil) != r.ok {
				t.Fatal(err)
			}
			if err != nil {
				if !as[uapi.Errno](err) {
					t.Errorf("%v carries no errno", err)
				}
				return
			}
			if total, free := d.EPC(); total != r.total || free != r.total {
				t.Errorf("EPC %d, free %d; want %d", total, free, r.total)
			}
		})
	}
	t.Run("incomplete Config", func(t *testing.T) {
		if _, err := New(Config{CPU: newFakeCPU(8)}); err == nil {
			t.Error("no Rights, no error")
		}
	})
	t.Run("SGX2 without the CPU's", func(t *testing.T) {
		f := newFakeCPU(8)
		f.cpuid[[2]uint32{0x12, 0}] = [4]uint32{eax: isa.CPUID_12_EAX_SGX1}
		if _, err := New(Config{CPU: f, Rights: f.rights, SGX2: true}); err == nil {
			t.Error("no error")
		}
	})
}
