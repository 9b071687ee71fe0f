package cpu

import "softsgx/isa"

// eresume takes up the thread that AEX interrupted on the TCS at RBX, or tells
// it about the interruption if it asked for that (SDM vol. 3D, "ERESUME").
func (lp *LP) eresume(ctx *Context) error {
	var x resuming
	if err := lp.enterOperands(ctx, &x.entering); err != nil { // 2..4
		return err
	}
	if err := lp.claim(ctx, &x.entering, interrupted); err != nil { // 5..18
		return err
	}
	lp.walkFrame(ctx, x.s, x.t, x.cssa-1, &lp.walked)
	if x.mayNotify && x.cssa < x.t.NSSA {
		lp.walkFrame(ctx, x.s, x.t, x.cssa, &lp.frame)
		x.second = true
	}
	if err := lp.eresumeCommit(ctx, &x); err != nil { // 19..25
		return err
	}
	if x.notify {
		return lp.notify(ctx, &x)
	}
	return lp.restore(ctx, &x)
}

// resuming is an ERESUME in progress. LP.walked is the frame to resume,
// LP.frame the one that a notified thread would use.
type resuming struct {
	entering
	second bool // LP.frame was walked
	notify bool
	saved  isa.GPRSGX
}

// interrupted reports whether there is a frame to resume.
func interrupted(t *tcs) bool { return t.CSSA > 0 }

func (lp *LP) eresumeCommit(ctx *Context, x *resuming) error {
	c := lp.cpu
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.release(&x.entering)
	if err := c.openFrame(x.s, &lp.walked); err != nil { // 19
		return err
	}
	x.notify = x.mayNotify && lp.walked.notifies() // 20
	if err := x.saved.UnmarshalBinary(lp.walked.gprs()); err != nil {
		return err
	}
	if x.notify {
		if !x.second { // 21
			return isa.GPFault()
		}
		if err := c.openFrame(x.s, &lp.frame); err != nil { // 22
			return err
		}
	}
	if !x.canonical() || !x.idle() { // 23, 24, 25
		return isa.GPFault()
	}
	lp.enter(x.s, x.t, ctx.Regs.RCX)
	return nil
}

func (x *resuming) canonical() bool {
	if x.notify {
		return x.startsCanonical()
	}
	return canonical(x.saved.RIP) && canonical(x.saved.FSBASE) && canonical(x.saved.GSBASE)
}

// notify starts the thread at OENTRY. CSSA stays, so it runs in a frame above
// the one that was interrupted.
func (lp *LP) notify(ctx *Context, x *resuming) error {
	if err := lp.enterVectors(ctx, x.s.ATTRIBUTES.XFRM); err != nil {
		lp.Abandon()
		return err
	}
	lp.begin(ctx.Regs, &x.entering, &lp.frame)
	return nil
}

// restore takes the thread up where it was interrupted.
func (lp *LP) restore(ctx *Context, x *resuming) error {
	if err := lp.resumeVectors(ctx, x.s.ATTRIBUTES.XFRM, &lp.walked); err != nil { // 27
		lp.Abandon()
		return err
	}
	lp.cpu.mu.Lock()
	x.t.CSSA--
	x.t.reflect()
	lp.cpu.mu.Unlock()
	lp.useFrame()
	lp.putAside(ctx.Regs)
	ctx.Regs.restore(&x.saved, lp.optIn)
	return nil
}

// restore loads the registers that AEX saved.
func (r *Regs) restore(g *isa.GPRSGX, optIn bool) {
	restored := arithmeticFlags | flagDF | flagNT | flagRF | flagAC | flagID
	if optIn {
		restored |= flagTF
	}
	*r = Regs{
		RAX: g.RAX, RBX: g.RBX, RCX: g.RCX, RDX: g.RDX, RSI: g.RSI, RDI: g.RDI, RBP: g.RBP, RSP: g.RSP,
		R8: g.R8, R9: g.R9, R10: g.R10, R11: g.R11, R12: g.R12, R13: g.R13, R14: g.R14, R15: g.R15,
		RIP: g.RIP, RFLAGS: r.RFLAGS&^restored | g.RFLAGS&restored,
		FSBase: g.FSBASE, GSBase: g.GSBASE,
	}
}
