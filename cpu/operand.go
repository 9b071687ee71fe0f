package cpu

import "softsgx/isa"

// own makes the checks of a leaf's operand inside the enclave after those of
// its alignment and range: the page walk, then a settled PT_REG page of this
// enclave with the rights. It returns the page's bytes from lin on.
func (lp *LP) own(ctx *Context, lin isa.LinAddr, rights isa.Access) ([]byte, error) {
	p, err := lp.translate(ctx, lin, rights)
	if err != nil {
		return nil, err
	}
	lp.cpu.mu.Lock()
	defer lp.cpu.mu.Unlock()
	e := lp.cpu.entry(p)
	if !e.owned(lp.secs, lin, rights) {
		return nil, isa.SGXPageFault(lin, rights)
	}
	return lp.secs.contents.bytes(p, e.addr)[lin%isa.PageSize:], nil
}

// translate returns the EPC page that lin is mapped to.
func (lp *LP) translate(ctx *Context, lin isa.LinAddr, a isa.Access) (isa.EPCAddr, error) {
	p, fault := ctx.Space.Translate(lin, a)
	if fault != nil {
		return 0, fault
	}
	if p == 0 || !lp.cpu.inEPC(p) {
		return 0, isa.SGXPageFault(lin, a)
	}
	return p &^ (isa.PageSize - 1), nil
}

// placed reports whether an operand of a leaf is aligned and in ELRANGE.
func (lp *LP) placed(lin isa.LinAddr, align uint64) bool {
	return aligned(lin, align) && lp.secs.covers(lin)
}

// ownSECINFO reads the SECINFO at lin inside the enclave.
func (lp *LP) ownSECINFO(ctx *Context, lin isa.LinAddr) (si isa.SECINFO, err error) {
	b, err := lp.own(ctx, lin, isa.Read)
	if err != nil {
		return si, err
	}
	return si, si.UnmarshalBinary(b)
}
