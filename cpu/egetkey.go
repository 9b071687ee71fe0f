package cpu

import (
	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// egetkey derives the key that the KEYREQUEST at RBX asks for and writes it to
// RCX (SDM vol. 3D, "EGETKEY").
func (lp *LP) egetkey(ctx *Context) error {
	in, err := lp.alignedOperand(ctx, isa.LinAddr(ctx.Regs.RBX), isa.KEYREQUESTAlign, isa.Read) // 1, 2
	if err != nil {
		return err
	}
	out, err := lp.alignedOperand(ctx, isa.LinAddr(ctx.Regs.RCX), isa.OutputKeyAlign, isa.Write) // 3, 4
	if err != nil {
		return err
	}
	var req isa.KEYREQUEST
	if err := req.UnmarshalBinary(in); err != nil {
		return err
	}
	if !req.ReservedZero() { // 5
		return isa.GPFault()
	}
	if !lp.secs.ATTRIBUTES.Has(isa.ATTR_KSS) && (req.KEYPOLICY&isa.KEYPOLICY_KSS != 0 || req.CONFIGSVN > 0) { // 6
		return isa.GPFault()
	}
	if err := lp.cpu.entitled(lp.secs, &req); err != nil { // 7..11
		return err
	}
	key := lp.cpu.key(lp.secs, &req)
	copy(out, key[:])
	return nil
}

// entitled reports whether the enclave may have the key. The manual lets these
// tests come in any order.
func (c *CPU) entitled(s *secs, req *isa.KEYREQUEST) error {
	var need uint64
	switch req.KEYNAME {
	case isa.KEYNAME_PROVISION, isa.KEYNAME_PROVISION_SEAL:
		need = isa.ATTR_PROVISIONKEY
	case isa.KEYNAME_EINITTOKEN:
		need = isa.ATTR_EINITTOKEN_KEY
	case isa.KEYNAME_REPORT:
		return nil
	case isa.KEYNAME_SEAL:
	default: // 7
		return isa.SGX_INVALID_KEYNAME
	}
	if !s.ATTRIBUTES.Has(need) { // 8
		return isa.SGX_INVALID_ATTRIBUTE
	}
	if !c.reached(req.CPUSVN) { // 9
		return isa.SGX_INVALID_CPUSVN
	}
	seals := req.KEYNAME == isa.KEYNAME_SEAL || req.KEYNAME == isa.KEYNAME_PROVISION_SEAL
	if req.ISVSVN > s.ISVSVN || seals && req.CONFIGSVN > s.CONFIGSVN { // 10, 11
		return isa.SGX_INVALID_ISVSVN
	}
	return nil
}

// key derives a key that the enclave is entitled to.
func (c *CPU) key(s *secs, req *isa.KEYREQUEST) [16]byte {
	if req.KEYNAME == isa.KEYNAME_REPORT {
		return c.reportKey(s.targetinfo(), req.KEYID)
	}
	d := newDerivation(s, req)
	switch req.KEYNAME {
	case isa.KEYNAME_EINITTOKEN:
		d.ISVPRODID, d.MRSIGNER = s.ISVPRODID, s.MRSIGNER
		d.KEYID, d.OWNEREPOCH, d.SEAL_FUSES = req.KEYID, c.cfg.OwnerEpoch, c.fuses
	case isa.KEYNAME_PROVISION:
		d.ISVPRODID, d.MRSIGNER = s.ISVPRODID, s.MRSIGNER
		d.bindMasks()
	case isa.KEYNAME_PROVISION_SEAL:
		d.MRSIGNER = s.MRSIGNER
		d.SEAL_FUSES = c.fuses
		d.bindMasks()
		d.bindPolicy()
	case isa.KEYNAME_SEAL:
		d.KEYID, d.OWNEREPOCH, d.SEAL_FUSES = req.KEYID, c.cfg.OwnerEpoch, c.fuses
		d.bindMasks()
		d.bindPolicy()
		d.bindIdentity()
	}
	return c.root.DeriveKey(&d.KeyDependencies)
}

// derivation collects what a key depends on (SDM vol. 3D, "EGETKEY", the table
// of key derivation).
type derivation struct {
	sgxcrypto.KeyDependencies
	s   *secs
	req *isa.KEYREQUEST
}

// newDerivation begins with what all keys but REPORT depend on. INIT and DEBUG
// are always part of a key.
func newDerivation(s *secs, req *isa.KEYREQUEST) *derivation {
	mask := req.ATTRIBUTEMASK
	mask.Flags |= isa.ATTR_INIT | isa.ATTR_DEBUG
	return &derivation{s: s, req: req, KeyDependencies: sgxcrypto.KeyDependencies{
		KEYNAME:    req.KEYNAME,
		CPUSVN:     req.CPUSVN,
		ISVSVN:     req.ISVSVN,
		ATTRIBUTES: s.ATTRIBUTES.And(mask),
		MISCSELECT: s.MISCSELECT & req.MISCMASK,
	}}
}

func (d *derivation) bindMasks() {
	d.ATTRIBUTESMASK = d.req.ATTRIBUTEMASK
	d.MISCMASK = ^d.req.MISCMASK
}

// bindPolicy binds what both sealing keys let KEYPOLICY choose.
func (d *derivation) bindPolicy() {
	policy := d.req.KEYPOLICY
	d.KEYPOLICY = policy
	if policy&isa.KEYPOLICY_NOISVPRODID == 0 {
		d.ISVPRODID = d.s.ISVPRODID
	}
	if policy&isa.KEYPOLICY_CONFIGID != 0 {
		d.CONFIGID, d.CONFIGSVN = d.s.CONFIGID, d.req.CONFIGSVN
	}
	if policy&isa.KEYPOLICY_ISVFAMILYID != 0 {
		d.ISVFAMILYID = d.s.ISVFAMILYID
	}
	if policy&isa.KEYPOLICY_ISVEXTPRODID != 0 {
		d.ISVEXTPRODID = d.s.ISVEXTPRODID
	}
}

// bindIdentity binds what the SEAL key lets KEYPOLICY choose besides.
func (d *derivation) bindIdentity() {
	if d.req.KEYPOLICY&isa.KEYPOLICY_MRENCLAVE != 0 {
		d.MRENCLAVE = d.s.MRENCLAVE
	}
	if d.req.KEYPOLICY&isa.KEYPOLICY_MRSIGNER != 0 {
		d.MRSIGNER = d.s.MRSIGNER
	}
}

// targetinfo returns what another enclave would name this one by.
func (s *secs) targetinfo() *isa.TARGETINFO {
	return &isa.TARGETINFO{
		MEASUREMENT: s.MRENCLAVE,
		ATTRIBUTES:  s.ATTRIBUTES,
		CONFIGSVN:   s.CONFIGSVN,
		MISCSELECT:  s.MISCSELECT,
		CONFIGID:    s.CONFIGID,
	}
}
