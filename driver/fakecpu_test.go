package driver

import (
	"sync"

	"softsgx/isa"
)

// fakeCPU is a scripted ENCLS: it keeps just enough of the EPCM for the driver to
// have something to work on, and the next call of a leaf fails if the test says so.
type fakeCPU struct {
	mu      sync.Mutex
	cpuid   map[[2]uint32][4]uint32
	epc     map[isa.EPCAddr]*fakePage
	end     isa.EPCAddr
	elastic bool

	script map[isa.SystemLeaf][]error // outcomes of the next calls, nil: as usual
	during map[isa.SystemLeaf]func()  // runs inside the leaf, without the lock
	calls  map[isa.SystemLeaf]int
	order  []isa.SystemLeaf
	extend []isa.EPCAddr // pages in the order of EEXTENDPage
	added  []isa.PAGEINFO
	data   map[isa.EPCAddr][]byte
	msrs   [][2]uint64
	einit  []isa.Operand // SIGSTRUCT and token of the last EINIT
}

type fakePage struct {
	pt                isa.PageType
	rwx               isa.Access
	lin               isa.LinAddr
	pending, modified bool
}

const (
	fakeEPC   = isa.EPCAddr(0x8_0000_0000)
	fakePages = 4096
)

func newFakeCPU(pages int) *fakeCPU {
	f := &fakeCPU{
		epc: map[isa.EPCAddr]*fakePage{}, data: map[isa.EPCAddr][]byte{},
		end:    fakeEPC + isa.EPCAddr(pages)*isa.PageSize,
		script: map[isa.SystemLeaf][]error{}, during: map[isa.SystemLeaf]func(){},
		calls: map[isa.SystemLeaf]int{},
	}
	size := uint64(pages) * isa.PageSize
	f.cpuid = map[[2]uint32][4]uint32{
		{7, 0}:    {ebx: isa.CPUID_7_EBX_SGX, ecx: isa.CPUID_7_ECX_SGX_LC},
		{0x12, 0}: {eax: isa.CPUID_12_EAX_SGX1 | isa.CPUID_12_EAX_SGX2, ebx: isa.MISC_EXINFO},
		{0x12, 1}: {eax: uint32(isa.ATTR_DEBUG | isa.ATTR_MODE64BIT | isa.ATTR_PROVISIONKEY | isa.ATTR_EINITTOKEN_KEY | isa.ATTR_KSS | isa.ATTR_AEXNOTIFY), ecx: 0x2E7},
		{0x12, 2}: {uint32(fakeEPC&0xFFFFF000) | 1, uint32(fakeEPC >> 32), uint32(size) | 1, uint32(size >> 32)},
	}
	return f
}

// fail makes the next calls of a leaf end so.
func (f *fakeCPU) fail(l isa.SystemLeaf, outcomes ...error) { f.script[l] = outcomes }

// begin counts a call and returns its scripted outcome.
func (f *fakeCPU) begin(l isa.SystemLeaf) error {
	f.mu.Lock()
	f.calls[l]++
	f.order = append(f.order, l)
	var err error
	if s := f.script[l]; len(s) > 0 {
		err, f.script[l] = s[0], s[1:]
	}
	during := f.during[l]
	f.mu.Unlock()
	if during != nil {
		during()
	}
	return err
}

func (f *fakeCPU) present(p isa.EPCAddr) bool { return p >= fakeEPC && p < f.end }

var pf = &isa.Fault{Vector: isa.PF, ErrorCode: isa.PFECSGX}

// make creates a page as one of the leaves that do.
func (f *fakeCPU) make(l isa.SystemLeaf, dst isa.EPCAddr, page fakePage) error {
	if err := f.begin(l); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.present(dst) || f.epc[dst] != nil {
		return pf
	}
	f.epc[dst] = &page
	return nil
}

func (f *fakeCPU) ECREATE(pi *isa.PAGEINFO, dst isa.EPCAddr, _ isa.Memory) error {
	if pi.SRCPGE.Addr%isa.PageSize != 0 || pi.SECINFO.Addr%isa.SECINFOSize != 0 || pi.Addr%32 != 0 {
		return isa.GPFault()
	}
	return f.make(isa.ECREATE, dst, fakePage{pt: isa.PT_SECS})
}

func (f *fakeCPU) EADD(pi *isa.PAGEINFO, dst isa.EPCAddr) error {
	var si isa.SECINFO
	if err := si.UnmarshalBinary(pi.SECINFO.Bytes); err != nil {
		return isa.GPFault()
	}
	if err := f.make(isa.EADD, dst, fakePage{pt: si.Type(), rwx: si.RWX(), lin: pi.LINADDR}); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.added = append(f.added, *pi)
	f.data[dst] = append([]byte(nil), pi.SRCPGE.Bytes...)
	return nil
}

