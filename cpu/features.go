package cpu

import "softsgx/isa"

// features are the enumerated limits of what an enclave may ask for (SDM vol.
// 3D, CPUID leaf 12H).
type features struct {
	flags      uint64 // ATTRIBUTES bits 63:0
	xfrm       uint64
	miscselect uint32
}

// Largest enclaves as powers of two, as on server parts: CPUID.(12H,0):EDX.
const (
	maxSize32 = 31
	maxSize64 = 56
)

const (
	baseAttributes = isa.ATTR_DEBUG | isa.ATTR_MODE64BIT | isa.ATTR_PROVISIONKEY | isa.ATTR_EINITTOKEN_KEY
	knownXFRM      = isa.XFRM_LEGACY | isa.XFRM_AVX | isa.XFRM_BNDREGS | isa.XFRM_BNDCSR | xfrmAVX512 |
		isa.XFRM_PKRU | xfrmAMX

	xfrmMPX    = isa.XFRM_BNDREGS | isa.XFRM_BNDCSR
	xfrmAVX512 = isa.XFRM_OPMASK | isa.XFRM_ZMM_Hi256 | isa.XFRM_Hi16_ZMM
	xfrmAMX    = isa.XFRM_TILECFG | isa.XFRM_TILEDATA
)

func (cfg *Config) features() features {
	f := features{flags: baseAttributes, xfrm: cfg.XLayout.XCR0 & knownXFRM}
	if cfg.KSS {
		f.flags |= isa.ATTR_KSS
	}
	if cfg.AEXNotify {
		f.flags |= isa.ATTR_AEXNOTIFY
	}
	if cfg.EXINFO {
		f.miscselect |= isa.MISC_EXINFO
	}
	return f
}

// legalXFRM reports whether XSETBV would accept x here (SDM vol. 1, "Enabling
// the XSAVE Feature Set"; vol. 3D, "ECREATE").
func (f *features) legalXFRM(x uint64) bool {
	together := func(bits uint64) bool { return x&bits == 0 || x&bits == bits }
	return x&^f.xfrm == 0 && x&isa.XFRM_LEGACY == isa.XFRM_LEGACY &&
		together(xfrmMPX) && together(xfrmAVX512) && together(xfrmAMX) &&
		(x&xfrmAVX512 == 0 || x&isa.XFRM_AVX != 0)
}
