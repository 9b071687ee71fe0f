package cpu

import (
	"crypto/rand"
	"fmt"
	"io"

	"softsgx/isa"
)

const (
	defaultBase           isa.EPCAddr = 0x8_0000_0000
	defaultFeatureControl             = isa.FEATURE_CONTROL_LOCK | isa.FEATURE_CONTROL_SGX_LC | isa.FEATURE_CONTROL_SGX
)

// Config says what kind of processor New makes.
type Config struct {
	Base  isa.EPCAddr // physical address of the EPC, page aligned; 0 chooses one
	Pages int         // size of the EPC that CPUID reports
	// Elastic allows Grow: the EPC may become larger than CPUID says.
	Elastic bool

	// XLayout is the host's extended state: it decides which XFRM bits exist
	// and where their components lie in an SSA frame.
	XLayout isa.XLayout

	SGX2      bool // EAUG, EMODPR, EMODT, EACCEPT, EACCEPTCOPY, EMODPE
	KSS       bool // key separation and sharing
	EXINFO    bool // MISCSELECT[0]
	AEXNotify bool // ATTRIBUTES.AEXNOTIFY and EDECCSSA

	Root       [32]byte // the platform's secret, below all keys
	CPUSVN     [16]byte // current security version
	OwnerEpoch [16]byte // IA32_SGXOWNEREPOCH

	// Entropy feeds REPORT_KEYID and the paging key; nil means crypto/rand.
	Entropy io.Reader
	// FeatureControl is IA32_FEATURE_CONTROL as firmware left it. Zero means
	// locked, SGX enabled, launch control writable.
	FeatureControl uint64
	// EventPending reports whether an unmasked event waits, which makes EINIT
	// return SGX_UNMASKED_EVENT. Nil means never.
	EventPending func() bool
}

func (cfg *Config) complete() error {
	if cfg.Base == 0 {
		cfg.Base = defaultBase
	}
	if cfg.Base%isa.PageSize != 0 {
		return fmt.Errorf("cpu: EPC base %#x is not page aligned", uint64(cfg.Base))
	}
	if cfg.Pages <= 0 {
		return fmt.Errorf("cpu: EPC of %d pages", cfg.Pages)
	}
	if cfg.XLayout.XCR0&isa.XFRM_LEGACY != isa.XFRM_LEGACY {
		return fmt.Errorf("cpu: XCR0 %#x lacks x87 or SSE", cfg.XLayout.XCR0)
	}
	if cfg.Entropy == nil {
		cfg.Entropy = rand.Reader
	}
	if cfg.FeatureControl == 0 {
		cfg.FeatureControl = defaultFeatureControl
	}
	return nil
}
