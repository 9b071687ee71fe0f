package cpu

import (
	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// EINIT makes the enclave ready for execution if its author signed it and
// launch control allows it (SDM vol. 3D, "EINIT").
func (c *CPU) EINIT(sigstruct isa.Operand, secs isa.EPCAddr, token isa.Operand) error {
	return c.einit(sigstruct, secs, token, true)
}

// CheckEINIT returns what EINIT would return now and changes nothing. The identity in
// a SIGSTRUCT that passes is genuine.
func (c *CPU) CheckEINIT(sigstruct isa.Operand, secs isa.EPCAddr, token isa.Operand) error {
	return c.einit(sigstruct, secs, token, false)
}

func (c *CPU) einit(sigstruct isa.Operand, secs isa.EPCAddr, token isa.Operand, commit bool) error {
	if err := c.gate(); err != nil {
		return err
	}
	var x einit
	if err := c.einitOperands(sigstruct, secs, token, &x); err != nil { // 1..5
		return err
	}
	if err := c.einitBegin(secs, &x); err != nil { // 6..10
		return err
	}
	err := c.einitDecide(&x) // 11..22
	c.einitEnd(&x, err == nil && commit)
	return err
}

// einit is one EINIT in progress.
type einit struct {
	sig   isa.SIGSTRUCT
	token isa.EINITTOKEN
	mac   []byte // what the token's MAC covers
	s     *secs

	mrenclave, mrsigner [32]byte
}

func (c *CPU) einitOperands(sigstruct isa.Operand, secs isa.EPCAddr, token isa.Operand, x *einit) error {
	if !aligned(sigstruct.Addr, isa.SIGSTRUCTAlign) || !aligned(secs, isa.PageSize) || !aligned(token.Addr, isa.EINITTOKENAlign) { // 1
		return isa.GPFault()
	}
	if !c.inEPC(secs) { // 2
		return epcFault(secs)
	}
	if x.sig.UnmarshalBinary(sigstruct.Bytes) != nil {
		return operandFault(sigstruct)
	}
	if x.token.UnmarshalBinary(token.Bytes) != nil {
		return operandFault(token)
	}
	x.mac = append([]byte(nil), token.Bytes[:isa.EINITTOKENMACSize]...)
	if !x.sig.WellFormed() { // 3
		return isa.SGX_INVALID_SIG_STRUCT
	}
	if c.cfg.EventPending != nil && c.cfg.EventPending() { // 4
		return isa.SGX_UNMASKED_EVENT
	}
	if sgxcrypto.VerifySIGSTRUCT(&x.sig) != nil { // 5
		return isa.SGX_INVALID_SIGNATURE
	}
	x.mrsigner = sgxcrypto.MRSIGNER(&x.sig.MODULUS)
	return nil
}

func (c *CPU) einitBegin(secs isa.EPCAddr, x *einit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.parent(secs) // 6, 7
	if err != nil {
		return err
	}
	if !s.ATTRIBUTES.Has(isa.ATTR_KSS) && (x.sig.ISVFAMILYID != [16]byte{} || x.sig.ISVEXTPRODID != [16]byte{}) { // 8
		return isa.SGX_INVALID_SIG_STRUCT
	}
	if s.measuring || s.initialised() { // 9, 10
		return isa.GPFault()
	}
	c.entry(secs).lockShared()
	s.measuring = true
	x.s = s
	return nil
}

// einitDecide compares what was built with what was signed and allowed.
func (c *CPU) einitDecide(x *einit) error {
	x.mrenclave = x.s.measurement.Sum()
	if x.sig.ENCLAVEHASH != x.mrenclave { // 11
		return isa.SGX_INVALID_MEASUREMENT
	}
	owner := c.lePubKeyHash()
	if x.s.ATTRIBUTES.Has(isa.ATTR_EINITTOKEN_KEY) && x.mrsigner != owner { // 12
		return isa.SGX_INVALID_ATTRIBUTE
	}
	if !x.matches() { // 13, 14
		return isa.SGX_INVALID_ATTRIBUTE
	}
	if x.token.VALID&isa.EINITTOKEN_VALID == 0 { // 16
		if x.mrsigner != owner {
			return isa.SGX_INVALID_EINITTOKEN
		}
		return nil
	}
	return c.checkToken(x, owner) // 17..22
}

// matches compares ATTRIBUTES and MISCSELECT under the masks of the SIGSTRUCT.
func (x *einit) matches() bool {
	diff := isa.ATTRIBUTES{
		Flags: x.s.ATTRIBUTES.Flags ^ x.sig.ATTRIBUTES.Flags,
		XFRM:  x.s.ATTRIBUTES.XFRM ^ x.sig.ATTRIBUTES.XFRM,
	}
	return diff.And(x.sig.ATTRIBUTEMASK) == isa.ATTRIBUTES{} &&
		(x.s.MISCSELECT^x.sig.MISCSELECT)&x.sig.MISCMASK == 0
}

func (c *CPU) checkToken(x *einit, owner [32]byte) error {
	t := &x.token
	if t.MASKEDATTRIBUTESLE.Has(isa.ATTR_DEBUG) && !x.s.ATTRIBUTES.Has(isa.ATTR_DEBUG) || !t.ReservedZero() { // 17, 18
		return isa.SGX_INVALID_EINITTOKEN
	}
	if !c.reached(t.CPUSVNLE) { // 19
		return isa.SGX_INVALID_CPUSVN
	}
	if !sgxcrypto.EqualMAC(sgxcrypto.CMAC(c.launchKey(t, owner), x.mac), t.MAC) { // 20
		return isa.SGX_INVALID_EINITTOKEN
	}
	if t.MRENCLAVE != x.mrenclave || t.MRSIGNER != x.mrsigner { // 21
		return isa.SGX_INVALID_MEASUREMENT
	}
	if t.ATTRIBUTES != x.s.ATTRIBUTES { // 22
		return isa.SGX_INVALID_ATTRIBUTE
	}
	return nil
}

func (c *CPU) einitEnd(x *einit, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := x.s
	s.measuring = false
	c.entry(s.page).unlockShared()
	if !ok {
		return
	}
	s.MRENCLAVE, s.MRSIGNER = x.mrenclave, x.mrsigner
	s.ISVPRODID, s.ISVSVN = x.sig.ISVPRODID, x.sig.ISVSVN
	s.ISVFAMILYID, s.ISVEXTPRODID = x.sig.ISVFAMILYID, x.sig.ISVEXTPRODID
	s.ATTRIBUTES.Flags |= isa.ATTR_INIT
	s.measurement = nil
}
