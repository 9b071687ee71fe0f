package isa

import "math/bits"

// Parts of an XSAVE area in the standard format (SDM vol. 1, "XSAVE Area").
const (
	XSAVELegacySize = 512
	XSAVEHeaderSize = 64

	// XSAVEOffsetXSTATE_BV is the offset of XSTATE_BV, the header's first field.
	XSAVEOffsetXSTATE_BV = 512
)

// Components of extended state, as bits of XCR0 and XFRM.
const (
	XFRM_X87       uint64 = 1 << 0
	XFRM_SSE       uint64 = 1 << 1
	XFRM_AVX       uint64 = 1 << 2
	XFRM_BNDREGS   uint64 = 1 << 3
	XFRM_BNDCSR    uint64 = 1 << 4
	XFRM_OPMASK    uint64 = 1 << 5
	XFRM_ZMM_Hi256 uint64 = 1 << 6
	XFRM_Hi16_ZMM  uint64 = 1 << 7
	XFRM_PKRU      uint64 = 1 << 9
	XFRM_TILECFG   uint64 = 1 << 17
	XFRM_TILEDATA  uint64 = 1 << 18

	// XFRM_LEGACY is what every XFRM must contain.
	XFRM_LEGACY = XFRM_X87 | XFRM_SSE
)

// XLayout is where a processor keeps each component of extended state
// (CPUID leaf 0DH). Offsets differ between vendors, so they are data.
type XLayout struct {
	XCR0         uint64     // what the system enabled
	Offset, Size [64]uint32 // CPUID.(0DH,i):EBX and EAX for i >= 2
}

// SaveSize returns the size of the XSAVE area for xfrm in the standard format
// (SDM vol. 3D, "ECREATE", compute_xsave_size).
func (l *XLayout) SaveSize(xfrm uint64) uint32 {
	size := uint32(XSAVELegacySize + XSAVEHeaderSize)
	for x := xfrm &^ XFRM_LEGACY; x != 0; x &= x - 1 {
		i := bits.TrailingZeros64(x)
		size = max(size, l.Offset[i]+l.Size[i])
	}
	return size
}

// MiscSize returns the size of the MISC area of an SSA frame (SDM vol. 3D,
// "SSA Frame").
func MiscSize(miscselect uint32) uint32 {
	if miscselect&MISC_EXINFO != 0 {
		return EXINFOSize
	}
	return 0
}
