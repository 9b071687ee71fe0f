// Package insn reads x86-64 machine code as far as a supervisor needs it: how
// long an instruction is, and which memory it reads and writes. It knows nothing
// of what instructions compute.
//
// It decodes 64-bit mode: legacy, VEX, XOP and EVEX encodings of the Intel SDM
// (volume 2, appendix A, "Opcode Map") and of the AMD APM (volume 3, appendix A),
// and rejects what both leave undefined. Page faults are the reason for it: a
// fault that the kernel reports as an ordinary signal does not always say
// whether the access was a write.
package insn
