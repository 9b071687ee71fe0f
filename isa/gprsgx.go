package isa

// GPRSGXSize is the size of GPRSGX, which ends an SSA frame.
const GPRSGXSize = 184

// GPRSGXOffsetAEXNOTIFY is the offset in GPRSGX of the byte whose bit 0,
// GPRSGX_AEXNOTIFY, asks ERESUME to notify.
const (
	GPRSGXOffsetAEXNOTIFY       = 167
	GPRSGX_AEXNOTIFY      uint8 = 1 << 0
)

// Fields of GPRSGX.EXITINFO (SDM vol. 3D, "EXITINFO"). The vector is in bits
// 7:0, the type in bits 10:8.
const (
	EXITINFO_HARDWARE uint32 = 3 << 8
	EXITINFO_SOFTWARE uint32 = 6 << 8
	EXITINFO_VALID    uint32 = 1 << 31
)

// GPRSGX is the register area of an SSA frame (SDM vol. 3D, "GPRSGX Region").
type GPRSGX struct {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI uint64
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RFLAGS, RIP                            uint64
	URSP, URBP                             uint64 // RSP and RBP outside the enclave
	EXITINFO                               uint32
	Reserved164                            [3]byte
	AEXNOTIFY                              uint8
	FSBASE, GSBASE                         uint64
}

func (g *GPRSGX) fields(l *layout) {
	for _, r := range [...]*uint64{
		&g.RAX, &g.RCX, &g.RDX, &g.RBX, &g.RSP, &g.RBP, &g.RSI, &g.RDI,
		&g.R8, &g.R9, &g.R10, &g.R11, &g.R12, &g.R13, &g.R14, &g.R15,
		&g.RFLAGS, &g.RIP, &g.URSP, &g.URBP,
	} {
		l.u64(r)
	}
	l.u32(&g.EXITINFO)
	l.bytes(g.Reserved164[:])
	l.u8(&g.AEXNOTIFY)
	l.u64(&g.FSBASE)
	l.u64(&g.GSBASE)
}

// UnmarshalBinary reads GPRSGX from the first GPRSGXSize bytes of b.
func (g *GPRSGX) UnmarshalBinary(b []byte) error {
	l, err := reader("GPRSGX", b, GPRSGXSize)
	if err != nil {
		return err
	}
	g.fields(&l)
	return nil
}

// AppendBinary appends GPRSGX to b.
func (g *GPRSGX) AppendBinary(b []byte) ([]byte, error) {
	b, l := writer(b, GPRSGXSize)
	g.fields(&l)
	return b, nil
}

// MarshalBinary returns the bytes of GPRSGX.
func (g *GPRSGX) MarshalBinary() ([]byte, error) { return g.AppendBinary(nil) }
