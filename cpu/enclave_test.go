package cpu

import (
	"encoding/binary"

	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// Offsets in the enclave that newEnclave builds.
const (
	offTCS  = 0x0000
	offCode = 0x1000
	offSSA  = 0x2000 // as many frames as NSSA says
	offData = 0x10000
	offRO   = 0x11000
	offMore = 0x12000
	offFree = 0x20000
)

// enclave is an enclave under test, the process that it lives in and one thread.
type enclave struct {
	*rig
	secs  isa.EPCAddr
	base  isa.LinAddr
	mem   *memory
	space space
	epc   map[uint64]isa.EPCAddr // by offset
	lp    *LP
	regs  Regs
	x     *image
}

// image is a fake XState.
type image struct {
	b             []byte
	loads, stores int
	refuse        error
}

func newImage(l *isa.XLayout) *image {
	x := &image{b: make([]byte, l.SaveSize(l.XCR0))}
	binary.LittleEndian.PutUint16(x.b[xFCW:], initFCW)
	binary.LittleEndian.PutUint32(x.b[xMXCSR:], initMXCSR)
	binary.LittleEndian.PutUint32(x.b[xMXCSRMask:], 0xFFFF)
	return x
}

func (x *image) Load() ([]byte, error) { x.loads++; return append([]byte(nil), x.b...), nil }

func (x *image) Store(b []byte) error {
	if x.refuse != nil {
		return x.refuse
	}
	x.stores++
	x.b = append([]byte(nil), b...)
	return nil
}

// elbase is where ELRANGE begins unless a plan says otherwise.
const elbase isa.LinAddr = 0x7F00_0010_0000

// at is the address of an offset in such an enclave.
func at(off uint64) isa.LinAddr { return elbase + isa.LinAddr(off) }

// plan is how newEnclave differs from a plain 64-bit enclave.
type plan struct {
	base      isa.LinAddr
	size      uint64
	flags     uint64 // besides MODE64BIT
	xfrm      uint64
	misc      uint32
	frame     uint32
	nssa      uint32
	tcs       func(*isa.TCS)
	secs      func(*isa.SECS)
	cold      bool // leave it uninitialised
	prodid    uint16
	svn       uint16
	signer    byte
	mode32    bool
	extraPage bool // one more page, for another MRENCLAVE
}

func (p *plan) defaults() {
	if p.base == 0 {
		p.base = elbase
	}
	if p.size == 0 {
		p.size = 0x100000
	}
	if p.xfrm == 0 {
		p.xfrm = isa.XFRM_LEGACY | isa.XFRM_AVX
	}
	if p.frame == 0 {
		p.frame = 1
	}
	if p.nssa == 0 {
		p.nssa = 2
	}
}

// create does ECREATE.
func (r *rig) create(p plan) *enclave {
	r.t.Helper()
	p.defaults()
	e := &enclave{
		rig: r, secs: r.page(), base: p.base, mem: newMemory(), space: make(space),
		epc: make(map[uint64]isa.EPCAddr), lp: r.c.NewLP(), x: newImage(&r.c.cfg.XLayout),
	}
	s := isa.SECS{
		SIZE: p.size, BASEADDR: p.base, SSAFRAMESIZE: p.frame, MISCSELECT: p.misc,
		ATTRIBUTES: isa.ATTRIBUTES{Flags: isa.ATTR_MODE64BIT | p.flags, XFRM: p.xfrm},
	}
	if p.mode32 {
		s.ATTRIBUTES.Flags &^= isa.ATTR_MODE64BIT
	}
	if p.secs != nil {
		p.secs(&s)
	}
	b, err := s.MarshalBinary()
	must(r.t, err)
	pi := isa.PAGEINFO{Addr: kernel, SRCPGE: operand(b), SECINFO: secinfo(0)}
	must(r.t, r.c.ECREATE(&pi, e.secs, e.mem))
	return e
}

// newEnclave builds an enclave with a TCS, SSA frames and some pages, and makes
// it initialised without the effort of a signature.
func (r *rig) newEnclave(p plan) *enclave {
	r.t.Helper()
	p.defaults()
	e := r.create(p)
	tcs := isa.TCS{OSSA: offSSA, NSSA: p.nssa, OENTRY: offCode, FSLIMIT: 0xFFFFFFFF, GSLIMIT: 0xFFFFFFFF}
	if p.flags&isa.ATTR_AEXNOTIFY != 0 {
		tcs.FLAGS = isa.TCS_AEXNOTIFY
	}
	if p.tcs != nil {
		p.tcs(&tcs)
	}
	b, err := tcs.MarshalBinary()
	must(r.t, err)
	e.add(offTCS, flagsTCS, b)
	e.add(offCode, flagsRX, fill(0xCC))
	for i := range uint64(p.nssa * p.frame) {
		e.add(offSSA+i*isa.PageSize, flagsRW, nil)
	}
	e.add(offData, flagsRW, nil)
	e.add(offRO, flagsR, fill(0x11))
	e.add(offMore, flagsRW, fill(0x22))
	if p.extraPage {
		e.add(offFree-isa.PageSize, flagsR, nil)
	}
	if !p.cold {
		e.initialise(p)
	}
	return e
}

// initialise does what EINIT commits.
func (e *enclave) initialise(p plan) {
	s := e.state()
	s.MRENCLAVE = s.measurement.Sum()
	s.MRSIGNER[0] = p.signer
	s.ISVPRODID, s.ISVSVN = p.prodid, p.svn
	s.ATTRIBUTES.Flags |= isa.ATTR_INIT
	s.measurement = nil
}

func (e *enclave) state() *secs { return e.entry(e.secs).secs }

func fill(v byte) []byte {
	b := make([]byte, isa.PageSize)
	for i := range b {
		b[i] = v
	}
	return b
}

// pageinfo returns what adds a page at off.
func (e *enclave) pageinfo(off, flags uint64, src []byte) *isa.PAGEINFO {
	if src == nil {
		src = make([]byte, isa.PageSize)
	}
	return &isa.PAGEINFO{
		Addr: kernel, LINADDR: e.lin(off), SRCPGE: operand(src), SECINFO: secinfo(flags), SECS: e.secs,
	}
}

func (e *enclave) lin(off uint64) isa.LinAddr { return e.base + isa.LinAddr(off) }

// add does EADD and maps the page.
func (e *enclave) add(off, flags uint64, src []byte) isa.EPCAddr {
	e.t.Helper()
	p := e.page()
	must(e.t, e.c.EADD(e.pageinfo(off, flags, src), p))
	e.mapPage(off, p)
	return p
}

// measure does EEXTEND of the whole page at off.
func (e *enclave) measure(off uint64) {
	e.t.Helper()
	must(e.t, e.c.EEXTENDPage(e.secs, e.epc[off], nil))
}

// aug does EAUG and maps the page.
func (e *enclave) aug(off uint64) isa.EPCAddr {
	e.t.Helper()
	p := e.page()
	must(e.t, e.c.EAUG(e.augInfo(off), p))
	e.mapPage(off, p)
	return p
}

func (e *enclave) augInfo(off uint64) *isa.PAGEINFO {
	return &isa.PAGEINFO{Addr: kernel, LINADDR: e.lin(off), SECS: e.secs}
}

func (e *enclave) mapPage(off uint64, p isa.EPCAddr) {
	e.epc[off] = p
	e.space[e.lin(off)] = pte{p, isa.Read | isa.Write | isa.Exec}
}

func (e *enclave) ctx() *Context { return &Context{Regs: &e.regs, X: e.x, Space: e.space} }

// Where the process outside is.
const (
	outRIP = 0x40_0000
	outAEP = 0x40_1000
	outRSP = 0x7FFF_0000
	outRBP = 0x7FFF_0100
	outFS  = 0x5000
	outGS  = 0x6000
)

// outside sets the registers of a thread about to execute EENTER or ERESUME.
func (e *enclave) outside(leaf isa.Leaf) {
	e.regs = Regs{
		RAX: uint64(leaf), RBX: uint64(e.lin(offTCS)), RCX: outAEP, RDX: 0xD, RSI: 0x51, RDI: 0xD1,
		RBP: outRBP, RSP: outRSP, R8: 8, R9: 9, R10: 10, R11: 11, R12: 12, R13: 13, R14: 14, R15: 15,
		RIP: outRIP, RFLAGS: 0x202, FSBase: outFS, GSBase: outGS,
	}
}

// enter does EENTER.
func (e *enclave) enter() {
	e.t.Helper()
	e.outside(isa.EENTER)
	must(e.t, e.lp.ENCLU(e.ctx()))
}

// resume does ERESUME.
func (e *enclave) resume() error {
	e.outside(isa.ERESUME)
	return e.lp.ENCLU(e.ctx())
}

// exit does EEXIT.
func (e *enclave) exit() {
	e.t.Helper()
	e.regs.RAX, e.regs.RBX = uint64(isa.EEXIT), outRIP
	must(e.t, e.lp.ENCLU(e.ctx()))
}

// thread returns another thread of the same process.
func (e *enclave) thread() *enclave {
	n := *e
	n.lp, n.x = e.c.NewLP(), newImage(&e.c.cfg.XLayout)
	return &n
}

// enclu executes a leaf with three operands and returns what it did. A leaf that
// returns codes must say the same in ZF.
func (e *enclave) enclu(leaf isa.Leaf, rbx, rcx, rdx isa.LinAddr) outcome {
	e.t.Helper()
	before := e.regs
	e.regs.RAX, e.regs.RBX, e.regs.RCX, e.regs.RDX = uint64(leaf), uint64(rbx), uint64(rcx), uint64(rdx)
	asked := e.regs
	if err := e.lp.ENCLU(e.ctx()); err != nil {
		if e.regs != asked {
			e.t.Fatal("a fault changed registers")
		}
		e.regs = before
		return result(e.t, err)
	}
	if e.regs.RIP != before.RIP+isa.ENCLULength {
		e.t.Fatalf("RIP %#x after ENCLU at %#x", e.regs.RIP, before.RIP)
	}
	switch leaf {
	case isa.EGETKEY, isa.EACCEPT, isa.EACCEPTCOPY:
		if zf := e.regs.RFLAGS&flagZF != 0; zf != (e.regs.RAX != 0) {
			e.t.Fatalf("ZF %v with RAX %d", zf, e.regs.RAX)
		}
		if e.regs.RFLAGS&(arithmeticFlags&^flagZF) != 0 {
			e.t.Fatalf("RFLAGS %#x", e.regs.RFLAGS)
		}
		return code(isa.Code(e.regs.RAX))
	}
	if e.regs.RAX != uint64(leaf) || e.regs.RFLAGS != before.RFLAGS {
		e.t.Fatal("a leaf without code changed RAX or RFLAGS")
	}
	return ok
}

// poke writes b at an offset, as code of the enclave would.
func (e *enclave) poke(off uint64, b []byte) isa.LinAddr {
	lin := e.lin(off)
	copy(e.mem.Page(lin.Page())[lin%isa.PageSize:], b)
	return lin
}

func (e *enclave) peek(off uint64, n int) []byte {
	lin := e.lin(off)
	return append([]byte(nil), e.mem.Page(lin.Page())[lin%isa.PageSize:][:n]...)
}

// info writes a SECINFO into the enclave's data page.
func (e *enclave) info(flags uint64) isa.LinAddr { return e.poke(offData, secinfo(flags).Bytes) }

// accept does EACCEPT.
func (e *enclave) accept(off, flags uint64) outcome {
	e.t.Helper()
	return e.acceptWith(offData, off, flags)
}

// acceptWith does EACCEPT with a SECINFO at the offset at.
func (e *enclave) acceptWith(at, off, flags uint64) outcome {
	e.t.Helper()
	return e.enclu(isa.EACCEPT, e.poke(at, secinfo(flags).Bytes), e.lin(off), 0)
}

func (e *enclave) epcm(off uint64) EPCMEntry { return e.c.EPCM(e.epc[off]) }

// hold and drop stand for another leaf that holds a lock.
func (r *rig) holdShared(p isa.EPCAddr)    { r.entry(p).hold = 1 }
func (r *rig) holdExclusive(p isa.EPCAddr) { r.entry(p).hold = -1 }
func (r *rig) holdSGX2(p isa.EPCAddr)      { r.entry(p).lockSGX2() }

func put64(b []byte, off int, v uint64) { binary.LittleEndian.PutUint64(b[off:], v) }
func put32(b []byte, off int, v uint32) { binary.LittleEndian.PutUint32(b[off:], v) }

// blocks is MRENCLAVE of what build measures.
func blocks(frame uint32, size uint64, build func(*sgxcrypto.Measurement)) [32]byte {
	m := sgxcrypto.NewMeasurement(frame, size)
	build(m)
	return m.Sum()
}
