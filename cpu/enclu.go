package cpu

import "softsgx/isa"

// ENCLU executes the leaf in EAX. RIP points at the instruction; when it
// completes, RIP and the other registers are as it leaves them, including a
// code in RAX. On an *isa.Fault, or if extended state cannot be moved, nothing
// has changed (SDM vol. 3D, "ENCLU").
func (lp *LP) ENCLU(ctx *Context) error {
	lp.leaf.Store(true)
	defer lp.leaf.Store(false)
	leaf := isa.Leaf(ctx.Regs.RAX)
	if err := lp.admit(leaf); err != nil {
		return err
	}
	switch leaf {
	case isa.EENTER:
		return lp.eenter(ctx)
	case isa.ERESUME:
		return lp.eresume(ctx)
	case isa.EEXIT:
		return lp.eexit(ctx)
	case isa.EREPORT:
		return silent(ctx.Regs, lp.ereport(ctx))
	case isa.EMODPE:
		return silent(ctx.Regs, lp.emodpe(ctx))
	case isa.EDECCSSA:
		return silent(ctx.Regs, lp.edeccssa(ctx))
	case isa.EGETKEY:
		return coded(ctx.Regs, lp.egetkey(ctx))
	case isa.EACCEPT:
		return coded(ctx.Regs, lp.eaccept(ctx))
	case isa.EACCEPTCOPY:
		return coded(ctx.Regs, lp.eacceptcopy(ctx))
	}
	return isa.GPFault()
}

// admit makes the checks that come before any leaf's own.
func (lp *LP) admit(leaf isa.Leaf) error {
	if err := lp.cpu.gate(); err != nil {
		return err
	}
	switch leaf {
	case isa.EENTER, isa.ERESUME:
		if lp.secs != nil {
			return isa.GPFault()
		}
		return nil
	case isa.EACCEPT, isa.EMODPE, isa.EACCEPTCOPY:
		if !lp.cpu.cfg.SGX2 {
			return isa.GPFault()
		}
	case isa.EDECCSSA:
		if !lp.cpu.cfg.AEXNotify {
			return isa.GPFault()
		}
	}
	if lp.secs == nil {
		return isa.GPFault()
	}
	return nil
}

// silent completes a leaf that returns no code and no flags.
func silent(r *Regs, err error) error {
	if err == nil {
		r.RIP += isa.ENCLULength
	}
	return err
}

// coded completes a leaf that returns a code in RAX and says in ZF whether it
// is an error.
func coded(r *Regs, err error) error {
	code, ok := err.(isa.Code)
	if err != nil && !ok {
		return err
	}
	r.RAX = uint64(code)
	r.RFLAGS &^= arithmeticFlags
	if code != isa.SGX_SUCCESS {
		r.RFLAGS |= flagZF
	}
	r.RIP += isa.ENCLULength
	return nil
}
