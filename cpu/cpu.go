package cpu

import (
	"fmt"
	"io"
	"sync"

	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// CPU is one SGX processor package: its EPC, its keys and its launch-control
// MSRs. Threads run on it as logical processors (LP). All methods may be called
// from any goroutine.
type CPU struct {
	cfg    Config
	offers features

	root        *sgxcrypto.RootKey
	fuses       [16]byte
	reportKeyID [32]byte
	paging      *sgxcrypto.PagingKey

	mu       sync.Mutex
	sections []Section
	pages    uint64                           // size of the EPC over all sections, which adjoin
	chunks   []*epcmChunk                     // EPCM, allocated as it is touched
	va       map[uint64]*vaPage               // contents of PT_VA pages by page index
	evicted  map[uint64]*secs                 // SECSs that EWB evicted, by version
	eid      uint64                           // last enclave identifier given out
	version  uint64                           // last version that EWB gave out
	pubKey   [isa.SGXLEPUBKEYHASHCount]uint64 // IA32_SGXLEPUBKEYHASH
}

// Section is a contiguous part of the EPC (SDM vol. 3D, CPUID leaf 12H,
// subleaves 2 and up).
type Section struct {
	Base  isa.EPCAddr
	Pages int
}

// New returns a processor after reset.
func New(cfg Config) (*CPU, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	c := &CPU{
		cfg:     cfg,
		offers:  cfg.features(),
		root:    sgxcrypto.NewRootKey(cfg.Root),
		va:      make(map[uint64]*vaPage),
		evicted: make(map[uint64]*secs),
		pubKey:  isa.SGXLEPUBKEYHASHReset,
	}
	if _, err := io.ReadFull(cfg.Entropy, c.reportKeyID[:]); err != nil {
		return nil, fmt.Errorf("cpu: REPORT_KEYID: %w", err)
	}
	var pagingKey [16]byte
	if _, err := io.ReadFull(cfg.Entropy, pagingKey[:]); err != nil {
		return nil, fmt.Errorf("cpu: paging key: %w", err)
	}
	c.paging = sgxcrypto.NewPagingKey(pagingKey)
	c.fuses = c.root.SealFuses()
	c.addSection(cfg.Pages)
	return c, nil
}

// Sections returns the EPC as it is now. Sections adjoin each other.
func (c *CPU) Sections() []Section {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Section(nil), c.sections...)
}

// Grow adds a section of the given number of pages. Without Config.Elastic it
// does nothing.
func (c *CPU) Grow(pages int) {
	if !c.cfg.Elastic || pages <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addSection(pages)
}

func (c *CPU) addSection(pages int) {
	base := c.cfg.Base + isa.EPCAddr(c.pages*isa.PageSize)
	c.sections = append(c.sections, Section{base, pages})
	c.pages += uint64(pages)
	n := (c.pages + chunkPages - 1) / chunkPages
	for uint64(len(c.chunks)) < n {
		c.chunks = append(c.chunks, nil)
	}
}

// gate is what every leaf asks first: has firmware enabled SGX (SDM vol. 3D,
// "ENCLS", "ENCLU")?
func (c *CPU) gate() error {
	const on = isa.FEATURE_CONTROL_LOCK | isa.FEATURE_CONTROL_SGX
	if c.cfg.FeatureControl&on != on {
		return isa.GPFault()
	}
	return nil
}

// gateSGX2 is gate for a leaf that only SGX2 parts have.
func (c *CPU) gateSGX2() error {
	if !c.cfg.SGX2 {
		return isa.GPFault()
	}
	return c.gate()
}