func (f *fakeCPU) EEXTENDPage(_, page isa.EPCAddr, _ []byte) error {
	if err := f.begin(isa.EEXTEND); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.extend = append(f.extend, page)
	return nil
}

func (f *fakeCPU) EINIT(sigstruct isa.Operand, _ isa.EPCAddr, token isa.Operand) error {
	f.mu.Lock()
	f.einit = []isa.Operand{sigstruct, token}
	f.mu.Unlock()
	return f.begin(isa.EINIT)
}

func (f *fakeCPU) EREMOVE(p isa.EPCAddr) error {
	if err := f.begin(isa.EREMOVE); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.present(p) {
		return pf
	}
	if page := f.epc[p]; page != nil && page.pt == isa.PT_SECS && f.children() {
		return isa.SGX_CHILD_PRESENT
	}
	delete(f.epc, p)
	return nil
}

// children reports whether any enclave page exists; tests that care have one enclave.
func (f *fakeCPU) children() bool {
	for _, p := range f.epc {
		if p.pt != isa.PT_SECS && p.pt != isa.PT_VA {
			return true
		}
	}
	return false
}

func (f *fakeCPU) EPA(rbx uint64, dst isa.EPCAddr) error {
	if rbx != uint64(isa.PT_VA) {
		return isa.GPFault()
	}
	return f.make(isa.EPA, dst, fakePage{pt: isa.PT_VA})
}

func (f *fakeCPU) ETRACK(isa.EPCAddr) error { return f.begin(isa.ETRACK) }

func (f *fakeCPU) EAUG(pi *isa.PAGEINFO, dst isa.EPCAddr) error {
	if pi.SRCPGE.Addr != 0 || pi.SECINFO.Addr != 0 {
		return isa.GPFault()
	}
	return f.make(isa.EAUG, dst, fakePage{
		pt: isa.PT_REG, rwx: isa.Read | isa.Write, lin: pi.LINADDR, pending: true,
	})
}

func (f *fakeCPU) EMODPR(op isa.Operand, p isa.EPCAddr) error {
	if err := f.begin(isa.EMODPR); err != nil {
		return err
	}
	var si isa.SECINFO
	if err := si.UnmarshalBinary(op.Bytes); err != nil {
		return isa.GPFault()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	page := f.epc[p]
	switch {
	case page.pending || page.modified:
		return isa.SGX_PAGE_NOT_MODIFIABLE
	case page.pt != isa.PT_REG:
		return pf
	}
	page.rwx &= si.RWX()
	return nil
}

func (f *fakeCPU) EMODT(op isa.Operand, p isa.EPCAddr) error {
	if err := f.begin(isa.EMODT); err != nil {
		return err
	}
	var si isa.SECINFO
	if err := si.UnmarshalBinary(op.Bytes); err != nil {
		return isa.GPFault()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	page := f.epc[p]
	if page.pending || page.modified {
		return isa.SGX_PAGE_NOT_MODIFIABLE
	}
	page.pt, page.modified, page.rwx = si.Type(), true, 0
	return nil
}

func (f *fakeCPU) WRMSRLEPubKeyHash(i int, v uint64) error {
	f.msrs = append(f.msrs, [2]uint64{uint64(i), v})
	return nil
}

func (f *fakeCPU) CPUID(leaf, subleaf uint32, native [4]uint32) [4]uint32 {
	return f.cpuid[[2]uint32{leaf, subleaf}]
}

func (f *fakeCPU) Grow(pages int) {
	if f.elastic {
		f.end += isa.EPCAddr(pages) * isa.PageSize
	}
}

// rights is Config.Rights.
func (f *fakeCPU) rights(p isa.EPCAddr) isa.Access {
	f.mu.Lock()
	defer f.mu.Unlock()
	page := f.epc[p]
	if page == nil || page.pt != isa.PT_REG || page.pending || page.modified {
		return 0
	}
	return page.rwx
}

// at returns the page at lin.
func (f *fakeCPU) at(lin isa.LinAddr) *fakePage {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.epc {
		if p.lin == lin {
			return p
		}
	}
	return nil
}

// accept is EACCEPT by the enclave.
func (f *fakeCPU) accept(lin isa.LinAddr) {
	p := f.at(lin)
	f.mu.Lock()
	defer f.mu.Unlock()
	p.pending, p.modified = false, false
}
