package isa

import "fmt"

// PageSize is the size of an EPC page in bytes.
const PageSize = 4096

// EPCAddr is the physical address of a byte in the EPC.
type EPCAddr uint64

// LinAddr is a linear address in a process.
type LinAddr uint64

// Page returns the address of the page that holds a.
func (a LinAddr) Page() LinAddr { return a &^ (PageSize - 1) }

// Exception vectors (SDM vol. 3A, "Exception and Interrupt Reference").
const (
	DE uint8 = 0
	DB uint8 = 1
	BP uint8 = 3
	BR uint8 = 5
	UD uint8 = 6
	NM uint8 = 7
	GP uint8 = 13
	PF uint8 = 14
	MF uint8 = 16
	AC uint8 = 17
	XM uint8 = 19
	CP uint8 = 21
)

var vectorNames = map[uint8]string{
	DE: "#DE", DB: "#DB", BP: "#BP", BR: "#BR", UD: "#UD", NM: "#NM", GP: "#GP", PF: "#PF", MF: "#MF", AC: "#AC", XM: "#XM", CP: "#CP",
}

// VectorName returns the manual's name of an exception, as #PF.
func VectorName(v uint8) string {
	if name, ok := vectorNames[v]; ok {
		return name
	}
	return fmt.Sprintf("exception %d", v)
}

// Page-fault error code bits (SDM vol. 3A, "Page-Fault Exception").
const (
	PFECPresent uint32 = 1 << 0
	PFECWrite   uint32 = 1 << 1
	PFECUser    uint32 = 1 << 2
	PFECFetch   uint32 = 1 << 4
	PFECSGX     uint32 = 1 << 15
)

// Access says what an instruction wanted to do with a page.
type Access uint8

// The kinds of access. They combine.
const (
	Read Access = 1 << iota
	Write
	Exec
)

// Fault is an exception that an instruction raises instead of completing.
// Nothing architectural has changed when a leaf returns one.
type Fault struct {
	Vector    uint8   // GP, PF, UD or NM
	ErrorCode uint32  // PFEC for PF, else 0
	Addr      LinAddr // CR2 for PF, else 0
}

// Error implements error.
func (f *Fault) Error() string {
	switch f.Vector {
	case GP:
		return "#GP(0)"
	case PF:
		return fmt.Sprintf("#PF(%#x) at %#x", f.ErrorCode, uint64(f.Addr))
	}
	return VectorName(f.Vector)
}

// GPFault returns #GP(0).
func GPFault() *Fault { return &Fault{Vector: GP} }

// SGXPageFault returns a #PF raised by the EPCM check at addr: bit 15 and P set.
func SGXPageFault(addr LinAddr, access Access) *Fault {
	return &Fault{Vector: PF, Addr: addr, ErrorCode: PFEC(access) | PFECPresent | PFECSGX}
}

// PFEC returns the W, U and I bits of a user-mode page-fault error code.
func PFEC(a Access) uint32 {
	e := PFECUser
	if a&Write != 0 {
		e |= PFECWrite
	}
	if a&Exec != 0 {
		e |= PFECFetch
	}
	return e
}

// Code is what a leaf returns in RAX (SDM vol. 3D, "SGX error codes").
// A nonzero Code is an error; leaves set ZF or CF beside it.
type Code uint32

// Error implements error.
func (c Code) Error() string {
	if n, ok := codeNames[c]; ok {
		return n
	}
	return fmt.Sprintf("SGX error %d", uint32(c))
}
