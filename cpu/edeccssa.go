package cpu

import "softsgx/isa"

// edeccssa makes the frame below the current one current (SDM vol. 3D,
// "EDECCSSA").
func (lp *LP) edeccssa(ctx *Context) error {
	c, t := lp.cpu, lp.tcs
	if t.CSSA == 0 { // 1; while it is active, only its own thread changes it
		return isa.GPFault()
	}
	lp.walkFrame(ctx, lp.secs, t, t.CSSA-1, &lp.walked)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.openFrame(lp.secs, &lp.walked); err != nil { // 2
		return err
	}
	t.CSSA--
	t.reflect()
	lp.useFrame()
	return nil
}
