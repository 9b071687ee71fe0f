package cpu

import (
	"encoding/binary"

	"softsgx/isa"
)

// lePubKeyHashEnd follows IA32_SGXLEPUBKEYHASH3.
const lePubKeyHashEnd = isa.IA32_SGXLEPUBKEYHASH0 + isa.SGXLEPUBKEYHASHCount

// RDMSR returns the value of an MSR that SGX defines; others raise #GP.
func (c *CPU) RDMSR(msr uint32) (uint64, error) {
	switch {
	case msr == isa.IA32_FEATURE_CONTROL:
		return c.cfg.FeatureControl, nil
	case msr >= isa.IA32_SGXLEPUBKEYHASH0 && msr < lePubKeyHashEnd:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.pubKey[msr-isa.IA32_SGXLEPUBKEYHASH0], nil
	}
	return 0, isa.GPFault()
}

// WRMSR writes an MSR that SGX defines. IA32_FEATURE_CONTROL is locked before
// software of ours runs, so writing it raises #GP.
func (c *CPU) WRMSR(msr uint32, v uint64) error {
	if msr >= isa.IA32_SGXLEPUBKEYHASH0 && msr < lePubKeyHashEnd {
		return c.WRMSRLEPubKeyHash(int(msr-isa.IA32_SGXLEPUBKEYHASH0), v)
	}
	return isa.GPFault()
}

// WRMSRLEPubKeyHash writes IA32_SGXLEPUBKEYHASHi, i from 0 to 3 (SDM vol. 3D,
// "Launch Control Configuration"). The four MSRs are one set for the whole
// package here: between writing them and EINIT nobody else may write.
func (c *CPU) WRMSRLEPubKeyHash(i int, v uint64) error {
	const on = isa.FEATURE_CONTROL_LOCK | isa.FEATURE_CONTROL_SGX_LC
	if c.cfg.FeatureControl&on != on || i < 0 || i >= isa.SGXLEPUBKEYHASHCount {
		return isa.GPFault()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pubKey[i] = v
	return nil
}

// lePubKeyHash returns the MSRs as the bytes of an MRSIGNER.
func (c *CPU) lePubKeyHash() (h [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, v := range c.pubKey {
		binary.LittleEndian.PutUint64(h[8*i:], v)
	}
	return h
}
