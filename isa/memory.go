package isa

// Memory is where the contents of one enclave's pages lie, so that code running
// natively and the CPU see the same bytes. The CPU asks for a page when a leaf
// makes it valid (EADD, EAUG, ELDU) and hands it back when it becomes free.
type Memory interface {
	// Page returns the 4096 bytes behind the page at lin. They stay valid
	// until Release.
	Page(lin LinAddr) []byte
	// Release says that the page at lin is free: its bytes become zero and
	// their memory returns to the host.
	Release(lin LinAddr)
}

// Filler is a Memory with a cheaper way to write a whole page than through Page.
type Filler interface {
	// Fill makes content, 4096 bytes, what the page at lin holds.
	Fill(lin LinAddr, content []byte)
}

// Operand is a memory operand of an ENCLS leaf: the address that the leaf's
// alignment rule looks at, and the bytes found there.
type Operand struct {
	Addr  uint64
	Bytes []byte
}

// PAGEINFO is the operand of ECREATE, EADD, EAUG, EWB, ELDB and ELDU
// (SDM vol. 3D, "PAGEINFO"; 32 bytes, 32-byte aligned).
type PAGEINFO struct {
	Addr    uint64  // address of the PAGEINFO itself
	LINADDR LinAddr // enclave linear address
	SRCPGE  Operand // 4096 bytes, 4096-byte aligned
	SECINFO Operand // 64 bytes of SECINFO or 128 of PCMD
	SECS    EPCAddr // EPC address of the SECS, 0 for none
}
