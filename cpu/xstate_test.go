package cpu

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"

	"softsgx/isa"
)

// parts returns the bytes of component i in an image or frame.
func parts(l *isa.XLayout, b []byte, i int) []byte {
	switch i {
	case 0:
		return b[xST:xXMM]
	case 1:
		return b[xXMM:xXMMEnd]
	}
	return b[l.Offset[i]:][:l.Size[i]]
}

func each(mask uint64, f func(i int)) {
	for ; mask != 0; mask &= mask - 1 {
		f(bits.TrailingZeros64(mask))
	}
}

// paint fills the components of mask with v, and says that they are in use.
func (x *image) paint(l *isa.XLayout, mask uint64, v byte) {
	each(mask, func(i int) { copy(parts(l, x.b, i), wide(v)) })
	setBV(x.b, bv(x.b)|mask)
}

func wide(v byte) []byte { return append(fill(v), append(fill(v), fill(v)...)...) }

// shows checks that the components of mask in b are in use and hold v.
func shows(t *testing.T, l *isa.XLayout, b []byte, mask uint64, v byte) {
	t.Helper()
	if bv(b)&mask != mask {
		t.Fatalf("XSTATE_BV %#x lacks some of %#x", bv(b), mask)
	}
	holds(t, l, b, mask, v)
}

func holds(t *testing.T, l *isa.XLayout, b []byte, mask uint64, v byte) {
	t.Helper()
	each(mask, func(i int) {
		p := parts(l, b, i)
		if string(p) != string(wide(v)[:len(p)]) {
			t.Fatalf("component %d holds % x.., want %#x", i, p[:8], v)
		}
	})
}

const (
	hostPaint    = 0x11
	enclavePaint = 0x22
	strayPaint   = 0x33
)

// TestVectors takes state through all four transitions, for the layouts of both
// vendors and what enclaves commonly have in XFRM.
func TestVectors(t *testing.T) {
	for _, row := range []struct {
		name   string
		layout isa.XLayout
		xfrm   uint64
		frame  uint32
	}{
		{"Intel XFRM 3", intelLayout(), 3, 1},
		{"Intel XFRM 7", intelLayout(), 7, 1},
		{"Intel XFRM E7", intelLayout(), 0xE7, 1},
		{"Intel XFRM 2E7", intelLayout(), 0x2E7, 1},
		{"Intel XFRM 602E7", intelLayout(), 0x602E7, 3},
		{"AMD XFRM 3", amdLayout(), 3, 1},
		{"AMD XFRM 7", amdLayout(), 7, 1},
		{"AMD XFRM E7", amdLayout(), 0xE7, 1},
		{"AMD XFRM 2E7", amdLayout(), 0x2E7, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := fullConfig()
			cfg.XLayout = row.layout
			e := newRig(t, cfg).newEnclave(plan{xfrm: row.xfrm, frame: row.frame})
			for i := range uint64(row.frame) {
				e.poke(offSSA+i*isa.PageSize, fill(0xEE))
			}
			v := vectors{e, &row.layout, row.xfrm, row.layout.XCR0 &^ row.xfrm}
			v.enter(t)
			v.exit(t)
			v.enter(t)
			v.aex(t)
			v.resume(t)
			v.exit(t)
		})
	}
}

// vectors is one run of TestVectors.
type vectors struct {
	*enclave
	l        *isa.XLayout
	in, host uint64 // components in XFRM, and others
}

// area returns the XSAVE area of frame 0.
func (v *vectors) area() []byte {
	var b []byte
	for i := range uint64(v.state().SSAFRAMESIZE) {
		b = append(b, v.peek(offSSA+i*isa.PageSize, isa.PageSize)...)
	}
	return b
}

func (v *vectors) enter(t *testing.T) {
	t.Helper()
	v.x.paint(v.l, v.l.XCR0, hostPaint)
	v.enclave.enter()
	shows(t, v.l, v.x.b, v.in, hostPaint)
	v.alone(t)
}

// alone checks that nothing outside XFRM is in use, then lets the enclave use
// everything: no XCR0 keeps native code from it.
func (v *vectors) alone(t *testing.T) {
	t.Helper()
	if bv(v.x.b)&v.host != 0 {
		t.Fatalf("XSTATE_BV %#x inside", bv(v.x.b))
	}
	v.x.paint(v.l, v.in, enclavePaint)
	v.x.paint(v.l, v.host, strayPaint)
}

func (v *vectors) exit(t *testing.T) {
	t.Helper()
	v.enclave.exit()
	shows(t, v.l, v.x.b, v.in, enclavePaint)
	shows(t, v.l, v.x.b, v.host, hostPaint)
}

