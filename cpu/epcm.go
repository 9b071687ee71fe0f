package cpu

import (
	"unsafe"

	"softsgx/isa"
)

// entry is one EPCM entry (SDM vol. 3D, "Enclave Page Cache Map"). 32 bytes.
type entry struct {
	addr   isa.LinAddr // ENCLAVEADDRESS; 0 for SECS and VA
	secs   *secs       // ENCLAVESECS; of a PT_SECS page, itself
	bepoch uint64      // tracking epoch of the last EBLOCK, EMODPR or EMODT
	hold   int16       // base resource: -1 held exclusively, n > 0 shared by n
	rwx    isa.Access
	pt     isa.PageType
	flags  entryFlags
}

type entryFlags uint8

const (
	flagValid entryFlags = 1 << iota
	flagBlocked
	flagPending
	flagModified
	flagPR
	flagSGX2 // sgx2 resource held
	flagZero // contents are known to be zero and were never touched
)

func (e *entry) is(f entryFlags) bool  { return e.flags&f == f }
func (e *entry) any(f entryFlags) bool { return e.flags&f != 0 }

// set makes e a valid page and keeps its locks.
func (e *entry) set(s *secs, lin isa.LinAddr, pt isa.PageType, rwx isa.Access, f entryFlags) {
	e.secs, e.addr, e.pt, e.rwx, e.bepoch = s, lin, pt, rwx, 0
	e.flags = e.flags&flagSGX2 | flagValid | f
}

// free makes e an invalid page and keeps its locks.
func (e *entry) free() {
	e.secs, e.addr, e.pt, e.rwx, e.bepoch = nil, 0, 0, 0, 0
	e.flags &= flagSGX2
}

// owned is the EPCM part of the test that a leaf makes of an operand inside
// the enclave: a settled PT_REG page of s at lin's page with these rights.
func (e *entry) owned(s *secs, lin isa.LinAddr, rights isa.Access) bool {
	return e.is(flagValid) && !e.any(flagBlocked|flagPending|flagModified) && e.pt == isa.PT_REG &&
		e.secs == s && e.addr == lin.Page() && e.rwx&rights == rights
}

// child reports whether the page belongs to an enclave, other than as its SECS.
func (e *entry) child() bool {
	return e.is(flagValid) && e.pt != isa.PT_SECS && e.pt != isa.PT_VA
}

// secinfoFlags pairs the state of an EPCM entry with the bits of SECINFO.Flags.
var secinfoFlags = [...]struct {
	flag entryFlags
	bit  uint64
}{
	{flagPending, isa.SECINFO_PENDING}, {flagModified, isa.SECINFO_MODIFIED}, {flagPR, isa.SECINFO_PR},
}

// secinfo returns the SECINFO.Flags of a valid page.
func (e *entry) secinfo() uint64 {
	si := isa.NewSECINFO(e.pt, e.rwx)
	for _, f := range secinfoFlags {
		if e.is(f.flag) {
			si.Flags |= f.bit
		}
	}
	return si.Flags
}

const chunkPages = 1024

type epcmChunk [chunkPages]entry

// touch writes to every page of the chunk's memory. Otherwise the first look at an
// entry maps the host's page of zeros, and the first change costs a second fault that
// interrupts all processors: a twelfth of the time of loading an enclave.
func (c *epcmChunk) touch() {
	const entriesPerPage = isa.PageSize / int(unsafe.Sizeof(entry{}))
	for i := 0; i < chunkPages; i += entriesPerPage {
		c[i].hold = 0
	}
}

// index returns the number of the page that holds p.
func (c *CPU) index(p isa.EPCAddr) (uint64, bool) {
	if p < c.cfg.Base {
		return 0, false
	}
	i := uint64(p-c.cfg.Base) / isa.PageSize
	return i, i < c.pages
}

// entry returns the EPCM entry of the page that holds p, nil if p is not in the
// EPC. c.mu is held.
func (c *CPU) entry(p isa.EPCAddr) *entry {
	i, ok := c.index(p)
	if !ok {
		return nil
	}
	chunk := c.chunks[i/chunkPages]
	if chunk == nil {
		chunk = new(epcmChunk)
		chunk.touch()
		c.chunks[i/chunkPages] = chunk
	}
	return &chunk[i%chunkPages]
}

// inEPC reports whether p is in the EPC.
func (c *CPU) inEPC(p isa.EPCAddr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.index(p)
	return ok
}

// EPCMEntry is what the EPCM says about a page. No software can read the real
// one; here it tells the driver and the supervisor what native code may reach.
type EPCMEntry struct {
	Valid, Pending, Modified, PR, Blocked bool

	RWX  isa.Access
	PT   isa.PageType
	Addr isa.LinAddr
}

// EPCM returns the entry of the page that holds p; the zero value if p is not
// in the EPC.
func (c *CPU) EPCM(p isa.EPCAddr) EPCMEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(p)
	if e == nil || !e.is(flagValid) {
		return EPCMEntry{}
	}
	return EPCMEntry{
		Valid: true, Pending: e.is(flagPending), Modified: e.is(flagModified),
		PR: e.is(flagPR), Blocked: e.is(flagBlocked),
		RWX: e.rwx, PT: e.pt, Addr: e.addr,
	}
}
