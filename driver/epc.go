package driver

import (
	"fmt"
	"math"
	"sync"

	"softsgx/isa"
	"softsgx/uapi"
)

// epcPage is the physical page number of an EPC page. Zero is none.
type epcPage uint32

// addr returns the physical address of the page.
func (p epcPage) addr() isa.EPCAddr { return isa.EPCAddr(p) * isa.PageSize }

const (
	maxSections = 8       // SGX_MAX_EPC_SECTIONS (Linux 6.1 sgx/sgx.h)
	growPages   = 1 << 14 // by how much an elastic EPC grows
)

// section is a contiguous part of the EPC. Pages from fresh on were never handed
// out.
type section struct{ fresh, end epcPage }

// epc hands out EPC pages (Linux 6.1 sgx/main.c sgx_alloc_epc_page,
// sgx_free_epc_page).
type epc struct {
	cpu      ENCLS
	mu       sync.Mutex
	sections []section
	free     []epcPage // pages that came back
	total    int
	used     int // handed out, or lost when they should have come back
}

// discover finds the sections in CPUID (Linux 6.1 sgx/main.c
// sgx_page_cache_init).
func (x *epc) discover(cpu ENCLS) error {
	x.cpu = cpu
	for i := uint32(0); i < maxSections; i++ {
		r := cpu.CPUID(isa.CPUIDSGX, 2+i, [4]uint32{})
		if r[eax]&0xF != isa.CPUID_12_SUBLEAF_EPC {
			break
		}
		base, size := sectionField(r[eax], r[ebx]), sectionField(r[ecx], r[edx])
		if (base+size)/isa.PageSize > math.MaxUint32 {
			return fmt.Errorf("driver: EPC section at %#x lies too high: %w", base, uapi.ENOMEM)
		}
		x.sections = append(x.sections, section{
			fresh: epcPage(base / isa.PageSize),
			end:   epcPage((base + size) / isa.PageSize),
		})
		x.total += int(size / isa.PageSize)
	}
	if x.total == 0 {
		return fmt.Errorf("driver: the CPU has no EPC: %w", uapi.ENOMEM)
	}
	return nil
}

// sectionField puts an address or size together from its two registers.
func sectionField(low, high uint32) uint64 {
	return uint64(low)&0xFFFFF000 | uint64(high&0xFFFFF)<<32
}

// alloc takes a free page. ENOMEM: there is none.
func (x *epc) alloc() (epcPage, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.pop()
	if p == 0 && x.grow() {
		p = x.pop()
	}
	if p == 0 {
		return 0, uapi.ENOMEM
	}
	x.used++
	return p, nil
}

func (x *epc) pop() epcPage {
	if n := len(x.free); n > 0 {
		p := x.free[n-1]
		x.free = x.free[:n-1]
		return p
	}
	for i := range x.sections {
		if s := &x.sections[i]; s.fresh < s.end {
			s.fresh++
			return s.fresh - 1
		}
	}
	return 0
}

// grow asks an elastic CPU for more EPC above the last section. The CPU does not
// say whether it had any: a page that is there answers EREMOVE, with which Linux
// sanitises every page before its first use.
func (x *epc) grow() bool {
	last := &x.sections[len(x.sections)-1]
	if last.end > math.MaxUint32-growPages {
		return false
	}
	x.cpu.Grow(growPages)
	if x.cpu.EREMOVE(last.end.addr()) != nil {
		return false
	}
	last.end += growPages
	x.total += growPages
	return true
}

// release removes the page from whatever it belonged to and makes it free. A
// page that the CPU keeps is lost, as in Linux (sgx/encl.c
// sgx_encl_free_epc_page).
func (x *epc) release(p epcPage) {
	if x.cpu.EREMOVE(p.addr()) != nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.used--
	x.free = append(x.free, p)
}

func (x *epc) count() (total, free int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.total, x.total - x.used
}
