package cpu

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"softsgx/isa"
)

// XState is a thread's extended state, as an image in the standard XSAVE format
// laid out as Config.XLayout says.
type XState interface {
	// Load returns the image. It stays valid until the next Load or Store and
	// may be changed and given to Store.
	Load() ([]byte, error)
	// Store makes the image the thread's state. It may refuse with an
	// *isa.Fault what the host's XRSTOR would refuse.
	Store([]byte) error
}

// Places and values in the legacy area and header of an XSAVE image (SDM vol. 1,
// "XSAVE Area").
const (
	xFCW       = 0
	xFSW       = 2
	xMXCSR     = 24
	xMXCSRMask = 28
	xST        = 32
	xXMM       = 160
	xXMMEnd    = 416
	xBV        = isa.XSAVEOffsetXSTATE_BV
	xReserved  = xBV + 8  // the header bytes that must be zero
	xResEnd    = xBV + 24 //
	xHeaderEnd = isa.XSAVELegacySize + isa.XSAVEHeaderSize

	initFCW          = 0x037F
	initMXCSR        = 0x1F80
	defaultMXCSRMask = 0xFFBF
)

// vectorState is what the host had, while its thread is in an enclave, in the
// components outside XFRM.
type vectorState struct {
	image []byte // components at their places
	bv    uint64 // which of them were in use
}

// The four transitions all follow one rule. Going in, the components outside
// XFRM are kept and become INIT; going out, they come back. Components in XFRM
// pass through EENTER and EEXIT; ERESUME loads them from the SSA frame, AEX
// saves them there and makes them INIT. Nothing is stored that would not change.

// enterVectors is the rule for EENTER.
func (lp *LP) enterVectors(ctx *Context, xfrm uint64) error {
	lp.vector.bv = 0
	img, err := lp.loadVectors(ctx)
	if err != nil || img == nil {
		return err
	}
	if !lp.keep(img, xfrm) {
		return nil
	}
	setBV(img, bv(img)&xfrm)
	return ctx.X.Store(img)
}

// resumeVectors is the rule for ERESUME. It raises #GP as XRSTOR would.
func (lp *LP) resumeVectors(ctx *Context, xfrm uint64, f *frame) error {
	lp.vector.bv = 0
	img, err := lp.loadVectors(ctx)
	if err != nil || img == nil {
		return err
	}
	lp.keep(img, xfrm)
	if !lp.restoreVectors(img, xfrm, f) {
		return isa.GPFault()
	}
	return ctx.X.Store(img)
}

// exitVectors is the rule for EEXIT.
func (lp *LP) exitVectors(ctx *Context, xfrm uint64) error {
	img, err := lp.loadVectors(ctx)
	if err != nil || img == nil {
		return err
	}
	if lp.vector.bv == 0 && lp.inUse(img, ^xfrm) == 0 {
		return nil
	}
	lp.giveBack(img, xfrm)
	return ctx.X.Store(img)
}

// aexVectors is the rule for AEX after an event of the given vector, which
// leaves its mark in the synthetic state.
func (lp *LP) aexVectors(ctx *Context, xfrm uint64, f *frame, vector synthetic) error {
	img, err := lp.loadVectors(ctx)
	if err != nil || img == nil {
		return err
	}
	lp.saveVectors(img, xfrm, f)
	vector.put(img)
	lp.giveBack(img, xfrm)
	return ctx.X.Store(img)
}

// loadVectors returns the thread's image; nil if there is none to care for.
func (lp *LP) loadVectors(ctx *Context) ([]byte, error) {
	if ctx.X == nil {
		return nil, nil
	}
	img, err := ctx.X.Load()
	if err != nil {
		return nil, fmt.Errorf("cpu: extended state: %w", err)
	}
	l := &lp.cpu.cfg.XLayout
	if need := l.SaveSize(l.XCR0); len(img) < int(need) {
		return nil, fmt.Errorf("cpu: extended state of %d bytes, need %d", len(img), need)
	}
	return img, nil
}

func bv(img []byte) uint64       { return binary.LittleEndian.Uint64(img[xBV:]) }
func setBV(img []byte, v uint64) { binary.LittleEndian.PutUint64(img[xBV:], v) }

// component returns the bytes of component i >= 2.
func (lp *LP) component(img []byte, i int) []byte {
	l := &lp.cpu.cfg.XLayout
	return img[l.Offset[i]:][:l.Size[i]]
}

// inUse returns which components of mask are in use. The kernel reports PKRU
// always, so a PKRU of 0 counts as INIT.
func (lp *LP) inUse(img []byte, mask uint64) uint64 {
	used := bv(img) & mask & lp.cpu.cfg.XLayout.XCR0
	if used&isa.XFRM_PKRU != 0 && binary.LittleEndian.Uint32(lp.component(img, 9)) == 0 {
		used &^= isa.XFRM_PKRU
	}
	return used
}

