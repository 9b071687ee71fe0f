//go:build linux && amd64

package supervisor

import (
	"softsgx/driver"
	"softsgx/isa"
	"softsgx/ptrace"
)

// walkFault says how the kernel would have answered a page walk that failed.
type walkFault int

const (
	walkOK     walkFault = iota
	walkMap              // no mapping: SEGV_MAPERR
	walkAccess           // the mapping forbids it: SEGV_ACCERR
	walkBus              // the driver refused: SIGBUS
)

// Translate is the page walk of this thread's address space for a leaf's operand.
// It loads or adds (EAUG) the page as the driver's fault handler does. It is
// cpu.Space.
func (t *Thread) Translate(lin isa.LinAddr, a isa.Access) (isa.EPCAddr, *isa.Fault) {
	t.walk = walkOK
	v := t.space.find(uint64(lin))
	if v == nil {
		var b [1]byte
		if ptrace.ReadMem(t.tid, uint64(lin), b[:]) == nil {
			return 0, nil
		}
		t.walk = walkMap
		return 0, &isa.Fault{Vector: isa.PF, Addr: lin, ErrorCode: isa.PFEC(a)}
	}
	if a&^v.prot != 0 {
		t.walk = walkAccess
		return 0, &isa.Fault{Vector: isa.PF, Addr: lin, ErrorCode: isa.PFEC(a) | v.present(lin)}
	}
	page, result := v.file.enclave.Fault(lin, v.prot)
	for range 100 {
		if result != driver.Retry {
			break
		}
		page, result = v.file.enclave.Fault(lin, v.prot)
	}
	if result != driver.Resolved {
		t.walk = walkBus
		return 0, &isa.Fault{Vector: isa.PF, Addr: lin, ErrorCode: isa.PFEC(a)}
	}
	return page, nil
}

// present is the P bit that the host's page tables would show: the page is there
// and the mapping grants something.
func (v *VMA) present(lin isa.LinAddr) uint32 {
	if _, _, ok := v.file.enclave.Page(lin); ok && v.prot != 0 {
		return isa.PFECPresent
	}
	return 0
}
