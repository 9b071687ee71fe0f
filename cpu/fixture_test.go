package cpu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"

	"softsgx/isa"
)

// outcome is what a leaf did, as far as the reference tells: a fault, a code or
// success. Of a #PF only the address and bit 15 count.
type outcome struct {
	vector uint8
	addr   isa.LinAddr
	sgx    bool
	code   isa.Code
}

var (
	ok = outcome{}
	gp = outcome{vector: isa.GP}
)

func pf(lin isa.LinAddr) outcome { return outcome{vector: isa.PF, addr: lin, sgx: true} }

// epf is pf for a leaf of the system, which names pages by EPC address.
func epf(p isa.EPCAddr) outcome      { return pf(isa.LinAddr(p)) }
func walkpf(lin isa.LinAddr) outcome { return outcome{vector: isa.PF, addr: lin} }
func code(n isa.Code) outcome        { return outcome{code: n} }

func (o outcome) String() string {
	switch {
	case o == ok:
		return "success"
	case o.vector == isa.PF:
		return fmt.Sprintf("#PF(%#x, sgx=%v)", uint64(o.addr), o.sgx)
	case o.vector != 0:
		return (&isa.Fault{Vector: o.vector}).Error()
	}
	return o.code.Error()
}

// result turns an error of a leaf into an outcome.
func result(t testing.TB, err error) outcome {
	t.Helper()
	var fault *isa.Fault
	var c isa.Code
	switch {
	case err == nil:
		return ok
	case errors.As(err, &fault):
		return outcome{vector: fault.Vector, addr: fault.Addr, sgx: fault.ErrorCode&isa.PFECSGX != 0}
	case errors.As(err, &c):
		return code(c)
	}
	t.Fatalf("neither fault nor code: %v", err)
	return outcome{}
}

func expect(t testing.TB, want outcome, err error) {
	t.Helper()
	same(t, want, result(t, err))
}

func same(t testing.TB, want, got outcome) {
	t.Helper()
	if got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// memory is isa.Memory as a map.
type memory struct {
	mu       sync.Mutex
	pages    map[isa.LinAddr]*[isa.PageSize]byte
	released []isa.LinAddr
}

func newMemory() *memory { return &memory{pages: make(map[isa.LinAddr]*[isa.PageSize]byte)} }

func (m *memory) Page(lin isa.LinAddr) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.pages[lin]
	if p == nil {
		p = new([isa.PageSize]byte)
		m.pages[lin] = p
	}
	return p[:]
}

func (m *memory) Release(lin isa.LinAddr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pages, lin)
	m.released = append(m.released, lin)
}

// pte is an entry of the fake page table.
type pte struct {
	epc    isa.EPCAddr // 0: other memory
	rights isa.Access
}

type space map[isa.LinAddr]pte

func (s space) Translate(lin isa.LinAddr, a isa.Access) (isa.EPCAddr, *isa.Fault) {
	e, present := s[lin.Page()]
	f := &isa.Fault{Vector: isa.PF, Addr: lin, ErrorCode: isa.PFEC(a)}
	if !present {
		return 0, f
	}
	if e.rights&a != a {
		f.ErrorCode |= isa.PFECPresent
		return 0, f
	}
	return e.epc, nil
}

// intelLayout is where Intel parts put components (GRM enclave_xstate.c).
func intelLayout() isa.XLayout {
	l := isa.XLayout{XCR0: knownXFRM}
	for i, c := range map[int][2]uint32{
		2: {576, 256}, 3: {960, 64}, 4: {1024, 64}, 5: {1088, 64}, 6: {1152, 512}, 7: {1664, 1024},
		9: {2688, 8}, 17: {2752, 64}, 18: {2816, 8192},
	} {
		l.Offset[i], l.Size[i] = c[0], c[1]
	}
	return l
}

// amdLayout is where AMD parts put components.
func amdLayout() isa.XLayout {
	l := isa.XLayout{XCR0: 0x2E7}
	for i, c := range map[int][2]uint32{
		2: {576, 256}, 5: {832, 64}, 6: {896, 512}, 7: {1408, 1024}, 9: {2432, 8},
	} {
		l.Offset[i], l.Size[i] = c[0], c[1]
	}
	return l
}

// counter is entropy without surprise.
type counter byte

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		*c++
		b[i] = byte(*c)
	}
	return len(b), nil
}

func fullConfig() Config {
	return Config{
		Base: 0x1_0000_0000, Pages: 512, XLayout: intelLayout(),
		SGX2: true, KSS: true, EXINFO: true, AEXNotify: true,
		Root: root, CPUSVN: [16]byte{2, 2}, Entropy: new(counter),
	}
}

// root is the root secret of the reference's vectors: 00 01 .. 1F.
var root = func() (r [32]byte) {
	for i := range r {
		r[i] = byte(i)
	}
	return r
}()

// rig is a processor and the kernel's list of its free pages.
type rig struct {
	t    testing.TB
	c    *CPU
	next isa.EPCAddr
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	c, err := New(cfg)
	must(t, err)
	return &rig{t: t, c: c, next: cfg.Base}
}

// page returns a free EPC page.
func (r *rig) page() isa.EPCAddr {
	p := r.next
	r.next += isa.PageSize
	return p
}

func (r *rig) entry(p isa.EPCAddr) *entry {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.c.entry(p)
}

// va returns a version array page.
func (r *rig) va() isa.EPCAddr {
	p := r.page()
	must(r.t, r.c.EPA(uint64(isa.PT_VA), p))
	return p
}

// kernel is an address at which every operand is aligned.
const kernel = 0xFFFF_8880_0000_0000

func operand(b []byte) isa.Operand { return isa.Operand{Addr: kernel, Bytes: b} }

func secinfo(flags uint64) isa.Operand {
	b := make([]byte, isa.SECINFOSize)
	binary.LittleEndian.PutUint64(b, flags)
	return operand(b)
}

// SECINFO flags of the pages that tests use.
const (
	flagsTCS  = 0x100
	flagsTRIM = 0x400
	flagsR    = 0x201
	flagsRW   = 0x203
	flagsX    = 0x204
	flagsRX   = 0x205
	flagsRWX  = 0x207
	flagsNone = 0x200
)
