package cpu

import (
	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// secs is the state of one enclave: the SECS and what hardware keeps in its
// reserved bytes (SDM vol. 3D, "SGX Enclave Control Structure"). Architectural
// fields change only at ECREATE and EINIT; the rest is guarded by CPU.mu.
type secs struct {
	isa.SECS
	ISVFAMILYID  [16]byte
	ISVEXTPRODID [16]byte

	eid      uint64
	page     isa.EPCAddr // where the SECS lies now
	children int         // valid child pages
	tcs      map[isa.EPCAddr]*tcs
	contents contents

	measuring   bool // meas resource held: the holder may use measurement
	measurement *sgxcrypto.Measurement

	tracking bool // track resource held
	epochs
}

func (s *secs) initialised() bool { return s.ATTRIBUTES.Has(isa.ATTR_INIT) }

// covers reports whether a is in ELRANGE.
func (s *secs) covers(a isa.LinAddr) bool { return uint64(a-s.BASEADDR) < s.SIZE }

// frameSize is the size of an SSA frame in bytes.
func (s *secs) frameSize() uint64 { return uint64(s.SSAFRAMESIZE) * isa.PageSize }

// parent returns the SECS in the page p for a leaf that shares it. c.mu is held
// and p is in the EPC.
func (c *CPU) parent(p isa.EPCAddr) (*secs, error) {
	e := c.entry(p)
	if !e.sharedFree() {
		return nil, isa.GPFault()
	}
	if !e.is(flagValid) || e.pt != isa.PT_SECS {
		return nil, epcFault(p)
	}
	return e.secs, nil
}
