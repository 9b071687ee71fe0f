package driver

import (
	"sync"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

// curiousCaller asks the enclave something whenever the driver asks it.
type curiousCaller struct {
	*fakeCaller
	e     *Enclave
	mu    sync.Mutex
	asked map[string]int
}

func (c *curiousCaller) look(name string) {
	c.mu.Lock()
	c.asked[name]++
	c.mu.Unlock()
	c.e.Stats()
	c.e.Fault(base, rw)
	c.e.MayMap(base, base+0x1000, 0, false)
}

func (c *curiousCaller) CopyIn(p uapi.UserPtr, b []byte) error {
	c.look("CopyIn")
	return c.fakeCaller.CopyIn(p, b)
}

func (c *curiousCaller) CopyOut(p uapi.UserPtr, b []byte) error {
	c.look("CopyOut")
	return c.fakeCaller.CopyOut(p, b)
}

func (c *curiousCaller) ProvisionFD(fd uint32) bool {
	c.look("ProvisionFD")
	return c.fakeCaller.ProvisionFD(fd)
}

func (c *curiousCaller) Source(p uapi.UserPtr) (end uapi.UserPtr, mayExec, enclave, ok bool) {
	c.look("Source")
	return c.fakeCaller.Source(p)
}

func (c *curiousCaller) SignalPending() bool {
	c.look("SignalPending")
	return c.fakeCaller.SignalPending()
}

// TestCallerWithoutLocks: a caller may block, and other threads of its process need
// the enclave meanwhile.
func TestCallerWithoutLocks(t *testing.T) {
	m := newMachine(t)
	c := &curiousCaller{fakeCaller: m.c, e: m.e, asked: map[string]int{}}
	call := func(cmd uapi.Cmd, a argument) {
		t.Helper()
		m.c.store(t, argAddr, a)
		m.want(m.e.Ioctl(c, uint32(cmd), argAddr), 0)
	}
	m.c.store(t, argAddr+0x1000, newSECS())
	call(uapi.SGX_IOC_ENCLAVE_CREATE, &uapi.EnclaveCreate{Src: argAddr + 0x1000})
	call(uapi.SGX_IOC_ENCLAVE_PROVISION, &uapi.EnclaveProvision{FD: 7})
	call(add, m.addArg(0, 200, isa.NewSECINFO(isa.PT_REG, rw)))
	m.c.store(t, argAddr+0x1000, &isa.SIGSTRUCT{})
	call(uapi.SGX_IOC_ENCLAVE_INIT, &uapi.EnclaveInit{SIGSTRUCT: argAddr + 0x1000})
	call(restrict, &uapi.EnclaveRestrictPermissions{Length: 0x1000, Permissions: 1})
	call(modify, modifyArg(0x1000, 1, isa.PT_TRIM))
	m.cpu.accept(base + 0x1000)
	call(uapi.SGX_IOC_ENCLAVE_REMOVE_PAGES, &uapi.EnclaveRemovePages{Offset: 0x1000, Length: 0x1000})
	if len(c.asked) != 5 {
		t.Errorf("asked only %v", c.asked)
	}
}
