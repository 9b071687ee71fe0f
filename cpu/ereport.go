package cpu

import (
	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// ereport writes to RDX a report about this enclave, with the data at RCX, that
// the enclave named by the TARGETINFO at RBX can verify (SDM vol. 3D,
// "EREPORT").
func (lp *LP) ereport(ctx *Context) error {
	target, err := lp.targetinfo(ctx, isa.LinAddr(ctx.Regs.RBX)) // 1, 2
	if err != nil {
		return err
	}
	data, err := lp.alignedOperand(ctx, isa.LinAddr(ctx.Regs.RCX), isa.REPORTDATAAlign, isa.Read) // 3
	if err != nil {
		return err
	}
	out, err := lp.alignedOperand(ctx, isa.LinAddr(ctx.Regs.RDX), isa.REPORTAlign, isa.Write) // 4
	if err != nil {
		return err
	}
	r := lp.cpu.report(lp.secs)
	copy(r.REPORTDATA[:], data)
	b, err := r.MarshalBinary()
	if err != nil {
		return err
	}
	r.MAC = sgxcrypto.CMAC(lp.cpu.reportKey(target, r.KEYID), b[:isa.REPORTBodySize])
	copy(b[isa.REPORTSize-sgxcrypto.MACSize:], r.MAC[:])
	copy(out, b)
	return nil
}

// alignedOperand makes all checks of an operand that a leaf of the enclave names.
func (lp *LP) alignedOperand(ctx *Context, lin isa.LinAddr, align uint64, rights isa.Access) ([]byte, error) {
	if !lp.placed(lin, align) {
		return nil, isa.GPFault()
	}
	return lp.own(ctx, lin, rights)
}

func (lp *LP) targetinfo(ctx *Context, lin isa.LinAddr) (*isa.TARGETINFO, error) {
	b, err := lp.alignedOperand(ctx, lin, isa.TARGETINFOAlign, isa.Read)
	if err != nil {
		return nil, err
	}
	t := new(isa.TARGETINFO)
	if err := t.UnmarshalBinary(b); err != nil {
		return nil, err
	}
	if !t.ReservedZero() {
		return nil, isa.GPFault()
	}
	return t, nil
}

// report returns what can be said about an enclave.
func (c *CPU) report(s *secs) isa.REPORT {
	return isa.REPORT{
		CPUSVN:       c.cfg.CPUSVN,
		MISCSELECT:   s.MISCSELECT,
		ISVEXTPRODID: s.ISVEXTPRODID,
		ATTRIBUTES:   s.ATTRIBUTES,
		MRENCLAVE:    s.MRENCLAVE,
		MRSIGNER:     s.MRSIGNER,
		CONFIGID:     s.CONFIGID,
		ISVPRODID:    s.ISVPRODID,
		ISVSVN:       s.ISVSVN,
		CONFIGSVN:    s.CONFIGSVN,
		ISVFAMILYID:  s.ISVFAMILYID,
		KEYID:        c.reportKeyID,
	}
}
