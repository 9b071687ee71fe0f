package driver

import (
	"crypto/rsa"
	mrand "math/rand/v2"
	"sync"
	"testing"

	"softsgx/cpu"
	"softsgx/isa"
	"softsgx/sgxcrypto"
	"softsgx/uapi"
)

// hardware is a machine on the real CPU: what the fake CPU only pretends, it does.
// The test measures the enclave on its own account.
type hardware struct {
	*machine // but for its cpu
	cpu      *cpu.CPU
	mem      *pageMemory
	measured *sgxcrypto.Measurement
	sig      isa.SIGSTRUCT
}

// pageMemory is the memory of an enclave.
type pageMemory struct {
	base isa.LinAddr
	b    []byte
}

// Map takes new memory only for another size: what was released is zero.
func (m *pageMemory) Map(base isa.LinAddr, size uint64) error {
	if m.base = base; uint64(len(m.b)) != size {
		m.b = make([]byte, size)
	}
	return nil
}

func (m *pageMemory) Page(lin isa.LinAddr) []byte { return m.b[lin-m.base:][:isa.PageSize] }
func (m *pageMemory) Release(lin isa.LinAddr)     { clear(m.Page(lin)) }

// signingKey is the same key every time.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := sgxcrypto.GenerateKey(mrand.NewChaCha8([32]byte{'d'}))
	if err != nil {
		panic(err)
	}
	return key
})

func newHardware(t testing.TB, pages int, change ...func(*hardware, *Config)) *hardware {
	t.Helper()
	return newHardwareOn(t, hardwareConfig(pages), change...)
}

// hardwareConfig is a CPU with all features and AVX.
func hardwareConfig(pages int) cpu.Config {
	layout := isa.XLayout{XCR0: 7}
	layout.Offset[2], layout.Size[2] = 576, 256
	return cpu.Config{
		Pages: pages, XLayout: layout, SGX2: true, KSS: true, EXINFO: true, AEXNotify: true,
	}
}

func newHardwareOn(t testing.TB, x cpu.Config, change ...func(*hardware, *Config)) *hardware {
	t.Helper()
	c, err := cpu.New(x)
	if err != nil {
		t.Fatal(err)
	}
	h := &hardware{cpu: c, mem: &pageMemory{}}
	cfg := Config{CPU: c, Rights: h.rights, SGX2: true, IPI: h.interrupt}
	for _, f := range change {
		f(h, &cfg)
	}
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.machine = &machine{d: d, e: d.Open(h.mem), c: newFakeCaller()}
	if test, ok := t.(*testing.T); ok {
		h.t = test
	}
	return h
}

func (h *hardware) rights(p isa.EPCAddr) isa.Access {
	x := h.cpu.EPCM(p)
	if !x.Valid || x.PT != isa.PT_REG || x.Pending || x.Modified || x.Blocked {
		return 0
	}
	return x.RWX
}

// interrupt is Config.IPI.
func (h *hardware) interrupt(e *Enclave) {
	for _, lp := range h.cpu.StaleLPs(e.secs.addr()) {
		lp.Interrupted()
	}
}

// Offsets in the enclave that hardware builds.
const (
	offTCS  = 0x0000
	offSSA  = 0x1000 // two frames
	offCode = 0x3000
	offData = 0x4000 // two pages, RW
	offRO   = 0x6000
	offTCS2 = 0x7000
	offSSA2 = 0x8000
	offHole = 0x20000
)

func (h *hardware) create(secs *isa.SECS) error {
	h.t.Helper()
	h.measured = sgxcrypto.NewMeasurement(secs.SSAFRAMESIZE, secs.SIZE)
	h.sig = isa.SIGSTRUCT{
		HEADER: isa.SIGSTRUCT_HEADER, HEADER2: isa.SIGSTRUCT_HEADER2, EXPONENT: isa.SIGSTRUCT_EXPONENT,
		MISCSELECT: secs.MISCSELECT, MISCMASK: ^uint32(0),
		ATTRIBUTES: secs.ATTRIBUTES, ATTRIBUTEMASK: isa.ATTRIBUTES{Flags: ^isa.ATTR_DEBUG & 0xFF &^ 0x49, XFRM: 7},
	}
	return h.machine.create(secs)
}

// add adds pages from the start of the caller's data and measures them, content
// included if flags say so.
func (h *hardware) add(offset uint64, n int, si isa.SECINFO, flags uint64) error {
	h.t.Helper()
	a := h.addArg(offset, n, si)
	a.Flags = flags
	err := h.ioctl(add, a)
	for done := uint64(0); done < a.Count; done += isa.PageSize {
		h.extend(offset+done, h.c.find(dataAddr).b[done:][:isa.PageSize], si, flags)
	}
	return err
}

// extend measures one page.
func (h *hardware) extend(offset uint64, page []byte, si isa.SECINFO, flags uint64) {
	h.measured.EADD(offset, &si)
	if flags&uapi.SGX_PAGE_MEASURE == 0 {
		return
	}
	for i := uint64(0); i < isa.PageSize; i += sgxcrypto.ChunkSize {
		h.measured.EEXTEND(offset+i, (*[sgxcrypto.ChunkSize]byte)(page[i:]))
	}
}

// addTCS adds a TCS whose frames are at ossa.
func (h *hardware) addTCS(offset, ossa uint64) error {
	h.t.Helper()
	page := h.c.find(dataAddr).b[:isa.PageSize]
	before := append([]byte(nil), page...)
	defer copy(page, before)
	copy(page, tcsPage(h.t, ossa))
	return h.add(offset, 1, isa.NewSECINFO(isa.PT_TCS, 0), uapi.SGX_PAGE_MEASURE)
}