// keep puts the components outside xfrm aside, and reports whether there are any
// in use.
func (lp *LP) keep(img []byte, xfrm uint64) bool {
	v := &lp.vector
	v.bv = lp.inUse(img, ^xfrm)
	if v.bv == 0 {
		return false
	}
	if len(v.image) < len(img) {
		v.image = make([]byte, len(img))
	}
	for x := v.bv; x != 0; x &= x - 1 {
		i := bits.TrailingZeros64(x)
		copy(lp.component(v.image, i), lp.component(img, i))
	}
	return true
}

// giveBack puts the components outside xfrm back.
func (lp *LP) giveBack(img []byte, xfrm uint64) {
	v := &lp.vector
	for x := v.bv; x != 0; x &= x - 1 {
		i := bits.TrailingZeros64(x)
		copy(lp.component(img, i), lp.component(v.image, i))
	}
	setBV(img, bv(img)&xfrm|v.bv)
}

// saveVectors does what XSAVE does with xfrm, into the SSA frame (SDM vol. 3D,
// "Asynchronous Enclave Exit", state saving).
func (lp *LP) saveVectors(img []byte, xfrm uint64, f *frame) {
	used := bv(img) & xfrm
	if used&isa.XFRM_X87 == 0 {
		initX87(img)
	}
	if used&isa.XFRM_SSE == 0 {
		clear(img[xXMM:xXMMEnd])
	}
	f.write(0, img[:xXMMEnd])
	var header [isa.XSAVEHeaderSize]byte
	binary.LittleEndian.PutUint64(header[:], used)
	f.write(xBV, header[:])
	l := &lp.cpu.cfg.XLayout
	for x := xfrm &^ isa.XFRM_LEGACY; x != 0; x &= x - 1 {
		i := bits.TrailingZeros64(x)
		if used>>i&1 == 0 {
			f.clear(l.Offset[i], l.Size[i])
			continue
		}
		f.write(l.Offset[i], lp.component(img, i))
	}
}

// restoreVectors does what XRSTOR does with xfrm, from the SSA frame, and leaves
// everything else INIT. It reports whether XRSTOR would accept the frame.
func (lp *LP) restoreVectors(img []byte, xfrm uint64, f *frame) bool {
	var area [xHeaderEnd]byte
	f.read(0, area[:])
	used := bv(area[:])
	if used&^xfrm != 0 || !isZeroBytes(area[xReserved:xResEnd]) {
		return false
	}
	mxcsr := binary.LittleEndian.Uint32(area[xMXCSR:])
	if mxcsr&^mxcsrMask(img) != 0 {
		return false
	}
	loadLegacy(img, area[:], used)
	if mxcsr != initMXCSR {
		used |= isa.XFRM_SSE // a host that compacts loads MXCSR only along with SSE
	}
	clear(img[xBV:xHeaderEnd])
	setBV(img, used)
	l := &lp.cpu.cfg.XLayout
	for x := used &^ isa.XFRM_LEGACY; x != 0; x &= x - 1 {
		i := bits.TrailingZeros64(x)
		f.read(l.Offset[i], lp.component(img, i))
	}
	return true
}

// loadLegacy loads x87, XMM and MXCSR from area into img.
func loadLegacy(img, area []byte, used uint64) {
	if used&isa.XFRM_X87 != 0 {
		copy(img[:xMXCSR], area[:xMXCSR])
		copy(img[xST:xXMM], area[xST:xXMM])
	} else {
		initX87(img)
	}
	if used&isa.XFRM_SSE != 0 {
		copy(img[xXMM:xXMMEnd], area[xXMM:xXMMEnd])
	} else {
		clear(img[xXMM:xXMMEnd])
	}
	copy(img[xMXCSR:xMXCSRMask], area[xMXCSR:xMXCSRMask])
}

func initX87(img []byte) {
	clear(img[:xMXCSR])
	clear(img[xST:xXMM])
	binary.LittleEndian.PutUint16(img[xFCW:], initFCW)
}

func mxcsrMask(img []byte) uint32 {
	if m := binary.LittleEndian.Uint32(img[xMXCSRMask:]); m != 0 {
		return m
	}
	return defaultMXCSRMask
}

func isZeroBytes(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

// synthetic is the part of the synthetic state that depends on the event (SDM
// vol. 3D, "Synthetic State on Asynchronous Enclave Exits").
type synthetic struct {
	fcw, fsw uint16
	mxcsr    uint32
}

func syntheticFor(vector uint8) synthetic {
	switch vector {
	case isa.MF:
		return synthetic{fcw: 0x037E, fsw: 0x8081, mxcsr: 0x1FB0}
	case isa.XM:
		return synthetic{fcw: initFCW, mxcsr: 0x1F01}
	}
	return synthetic{fcw: initFCW, mxcsr: 0x1FB0}
}

// put makes img INIT but for what the event left. x87 and SSE count as in use,
// because their control words do not have the values of INIT.
func (s synthetic) put(img []byte) {
	initX87(img)
	clear(img[xXMM:xXMMEnd])
	binary.LittleEndian.PutUint16(img[xFCW:], s.fcw)
	binary.LittleEndian.PutUint16(img[xFSW:], s.fsw)
	binary.LittleEndian.PutUint32(img[xMXCSR:], s.mxcsr)
	clear(img[xBV:xHeaderEnd])
	setBV(img, isa.XFRM_LEGACY)
}
