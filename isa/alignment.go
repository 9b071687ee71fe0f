package isa

// Alignments of operands (SDM vol. 3D, the leaf's "Memory Parameter Semantics").
const (
	PAGEINFOAlign   = 32
	SECINFOAlign    = 64
	PCMDAlign       = 128
	SIGSTRUCTAlign  = 4096
	EINITTOKENAlign = 512
	TARGETINFOAlign = 512
	REPORTDATAAlign = 128
	REPORTAlign     = 512
	KEYREQUESTAlign = 512
	OutputKeyAlign  = 16
	ChunkAlign      = 256 // of EEXTEND
)