func tcsPage(t *testing.T, ossa uint64) []byte {
	t.Helper()
	tcs := isa.TCS{OSSA: ossa, NSSA: 2, OENTRY: offCode, FSLIMIT: 0xFFF, GSLIMIT: 0xFFF}
	b, err := tcs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h *hardware) created() *hardware {
	h.t.Helper()
	h.want(h.create(newSECS()), 0)
	return h
}

// built is an enclave with two TCS, ready for INIT.
func (h *hardware) built() *hardware {
	h.t.Helper()
	h.created().populate()
	return h
}

func (h *hardware) populate() {
	h.t.Helper()
	h.want(h.addTCS(offTCS, offSSA), 0)
	h.want(h.add(offSSA, 2, isa.NewSECINFO(isa.PT_REG, rw), 0), 0)
	h.want(h.add(offCode, 1, isa.NewSECINFO(isa.PT_REG, rx), uapi.SGX_PAGE_MEASURE), 0)
	h.want(h.add(offData, 2, isa.NewSECINFO(isa.PT_REG, rw), 0), 0)
	h.want(h.add(offRO, 1, isa.NewSECINFO(isa.PT_REG, isa.Read), uapi.SGX_PAGE_MEASURE), 0)
	h.want(h.addTCS(offTCS2, offSSA2), 0)
	h.want(h.add(offSSA2, 2, isa.NewSECINFO(isa.PT_REG, rw), 0), 0)
}

// sign signs the SIGSTRUCT as it is now.
func (h *hardware) sign() {
	h.t.Helper()
	if err := sgxcrypto.SignSIGSTRUCT(signingKey(), &h.sig); err != nil {
		h.t.Fatal(err)
	}
}

// init does INIT with what the test measured.
func (h *hardware) init() error {
	h.t.Helper()
	h.sig.ENCLAVEHASH = h.measured.Sum()
	h.sign()
	return h.machine.init(&h.sig)
}

func (h *hardware) initialized() *hardware {
	h.t.Helper()
	h.built()
	h.want(h.init(), 0)
	return h
}

// Translate is the page walk of a process that mapped each page as its ceiling
// allows.
func (h *hardware) Translate(lin isa.LinAddr, a isa.Access) (isa.EPCAddr, *isa.Fault) {
	_, vma, ok := h.e.Page(lin)
	if !ok {
		vma = rwx
	}
	if a&^vma != 0 {
		return 0, &isa.Fault{Vector: isa.PF, Addr: lin, ErrorCode: isa.PFEC(a) | isa.PFECPresent}
	}
	p, r := h.e.Fault(lin, vma)
	if r != Resolved {
		return 0, &isa.Fault{Vector: isa.PF, Addr: lin, ErrorCode: isa.PFEC(a)}
	}
	return p, nil
}

// thread is a thread of the process.
type thread struct {
	h    *hardware
	lp   *cpu.LP
	regs cpu.Regs
}

// enter returns a thread inside the enclave.
func (h *hardware) enter(tcs uint64) *thread {
	h.t.Helper()
	th := &thread{h: h, lp: h.cpu.NewLP(), regs: cpu.Regs{RIP: 0x400000, RFLAGS: 0x202, RSP: 0x7000}}
	if _, err := th.enclu(isa.EENTER, base+isa.LinAddr(tcs), 0x401000, 0); err != nil {
		h.t.Fatal(err)
	}
	return th
}

func (th *thread) enclu(leaf isa.Leaf, rbx, rcx, rdx isa.LinAddr) (isa.Code, error) {
	th.regs.RAX, th.regs.RBX, th.regs.RCX, th.regs.RDX = uint64(leaf), uint64(rbx), uint64(rcx), uint64(rdx)
	if err := th.lp.ENCLU(&cpu.Context{Regs: &th.regs, Space: th.h}); err != nil {
		return 0, err
	}
	return isa.Code(th.regs.RAX), nil
}

func (th *thread) exit() {
	th.h.t.Helper()
	if _, err := th.enclu(isa.EEXIT, 0x402000, 0, 0); err != nil {
		th.h.t.Fatal(err)
	}
}

// secinfo writes a SECINFO into the enclave and returns where. Threads on different
// TCS have different places.
func (th *thread) secinfo(flags uint64) isa.LinAddr {
	at := base + offData + 64*(th.lp.TCS()-base)/isa.PageSize
	copy(th.h.mem.Page(at.Page())[at%isa.PageSize:], secinfoOperand(isa.SECINFO{Flags: flags}).Bytes)
	return at
}

// SECINFO flags that the enclave expects in EACCEPT.
var (
	acceptNew  = isa.NewSECINFO(isa.PT_REG, rw).Flags | isa.SECINFO_PENDING
	acceptTrim = isa.NewSECINFO(isa.PT_TRIM, 0).Flags | isa.SECINFO_MODIFIED
	acceptTCS  = isa.NewSECINFO(isa.PT_TCS, 0).Flags | isa.SECINFO_MODIFIED
	acceptRO   = isa.NewSECINFO(isa.PT_REG, isa.Read).Flags | isa.SECINFO_PR
)

// accept does EACCEPT and wants a code.
func (th *thread) accept(offset, flags uint64, want isa.Code) {
	th.h.t.Helper()
	code, err := th.enclu(isa.EACCEPT, th.secinfo(flags), base+isa.LinAddr(offset), 0)
	if err != nil {
		th.h.t.Fatal(err)
	}
	if code != want {
		th.h.t.Fatalf("EACCEPT at %#x: %v, want %v", offset, code, want)
	}
}

func (h *hardware) epcm(offset uint64) cpu.EPCMEntry {
	p, _, _ := h.e.Page(base + isa.LinAddr(offset))
	return h.cpu.EPCM(p)
}
