package cpu

import (
	"encoding/binary"

	"softsgx/isa"
)

// Offsets in GPRSGX of what leaves touch one by one (SDM vol. 3D, "GPRSGX
// Region").
const (
	gprURSP     = 144
	gprURBP     = 152
	gprEXITINFO = 160
	gprFSBASE   = 168
	gprGSBASE   = 176
)

// framePage is a page of an SSA frame.
type framePage struct {
	lin   isa.LinAddr // for GPRSGX, the address of GPRSGX
	epc   isa.EPCAddr
	walk  *isa.Fault // how the page walk failed
	bytes []byte     // the page, once checked
}

// frame is an SSA frame: the pages of its XSAVE area and the one that holds
// GPRSGX and EXINFO (SDM vol. 3D, "State Save Area (SSA) Frame").
type frame struct {
	xsave []framePage
	gpr   framePage
}

// walkFrame makes the page walks for frame number n of t. CPU.mu is not held.
func (lp *LP) walkFrame(ctx *Context, s *secs, t *tcs, n uint32, f *frame) {
	base := s.BASEADDR + isa.LinAddr(t.OSSA+s.frameSize()*uint64(n))
	pages := (lp.cpu.cfg.XLayout.SaveSize(s.ATTRIBUTES.XFRM) + isa.PageSize - 1) / isa.PageSize
	f.xsave = f.xsave[:0]
	for i := range pages {
		p := framePage{lin: base + isa.LinAddr(i)*isa.PageSize}
		p.translate(ctx.Space)
		f.xsave = append(f.xsave, p)
	}
	f.gpr = framePage{lin: base + isa.LinAddr(s.frameSize()-isa.GPRSGXSize)}
	if last := &f.xsave[pages-1]; last.lin == f.gpr.lin.Page() {
		f.gpr.epc, f.gpr.walk = last.epc, last.walk
		return
	}
	f.gpr.translate(ctx.Space)
}

func (p *framePage) translate(sp Space) {
	p.epc, p.walk = sp.Translate(p.lin, isa.Read|isa.Write)
}

// openFrame makes the EPCM checks of a frame that was walked, and finds its
// bytes. c.mu is held.
func (c *CPU) openFrame(s *secs, f *frame) error {
	if err := c.checkFrame(s, f); err != nil {
		return err
	}
	for i := range f.xsave {
		f.xsave[i].find(s)
	}
	f.gpr.find(s)
	return nil
}

func (p *framePage) find(s *secs) {
	p.bytes = s.contents.bytes(p.epc&^(isa.PageSize-1), p.lin.Page())
}

// checkFrame makes the EPCM checks of a frame that was walked. c.mu is held.
func (c *CPU) checkFrame(s *secs, f *frame) error {
	for i := range f.xsave {
		if err := c.checkFramePage(s, &f.xsave[i]); err != nil {
			return err
		}
	}
	return c.checkFramePage(s, &f.gpr)
}

func (c *CPU) checkFramePage(s *secs, p *framePage) error {
	if p.walk != nil {
		return p.walk
	}
	e := c.entry(p.epc)
	if e == nil || !e.owned(s, p.lin, isa.Read|isa.Write) {
		return isa.SGXPageFault(p.lin, isa.Write)
	}
	return nil
}

// gprs returns the bytes of GPRSGX, which end the frame.
func (f *frame) gprs() []byte { return f.gpr.bytes[isa.PageSize-isa.GPRSGXSize:] }

// exinfo returns the bytes of EXINFO.
func (f *frame) exinfo() []byte {
	const end = isa.PageSize - isa.GPRSGXSize
	return f.gpr.bytes[end-isa.EXINFOSize : end]
}

// setOuterStack stores URSP and URBP.
func (f *frame) setOuterStack(rsp, rbp uint64) {
	b := f.gprs()
	binary.LittleEndian.PutUint64(b[gprURSP:], rsp)
	binary.LittleEndian.PutUint64(b[gprURBP:], rbp)
}

// outerStack returns URSP and URBP.
func (f *frame) outerStack() (rsp, rbp uint64) {
	b := f.gprs()
	return binary.LittleEndian.Uint64(b[gprURSP:]), binary.LittleEndian.Uint64(b[gprURBP:])
}

// notifies reports whether the enclave asked for a notification on ERESUME.
func (f *frame) notifies() bool {
	return f.gprs()[isa.GPRSGXOffsetAEXNOTIFY]&isa.GPRSGX_AEXNOTIFY != 0
}

// read copies the XSAVE area from off on to b.
func (f *frame) read(off uint32, b []byte) {
	for len(b) > 0 {
		n := copy(b, f.xsave[off/isa.PageSize].bytes[off%isa.PageSize:])
		b, off = b[n:], off+uint32(n)
	}
}

// write copies b to the XSAVE area from off on.
func (f *frame) write(off uint32, b []byte) {
	for len(b) > 0 {
		n := copy(f.xsave[off/isa.PageSize].bytes[off%isa.PageSize:], b)
		b, off = b[n:], off+uint32(n)
	}
}

// clear zeroes n bytes of the XSAVE area from off on.
func (f *frame) clear(off, n uint32) {
	for n > 0 {
		m := min(n, isa.PageSize)
		f.write(off, zeroPage[:m])
		n, off = n-m, off+m
	}
}
