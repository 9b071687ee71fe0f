package driver

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"softsgx/isa"
	"softsgx/uapi"
)

// Config says what New drives and how.
type Config struct {
	CPU ENCLS
	// Rights returns the rights that native code may have to an EPC page at
	// this moment: the EPCM's RWX for a PT_REG page that is neither blocked nor
	// pending nor modified, else none. Runs needs it.
	Rights func(p isa.EPCAddr) isa.Access

	Hooks Hooks // nil: Linux 6.1 bit for bit

	SGX2 bool // offer what needs an SGX2 CPU
	// AEXNotify permits ATTRIBUTES.AEXNOTIFY to every enclave, as Linux 6.2 does.
	AEXNotify bool

	// ShortCounts makes ADD_PAGES stop at a signal that arrives after the first
	// page and return 0 with a short count, as Linux 6.1 does. Otherwise a call
	// that has begun completes or fails.
	ShortCounts bool
	// AugmentRaceSIGBUS makes the loser of two faults on one missing page get
	// SIGBUS, as in Linux 6.1. Otherwise it gets the winner's page.
	AugmentRaceSIGBUS bool

	// IPI makes every thread that is inside e leave it once. It returns when
	// they have. Nil does nothing.
	IPI func(e *Enclave)
	// Revoked says that native rights to pages in [start, end) went down: what
	// the host's page tables still grant must go. Nil does nothing.
	Revoked func(e *Enclave, start, end isa.LinAddr)
	// Explain gets the full reason of a failed ioctl, of which the caller sees
	// an errno only. Nil does nothing.
	Explain func(e *Enclave, cmd uapi.Cmd, err error)
	// Sleep waits between rounds of EINIT; nil is time.Sleep.
	Sleep func(time.Duration)
}

// Driver is the driver of one CPU. All methods may be called from any goroutine.
type Driver struct {
	cfg      Config
	platform platform
	epc      epc
	launch   sync.Mutex
	lastID   atomic.Uint64
}

// New starts the driver on a CPU, as Linux does at boot: it needs SGX1, launch
// control and an EPC section (Linux 6.1 sgx/main.c sgx_init, sgx/driver.c
// sgx_drv_init).
func New(cfg Config) (*Driver, error) {
	if cfg.CPU == nil || cfg.Rights == nil {
		return nil, errors.New("driver: Config lacks CPU or Rights")
	}
	if cfg.Sleep == nil {
		cfg.Sleep = time.Sleep
	}
	p, err := detect(cfg.CPU, cfg.AEXNotify)
	if err != nil {
		return nil, err
	}
	if cfg.SGX2 && !p.sgx2 {
		return nil, fmt.Errorf("driver: Config asks for SGX2, the CPU has none: %w", uapi.ENODEV)
	}
	d := &Driver{cfg: cfg, platform: p}
	if err := d.epc.discover(cfg.CPU); err != nil {
		return nil, err
	}
	return d, nil
}

// Open returns an EMPTY enclave whose pages will lie in m, with one reference.
// It is open(2) of the enclave node.
func (d *Driver) Open(m Memory) *Enclave {
	e := &Enclave{d: d, mem: m, id: d.lastID.Add(1)}
	e.refs.Store(1)
	return e
}

// EPC returns the number of EPC pages that exist and that are free.
func (d *Driver) EPC() (total, free int) { return d.epc.count() }