func (v *vectors) aex(t *testing.T) {
	t.Helper()
	mxcsr := uint32(0x9FC0)
	put32(v.x.b, xMXCSR, mxcsr)
	must(t, v.lp.AEX(v.ctx(), exception(isa.UD)))

	b := v.area()
	shows(t, v.l, b, v.in, enclavePaint)
	if bv(b) != v.in || !isZeroBytes(b[xReserved:xHeaderEnd]) { // isa 345
		t.Fatalf("XSAVE header % x", b[xBV:xHeaderEnd])
	}
	if binary.LittleEndian.Uint32(b[xMXCSR:]) != mxcsr {
		t.Fatal("MXCSR in the frame")
	}
	for i := int(v.l.SaveSize(v.in)); i < len(b)-isa.GPRSGXSize; i++ {
		if b[i] != 0xEE {
			t.Fatalf("byte %d of the frame is %#x", i, b[i])
		}
	}
	for i := xXMMEnd; i < xBV; i++ {
		if b[i] != 0xEE {
			t.Fatalf("byte %d of the frame is %#x", i, b[i])
		}
	}
	shows(t, v.l, v.x.b, v.host, hostPaint)
	if bv(v.x.b)&v.in&^isa.XFRM_LEGACY != 0 {
		t.Fatalf("XSTATE_BV %#x outside", bv(v.x.b))
	}
	holds(t, v.l, v.x.b, isa.XFRM_LEGACY, 0)
}

func (v *vectors) resume(t *testing.T) {
	t.Helper()
	v.x.paint(v.l, v.l.XCR0, hostPaint)
	must(t, v.enclave.resume())
	shows(t, v.l, v.x.b, v.in, enclavePaint)
	if binary.LittleEndian.Uint32(v.x.b[xMXCSR:]) != 0x9FC0 {
		t.Fatal("MXCSR")
	}
	v.alone(t)
}

// TestVectorsInit has components in their initial state at each end.
func TestVectorsInit(t *testing.T) {
	t.Run("AEX saves INIT as zeros", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{xfrm: 0xE7})
		e.poke(offSSA, fill(0xEE))
		e.enter()
		e.x.paint(&e.c.cfg.XLayout, 0xE7, enclavePaint) // stale bytes
		setBV(e.x.b, isa.XFRM_AVX)
		must(t, e.lp.AEX(e.ctx(), Event{}))
		b := e.peek(offSSA, isa.PageSize)
		if bv(b) != isa.XFRM_AVX || binary.LittleEndian.Uint16(b) != initFCW {
			t.Fatalf("XSTATE_BV %#x, FCW %#x", bv(b), b[:2])
		}
		shows(t, &e.c.cfg.XLayout, b, isa.XFRM_AVX, enclavePaint)
		holds(t, &e.c.cfg.XLayout, b, 0xE7&^isa.XFRM_AVX, 0)
	})
	t.Run("ERESUME of INIT", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{xfrm: 0xE7})
		e.poke(offSSA, fill(0xEE)[:xBV])
		put32(e.mem.Page(at(offSSA)), xMXCSR, initMXCSR)
		e.interrupt(1)
		e.x.paint(&e.c.cfg.XLayout, e.c.cfg.XLayout.XCR0, hostPaint)
		must(t, e.resume())
		if bv(e.x.b) != 0 || binary.LittleEndian.Uint16(e.x.b) != initFCW {
			t.Fatalf("XSTATE_BV %#x, FCW %#x", bv(e.x.b), e.x.b[:2])
		}
		holds(t, &e.c.cfg.XLayout, e.x.b, isa.XFRM_LEGACY, 0)
	})
	t.Run("ERESUME with only MXCSR", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		put32(e.mem.Page(at(offSSA)), xMXCSR, 0x7F80)
		e.interrupt(1)
		must(t, e.resume())
		if binary.LittleEndian.Uint32(e.x.b[xMXCSR:]) != 0x7F80 || bv(e.x.b) != isa.XFRM_SSE {
			t.Fatalf("MXCSR % x, XSTATE_BV %#x", e.x.b[xMXCSR:][:4], bv(e.x.b))
		}
	})
}

func TestVectorsSynthetic(t *testing.T) {
	for _, row := range []struct {
		name     string
		ev       Event
		fcw, fsw uint16
		mxcsr    uint32
	}{
		{"isa 341 #MF", exception(isa.MF), 0x037E, 0x8081, 0x1FB0},
		{"isa 342 #XM", exception(isa.XM), 0x037F, 0, 0x1F01},
		{"isa 343 #UD", exception(isa.UD), 0x037F, 0, 0x1FB0},
		{"isa 343 interrupt", Event{}, 0x037F, 0, 0x1FB0},
		{"isa 343 interrupt with a vector", Event{Vector: isa.MF}, 0x037F, 0, 0x1FB0},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			e.enter()
			e.x.paint(&e.c.cfg.XLayout, 7, enclavePaint)
			must(t, e.lp.AEX(e.ctx(), row.ev))
			le := binary.LittleEndian
			fcw, fsw, mxcsr := le.Uint16(e.x.b[xFCW:]), le.Uint16(e.x.b[xFSW:]), le.Uint32(e.x.b[xMXCSR:])
			if fcw != row.fcw || fsw != row.fsw || mxcsr != row.mxcsr {
				t.Fatalf("FCW %#x, FSW %#x, MXCSR %#x", fcw, fsw, mxcsr)
			}
		})
	}
}

