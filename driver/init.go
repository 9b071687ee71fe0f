package driver

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"softsgx/isa"
	"softsgx/uapi"
)

// How often EINIT is tried while events keep interrupting it (Linux 6.1
// sgx/sgx.h, SGX_EINIT_*).
const (
	einitRounds   = 50
	einitAttempts = 20 // per round
	einitSleep    = 20 * time.Millisecond
)

// initialize is SGX_IOC_ENCLAVE_INIT (Linux 6.1 sgx/ioctl.c sgx_ioc_enclave_init). After
// any failure the enclave is still CREATED.
func (e *Enclave) initialize(c Caller, arg uapi.UserPtr) error {
	if !e.building() {
		return uapi.EINVAL
	}
	var a uapi.EnclaveInit
	if err := copyIn(c, arg, uapi.EnclaveInitSize, &a); err != nil {
		return err
	}
	image := make([]byte, isa.SIGSTRUCTSize)
	if c.CopyIn(a.SIGSTRUCT, image) != nil {
		return uapi.EFAULT
	}
	var s isa.SIGSTRUCT
	if err := s.UnmarshalBinary(image); err != nil {
		return err
	}
	if s.VENDOR != isa.VENDOR_OTHER && s.VENDOR != isa.VENDOR_INTEL {
		return uapi.EINVAL
	}
	signer := sha256.Sum256(s.MODULUS[:])
	if err := e.checkSIGSTRUCT(&s, e.claimed(c, &s, signer)); err != nil {
		return err
	}
	if err := e.mayInit(c, &s, signer, image); err != nil {
		return err
	}
	if err := e.einit(c, image, signer); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.initialized = true
	e.identity = Identity{
		MRENCLAVE: s.ENCLAVEHASH, MRSIGNER: signer, ISVPRODID: s.ISVPRODID, ISVSVN: s.ISVSVN, ATTRIBUTES: e.attributes,
	}
	return nil
}

// checkSIGSTRUCT refuses attributes that nobody granted and, of the values that
// the signer enforces, those that this platform lacks (Linux 6.1 sgx/ioctl.c
// sgx_encl_init). That SECS and SIGSTRUCT agree is EINIT's business.
// claimed are attributes granted for this attempt only.
func (e *Enclave) checkSIGSTRUCT(s *isa.SIGSTRUCT, claimed uint64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.attributes&^(e.permitted|claimed) != 0 {
		return uapi.EACCES
	}
	enforced := s.ATTRIBUTES.And(s.ATTRIBUTEMASK)
	p := &e.d.platform
	switch {
	case enforced.Flags&p.reserved.Flags != 0:
		return uapi.EINVAL
	case s.MISCSELECT&s.MISCMASK&p.misc != 0:
		return uapi.EINVAL
	case enforced.XFRM&p.reserved.XFRM != 0:
		return uapi.EINVAL
	}
	return nil
}

// AttributeGranter is a Hooks that grants attributes to identities. What it grants to
// a claimed identity counts only if EnclaveInit then allows the verified one.
type AttributeGranter interface {
	// Claimed returns the ATTRIBUTES.FLAGS that the identity in the event would get.
	Claimed(*InitEvent) uint64
}

// claimed are the attributes that policy grants to the identity in the SIGSTRUCT.
// Without a CPU that can verify it there are none.
func (e *Enclave) claimed(c Caller, s *isa.SIGSTRUCT, signer [32]byte) uint64 {
	g, ok := e.d.cfg.Hooks.(AttributeGranter)
	if _, verifies := e.d.cfg.CPU.(EINITChecker); !ok || !verifies {
		return 0
	}
	return g.Claimed(&InitEvent{Enclave: e, Caller: c, SIGSTRUCT: s, MRSIGNER: signer, ATTRIBUTES: e.attributes})
}

// mayInit asks the hooks. Where the CPU can say that EINIT is going to fail, nobody
// is asked: that is no matter of policy.
func (e *Enclave) mayInit(c Caller, s *isa.SIGSTRUCT, signer [32]byte, image []byte) error {
	h := e.d.cfg.Hooks
	if h == nil {
		return nil
	}
	verified := false
	if v, ok := e.d.cfg.CPU.(EINITChecker); ok {
		if e.d.withSigner(signer, func(token isa.Operand) error {
			return v.CheckEINIT(operand(image), e.secs.addr(), token)
		}) != nil {
			return nil
		}
		verified = true
	}
	return denied(h.EnclaveInit(&InitEvent{
		Enclave: e, Caller: c, SIGSTRUCT: s, MRSIGNER: signer, ATTRIBUTES: e.attributes, Verified: verified,
	}))
}

// einit tries EINIT until no event interrupts it.
func (e *Enclave) einit(c Caller, sigstruct []byte, signer [32]byte) error {
	err := error(isa.SGX_UNMASKED_EVENT)
	for round := 0; round < einitRounds; round++ {
		for try := 0; try < einitAttempts && errors.Is(err, isa.SGX_UNMASKED_EVENT); try++ {
			err = e.d.einit(sigstruct, e.secs.addr(), signer)
		}
		if !errors.Is(err, isa.SGX_UNMASKED_EVENT) {
			break
		}
		e.d.cfg.Sleep(einitSleep)
		if c.SignalPending() {
			return uapi.ERESTARTSYS
		}
	}
	return refused(isa.EINIT, err)
}

// einit initializes the enclave.
func (d *Driver) einit(sigstruct []byte, secs isa.EPCAddr, signer [32]byte) error {
	return d.withSigner(signer, func(token isa.Operand) error {
		return d.cfg.CPU.EINIT(operand(sigstruct), secs, token)
	})
}

// withSigner makes the signer the launch signer and calls f with a zero token: that
// pair is what makes launch control invisible (Linux 6.1 sgx/main.c
// sgx_update_lepubkeyhash). The registers are written every time, because every
// EINIT of every enclave changes them.
func (d *Driver) withSigner(signer [32]byte, f func(token isa.Operand) error) error {
	d.launch.Lock()
	defer d.launch.Unlock()
	for i := range isa.SGXLEPUBKEYHASHCount {
		if err := d.cfg.CPU.WRMSRLEPubKeyHash(i, binary.LittleEndian.Uint64(signer[8*i:])); err != nil {
			return err
		}
	}
	return f(isa.Operand{Addr: kernelToken, Bytes: make([]byte, isa.EINITTOKENSize)})
}
