package driver

import (
	"encoding"
	"errors"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

var errFault = errors.New("fault")

// fakeVMA is a mapping of a fakeCaller.
type fakeVMA struct {
	start, end uapi.UserPtr
	b          []byte
	noexec     bool
	enclave    bool
	protNone   bool
	readOnly   bool
	eof        uapi.UserPtr // if not 0: no page of the file behind from here on
}

// fakeCaller is a task with some mappings.
type fakeCaller struct {
	vmas      []*fakeVMA // in ascending order
	provision map[uint32]bool
	signal    func() bool
	copies    int
}

// Addresses of the mappings that newFakeCaller makes.
const (
	argAddr  = uapi.UserPtr(0x10000)
	dataAddr = uapi.UserPtr(0x100000)
	dataSize = 0x100000
)

func newFakeCaller() *fakeCaller {
	c := &fakeCaller{provision: map[uint32]bool{7: true}, signal: func() bool { return false }}
	c.mmap(argAddr, 0x10000)
	v := c.mmap(dataAddr, dataSize)
	for i := range v.b {
		v.b[i] = byte(i>>12) + 1
	}
	return c
}

func (c *fakeCaller) mmap(at uapi.UserPtr, size int) *fakeVMA {
	v := &fakeVMA{start: at, end: at + uapi.UserPtr(size), b: make([]byte, size)}
	c.vmas = append(c.vmas, v)
	return v
}

// find is find_vma.
func (c *fakeCaller) find(p uapi.UserPtr) *fakeVMA {
	for _, v := range c.vmas {
		if p < v.end {
			return v
		}
	}
	return nil
}

func (c *fakeCaller) bytes(p uapi.UserPtr, n int, write bool) ([]byte, error) {
	v := c.find(p)
	switch {
	case v == nil, p < v.start, p+uapi.UserPtr(n) > v.end, v.protNone, write && v.readOnly,
		v.eof != 0 && p+uapi.UserPtr(n) > v.eof:
		return nil, errFault
	}
	return v.b[p-v.start:][:n], nil
}

func (c *fakeCaller) CopyIn(p uapi.UserPtr, b []byte) error {
	c.copies++
	src, err := c.bytes(p, len(b), false)
	if err != nil {
		return err
	}
	copy(b, src)
	return nil
}

func (c *fakeCaller) CopyOut(p uapi.UserPtr, b []byte) error {
	dst, err := c.bytes(p, len(b), true)
	if err != nil {
		return err
	}
	copy(dst, b)
	return nil
}

func (c *fakeCaller) ProvisionFD(fd uint32) bool { return c.provision[fd] }

func (c *fakeCaller) Source(p uapi.UserPtr) (end uapi.UserPtr, mayExec, enclave, ok bool) {
	v := c.find(p)
	if v == nil {
		return 0, false, false, false
	}
	return v.end, !v.noexec, v.enclave, true
}

func (c *fakeCaller) SignalPending() bool { return c.signal() }

// store writes a structure to user memory.
func (c *fakeCaller) store(t *testing.T, p uapi.UserPtr, v encoding.BinaryMarshaler) {
	t.Helper()
	b, err := v.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	dst, err := c.bytes(p, len(b), false)
	if err != nil {
		t.Fatal(err)
	}
	copy(dst, b)
}

// load reads a structure of the given size from user memory.
func (c *fakeCaller) load(t *testing.T, p uapi.UserPtr, size int, v encoding.BinaryUnmarshaler) {
	t.Helper()
	b, err := c.bytes(p, size, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
}

// repair makes the source that newFakeCaller made good again and ends signals.
func (c *fakeCaller) repair() {
	v := c.find(dataAddr)
	v.noexec, v.enclave, v.protNone, v.eof = false, false, false, 0
	c.signal = func() bool { return false }
}

// signals returns a signal state that is pending from the n-th question on.
func signals(n int) func() bool {
	asked := 0
	return func() bool {
		asked++
		return asked >= n
	}
}

// fakeMemory is a Memory that notes what it is told.
type fakeMemory struct {
	base isa.LinAddr
	size uint64
	err  error
}

func (m *fakeMemory) Page(isa.LinAddr) []byte { return make([]byte, isa.PageSize) }
func (m *fakeMemory) Release(isa.LinAddr)     {}
func (m *fakeMemory) Map(base isa.LinAddr, size uint64) error {
	m.base, m.size = base, size
	return m.err
}
