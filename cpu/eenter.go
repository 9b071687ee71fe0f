package cpu

import "softsgx/isa"

// eenter enters the enclave on the TCS at RBX, with RCX as the AEP (SDM vol.
// 3D, "EENTER").
func (lp *LP) eenter(ctx *Context) error {
	var x entering
	if err := lp.enterOperands(ctx, &x); err != nil { // 2..4
		return err
	}
	if err := lp.claim(ctx, &x, frameLeft); err != nil { // 5..18
		return err
	}
	lp.walkFrame(ctx, x.s, x.t, x.cssa, &lp.walked)
	if err := lp.eenterCommit(ctx, &x); err != nil { // 19..23
		return err
	}
	if err := lp.enterVectors(ctx, x.s.ATTRIBUTES.XFRM); err != nil {
		lp.Abandon()
		return err
	}
	lp.useFrame()
	lp.begin(ctx.Regs, &x, &lp.frame)
	return nil
}

// frameLeft reports whether t has an SSA frame for the next AEX.
func frameLeft(t *tcs) bool { return t.CSSA < t.NSSA }

func (lp *LP) eenterCommit(ctx *Context, x *entering) error {
	c := lp.cpu
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.release(x)
	if err := c.openFrame(x.s, &lp.walked); err != nil { // 19, 20
		return err
	}
	if !x.startsCanonical() || !x.idle() { // 21, 22, 23
		return isa.GPFault()
	}
	lp.enter(x.s, x.t, ctx.Regs.RCX)
	return nil
}
