package driver

import (
	"encoding"
	"errors"
	"testing"
	"time"

	"softsgx/isa"
	"softsgx/uapi"
)

// machine is a driver on a fake CPU with one enclave and one caller.
type machine struct {
	t   *testing.T
	cpu *fakeCPU
	d   *Driver
	e   *Enclave
	c   *fakeCaller
	mem *fakeMemory

	slept   time.Duration
	ipis    int
	revoked []event
	reasons []error
}

// event is one call of Config.Revoked.
type event struct{ start, end isa.LinAddr }

const (
	base = isa.LinAddr(0x7F00_0000_0000)
	size = uint64(0x100_0000) // 4096 pages

	rw  = isa.Read | isa.Write
	rx  = isa.Read | isa.Exec
	rwx = rw | isa.Exec
)

// newMachine boots with SGX2; change alters the configuration.
func newMachine(t *testing.T, change ...func(*machine, *Config)) *machine {
	t.Helper()
	m := &machine{t: t, cpu: newFakeCPU(fakePages), c: newFakeCaller(), mem: &fakeMemory{}}
	cfg := Config{
		CPU: m.cpu, Rights: m.cpu.rights, SGX2: true,
		Sleep:   func(d time.Duration) { m.slept += d },
		IPI:     func(*Enclave) { m.ipis++ },
		Revoked: func(_ *Enclave, s, e isa.LinAddr) { m.revoked = append(m.revoked, event{s, e}) },
		Explain: func(_ *Enclave, _ uapi.Cmd, err error) { m.reasons = append(m.reasons, err) },
	}
	for _, f := range change {
		f(m, &cfg)
	}
	var err error
	if m.d, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	m.e = m.d.Open(m.mem)
	return m
}

// argument is the structure of an ioctl.
type argument interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// ioctl stores arg, calls and loads arg back.
func (m *machine) ioctl(cmd uapi.Cmd, arg argument) error {
	m.t.Helper()
	m.c.store(m.t, argAddr, arg)
	err := m.e.Ioctl(m.c, uint32(cmd), argAddr)
	m.c.load(m.t, argAddr, cmd.Size(), arg)
	return err
}

// want checks an errno; 0 is success.
func (m *machine) want(err error, errno uapi.Errno) {
	m.t.Helper()
	if errno == 0 && err == nil {
		return
	}
	if err != errno { // Ioctl and MayMap return the bare errno
		m.t.Fatalf("got %v, want %v", err, errno)
	}
}

func newSECS() *isa.SECS {
	return &isa.SECS{
		SIZE: size, BASEADDR: base, SSAFRAMESIZE: 1,
		ATTRIBUTES: isa.ATTRIBUTES{Flags: isa.ATTR_MODE64BIT, XFRM: 3},
	}
}

func (m *machine) create(secs *isa.SECS) error {
	m.t.Helper()
	m.c.store(m.t, argAddr+0x1001, secs) // any alignment
	return m.ioctl(uapi.SGX_IOC_ENCLAVE_CREATE, &uapi.EnclaveCreate{Src: argAddr + 0x1001})
}

// addArg returns ADD_PAGES of n pages at an offset; SECINFO is stored.
func (m *machine) addArg(offset uint64, n int, si isa.SECINFO) *uapi.EnclaveAddPages {
	m.t.Helper()
	m.c.store(m.t, argAddr+0x3001, &si)
	return &uapi.EnclaveAddPages{
		Src: dataAddr, Offset: offset, Length: uint64(n) * isa.PageSize,
		SECINFO: argAddr + 0x3001, Flags: uapi.SGX_PAGE_MEASURE,
	}
}

func (m *machine) add(offset uint64, n int, t isa.PageType, rights isa.Access) {
	m.t.Helper()
	a := m.addArg(offset, n, isa.NewSECINFO(t, rights))
	if err := m.ioctl(uapi.SGX_IOC_ENCLAVE_ADD_PAGES, a); err != nil {
		m.t.Fatal(err)
	}
	if a.Count != a.Length {
		m.t.Fatalf("count %#x of %#x", a.Count, a.Length)
	}
}

func (m *machine) init(s *isa.SIGSTRUCT) error {
	m.t.Helper()
	m.c.store(m.t, argAddr+0x4001, s)
	return m.ioctl(uapi.SGX_IOC_ENCLAVE_INIT, &uapi.EnclaveInit{SIGSTRUCT: argAddr + 0x4001})
}

func (m *machine) created() *machine {
	m.t.Helper()
	m.want(m.create(newSECS()), 0)
	return m
}

// initialized has pages 0..3 RW, 4 R, 5 TCS, 6 RX and then holes.
func (m *machine) initialized() *machine {
	m.t.Helper()
	m.created()
	m.add(0, 4, isa.PT_REG, rw)
	m.add(0x4000, 1, isa.PT_REG, isa.Read)
	m.add(0x5000, 1, isa.PT_TCS, 0)
	m.add(0x6000, 1, isa.PT_REG, rx)
	m.want(m.init(&isa.SIGSTRUCT{}), 0)
	return m
}

func (m *machine) free() int {
	_, free := m.d.EPC()
	return free
}

// fault is Fault without the address.
func (m *machine) fault(lin isa.LinAddr, vma isa.Access) FaultResult {
	_, r := m.e.Fault(lin, vma)
	return r
}

// trim turns pages into accepted TRIM pages.
func (m *machine) trim(offset uint64, n int, accept bool) {
	m.t.Helper()
	a := &uapi.EnclaveModifyTypes{Offset: offset, Length: uint64(n) * isa.PageSize, PageType: uint64(isa.PT_TRIM)}
	m.want(m.ioctl(uapi.SGX_IOC_ENCLAVE_MODIFY_TYPES, a), 0)
	for i := range n {
		if accept {
			m.cpu.accept(base + isa.LinAddr(offset) + isa.LinAddr(i)*isa.PageSize)
		}
	}
}

func as[T error](err error) bool {
	var t T
	return errors.As(err, &t)
}