// TestVectorsStores counts how often state is moved.
func TestVectorsStores(t *testing.T) {
	for _, row := range []struct {
		name        string
		host        uint64 // in use at entry, besides XFRM
		pkru        byte
		enter, exit int
	}{
		{"nothing but XFRM in use", 0, 0, 0, 0},
		{"PKRU in use", isa.XFRM_PKRU, 0x54, 1, 1},
		{"PKRU 0 counts as INIT", isa.XFRM_PKRU, 0, 0, 0},
		{"AVX-512 in use", xfrmAVX512, 0, 1, 1},
		{"a component beyond XCR0", 1 << 11, 0, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			l := &e.c.cfg.XLayout
			setBV(e.x.b, 7|row.host)
			e.x.b[l.Offset[9]] = row.pkru
			e.enter()
			if e.x.stores != row.enter {
				t.Fatalf("%d stores by EENTER", e.x.stores)
			}
			e.exit()
			if e.x.stores != row.enter+row.exit {
				t.Fatalf("%d stores by EEXIT", e.x.stores-row.enter)
			}
			if bv(e.x.b) != 7|row.host || e.x.b[l.Offset[9]] != row.pkru {
				t.Fatalf("XSTATE_BV %#x", bv(e.x.b))
			}
		})
	}
}

// failing is an XState that cannot be read.
type failing struct{ b []byte }

func (f failing) Load() ([]byte, error) {
	if f.b == nil {
		return nil, errDead
	}
	return f.b, nil
}
func (failing) Store([]byte) error { return errDead }

func TestVectorsErrors(t *testing.T) {
	enter := func(e *enclave) error { e.outside(isa.EENTER); return nil }
	inside := func(e *enclave) error { e.enter(); e.regs.RAX = uint64(isa.EEXIT); return nil }
	resume := func(e *enclave) error { e.interrupt(1); e.outside(isa.ERESUME); return nil }
	enclu := func(e *enclave, x XState) error {
		return e.lp.ENCLU(&Context{Regs: &e.regs, X: x, Space: e.space})
	}
	aex := func(e *enclave, x XState) error {
		return e.lp.AEX(&Context{Regs: &e.regs, X: x, Space: e.space}, Event{})
	}
	for _, row := range []struct {
		name string
		set  func(*enclave) error
		do   func(*enclave, XState) error
		in   bool // afterwards
	}{
		{"EENTER", enter, enclu, false},
		{"EEXIT", inside, enclu, true},
		{"AEX", inside, aex, true},
		{"ERESUME", resume, enclu, false},
	} {
		for _, x := range []XState{failing{}, failing{make([]byte, 100)}, failing{make([]byte, 1<<14)}} {
			t.Run(fmt.Sprintf("%s, %d bytes", row.name, len(x.(failing).b)), func(t *testing.T) {
				if b := x.(failing).b; len(b) > xHeaderEnd {
					setBV(b, xfrmAVX512)
				}
				e := newRig(t, fullConfig()).newEnclave(plan{})
				must(t, row.set(e))
				before, cssa := e.regs, e.cssa()
				if row.do(e, x) == nil {
					t.Fatal("no error")
				}
				if _, _, in := e.lp.Inside(); in != row.in || e.regs != before || e.cssa() != cssa {
					t.Fatalf("inside %v, CSSA %d, %+v", in, e.cssa(), e.regs)
				}
			})
		}
	}
	t.Run("the host refuses what ERESUME loads", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.interrupt(1)
		e.x.refuse = isa.GPFault()
		expect(t, gp, e.resume())
		if e.state().occupied() || e.cssa() != 1 {
			t.Fatal("inside")
		}
	})
}

// TestVectorsLeftOut has callers that care for extended state themselves.
func TestVectorsLeftOut(t *testing.T) {
	e := newRig(t, fullConfig()).newEnclave(plan{})
	e.x.paint(&e.c.cfg.XLayout, xfrmAVX512, hostPaint)
	e.enter()
	e.exit()

	x := e.x
	e.x = nil
	without := &Context{Regs: &e.regs, Space: e.space}
	e.outside(isa.EENTER)
	must(t, e.lp.ENCLU(without))
	e.regs.RAX, e.regs.RBX = uint64(isa.EEXIT), outRIP
	must(t, e.lp.ENCLU(without))
	e.outside(isa.EENTER)
	must(t, e.lp.ENCLU(without))
	must(t, e.lp.AEX(without, Event{}))
	e.outside(isa.ERESUME)
	must(t, e.lp.ENCLU(without))
	setBV(x.b, 0)
	e.x = x
	e.exit()
	if bv(x.b)&xfrmAVX512 != 0 {
		t.Fatal("state of an earlier entry came back")
	}
}
