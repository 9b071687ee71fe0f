package cpu

import "softsgx/isa"

// eexit leaves the enclave for RBX (SDM vol. 3D, "EEXIT").
func (lp *LP) eexit(ctx *Context) error {
	r := ctx.Regs
	if !canonical(r.RBX) {
		return isa.GPFault()
	}
	if err := lp.exitVectors(ctx, lp.secs.ATTRIBUTES.XFRM); err != nil {
		return err
	}
	lp.cpu.mu.Lock()
	r.RCX = lp.tcs.AEP
	lp.leave()
	lp.cpu.mu.Unlock()
	r.RIP = r.RBX
	lp.bringBack(r)
	return nil
}
