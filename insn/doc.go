// Package insn reads x86-64 machine code as far as a supervisor needs it: how
// long an instruction is, and which memory it reads and writes. It knows nothing
// of what instructions compute.
//
// It decodes 64-bit mode: the legacy, VEX and EVEX encodings of the Intel SDM
// (volume 2, appendix A, "Opcode Map"), with the additions of the AMD APM (volume
// 3, appendix A) that current processors have. XOP, FMA4 and 3DNow!, which no
// processor has that has SGX, nor any from AMD since Zen, are undefined here.
// Unknown opcodes, missing mandatory prefixes and register forms that do not
// exist are rejected; reserved values of W, L, vvvv and the EVEX mask are not.
//
// Near branches have a 32-bit displacement even after 66, as on Intel processors
// (SDM vol. 2, "JMP", "CALL", "Jcc"). AMD processors then read 16 bits and cut RIP
// to them, so that no program can contain such a branch.
//
// Page faults are the reason for the memory side: a fault that the kernel reports
// as an ordinary signal does not always say whether the access was a write.
package insn
