package cpu

import (
	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// reached reports whether the processor's security version is at least svn:
// CPUSVN is sixteen components, each of which must not be above the current one.
func (c *CPU) reached(svn [16]byte) bool {
	for i, v := range svn {
		if v > c.cfg.CPUSVN[i] {
			return false
		}
	}
	return true
}

// reportKey returns the key with which reports to a target are MACed (SDM vol.
// 3D, "EREPORT").
func (c *CPU) reportKey(t *isa.TARGETINFO, keyID [32]byte) [16]byte {
	return c.root.DeriveKey(&sgxcrypto.KeyDependencies{
		KEYNAME:    isa.KEYNAME_REPORT,
		ATTRIBUTES: t.ATTRIBUTES,
		MRENCLAVE:  t.MEASUREMENT,
		MISCSELECT: t.MISCSELECT,
		CONFIGID:   t.CONFIGID,
		CONFIGSVN:  t.CONFIGSVN,
		CPUSVN:     c.cfg.CPUSVN,
		KEYID:      keyID,
		OWNEREPOCH: c.cfg.OwnerEpoch,
		SEAL_FUSES: c.fuses,
	})
}

// launchKey returns the key with which the launch enclave that owns the launch
// control MSRs MACed a token (SDM vol. 3D, "EINIT").
func (c *CPU) launchKey(t *isa.EINITTOKEN, owner [32]byte) [16]byte {
	return c.root.DeriveKey(&sgxcrypto.KeyDependencies{
		KEYNAME:    isa.KEYNAME_EINITTOKEN,
		CPUSVN:     t.CPUSVNLE,
		ISVSVN:     t.ISVSVNLE,
		ISVPRODID:  t.ISVPRODIDLE,
		ATTRIBUTES: t.MASKEDATTRIBUTESLE,
		MISCSELECT: t.MASKEDMISCSELECTLE,
		MRSIGNER:   owner,
		KEYID:      t.KEYID,
		OWNEREPOCH: c.cfg.OwnerEpoch,
		SEAL_FUSES: c.fuses,
	})
}
