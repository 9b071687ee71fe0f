package driver

import (
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

func (m *machine) provision(fd uint64) error {
	m.t.Helper()
	return m.ioctl(uapi.SGX_IOC_ENCLAVE_PROVISION, &uapi.EnclaveProvision{FD: fd})
}

func TestProvision(t *testing.T) {
	rows := []struct {
		name  string
		calls func(m *machine) // PROVISION; the enclave wants PROVISIONKEY
		init  uapi.Errno
	}{
		{"driver 169/good", func(m *machine) { m.want(m.provision(7), 0) }, 0},
		{"driver 170, 171/closed, or another file", func(m *machine) { m.want(m.provision(8), uapi.EINVAL) }, uapi.EACCES},
		{"driver 170/negative", func(m *machine) { m.want(m.provision(^uint64(0)), uapi.EINVAL) }, uapi.EACCES},
		{"driver 172/high half ignored", func(m *machine) { m.want(m.provision(1<<32|7), 0) }, 0},
		{"driver 172/only the low half", func(m *machine) { m.want(m.provision(7<<32), uapi.EINVAL) }, uapi.EACCES},
		{"driver 175/twice, then closed", func(m *machine) {
			m.want(m.provision(7), 0)
			m.want(m.provision(7), 0)
			delete(m.c.provision, 7)
		}, 0},
		{"driver 175/failure takes nothing back", func(m *machine) {
			m.want(m.provision(7), 0)
			m.want(m.provision(8), uapi.EINVAL)
		}, 0},
		{"driver 176/another task's descriptor", func(m *machine) {
			mine := m.c
			m.c = newFakeCaller()
			m.want(m.provision(7), 0)
			m.c = mine
		}, 0},
		{"driver 178/bad pointer", func(m *machine) {
			m.want(m.e.Ioctl(m.c, uint32(uapi.SGX_IOC_ENCLAVE_PROVISION), 0), uapi.EFAULT)
		}, uapi.EACCES},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := withAttributes(t, isa.ATTR_PROVISIONKEY)
			r.calls(m)
			m.want(m.init(&isa.SIGSTRUCT{}), r.init)
		})
	}
}

func TestProvisionState(t *testing.T) {
	t.Run("driver 173/before CREATE", func(t *testing.T) {
		m := newMachine(t)
		m.want(m.provision(7), 0)
		secs := newSECS()
		secs.ATTRIBUTES.Flags |= isa.ATTR_PROVISIONKEY
		m.want(m.create(secs), 0)
		m.want(m.init(&isa.SIGSTRUCT{}), uapi.EACCES)
	})
	t.Run("driver 174/after INIT", func(t *testing.T) {
		m := newMachine(t).initialized()
		m.want(m.provision(7), 0)
		m.want(m.provision(8), uapi.EINVAL)
	})
}
