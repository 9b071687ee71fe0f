/*
 * What the host and the enclave in ops.S say to each other. RDI points to a
 * struct message in ordinary memory; everything else is up to the operation.
 * Shared with assembly: only #defines outside the C part.
 */
#ifndef OPS_H
#define OPS_H

/* Operations: a arguments, r results, all 64-bit words. */
#define OP_NOP 0
#define OP_ADD 1 /* r0 = a0 + a1 */
#define OP_GET 2 /* r0 = 8 bytes at a0 */
#define OP_PUT 3 /* 8 bytes at a0 = a1 */
#define OP_COPY 4 /* a2 bytes to a0 from a1 */
#define OP_INC 5 /* 8 bytes at a0, a1 times, locked */
#define OP_RENDEZVOUS 6 /* add 1 to a0, wait inside until it is a1 */
#define OP_SEGMENTS 7 /* r0..r3 = FS:0, GS:0, FS base, GS base */
#define OP_REGISTERS 8 /* r0..r15 = registers as they came in, but R11; leaves some patterned */
#define OP_COUNT_NONZERO 9 /* r0 = non-zero words among those at a0, a0+a2, ... below a0+a1 */
#define OP_FILL 10 /* word at p = a3 + p for p = a0, a0+a2, ... below a0+a1 */
#define OP_CHECK_FILL 11 /* r0 = number of words that OP_FILL would have written otherwise */
#define OP_REPORT 12 /* EREPORT: TARGETINFO a0, REPORTDATA a1, REPORT to a2 */
#define OP_GETKEY 13 /* EGETKEY: KEYREQUEST a0, key to a1; r0 = RAX, r1 = ZF */
#define OP_SPIN 14 /* see ops.S */
#define OP_XSTATE 15 /* see ops.S */
/* One fault each. RBX = a0, the other registers PATTERN, the arithmetic flags set; the
 * registers after it to r0..r15, and LAHF and SETO in r16 (AH, AL). */
#define OP_FAULT_CPUID 16
#define OP_FAULT_SYSCALL 17
#define OP_FAULT_UD2 18
#define OP_FAULT_INT3 19
#define OP_FAULT_DIV 20
#define OP_FAULT_HLT 21
#define OP_FAULT_WRITE 22 /* 8 bytes at RBX */
#define OP_FAULT_READ 23
#define OP_LIMIT 24

/* Value of general register n (ModRM order) in a fault. RSP and RBP are as odd as the rest. */
#define PATTERN(n) (0x5eed0000c0de0000 + 0x0000010100000101 * (n))

/* Thread data, at FS:0. The first two words are measured. */
#define TD_MARK 0
#define TD_OFFSET 8 /* of the thread data from the start of the image */
#define TD_RETURN 16
#define TD_MESSAGE 24
#define TD_RSP 32
#define TD_RBP 40
#define TD_AFTER 64 /* 17 words */
#define TD_BUFFER1 4096 /* three pages: an XSAVE image */
#define TD_BUFFER2 16384
#define TD_PAGES 7

#define FS_MARK 0x1122334455667788
#define GS_MARK 0x8877665544332211

#define MESSAGE_CSSA 8
#define MESSAGE_A 16
#define MESSAGE_R 80

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct message {
	uint64_t op;
	uint64_t cssa; /* RAX at entry */
	uint64_t a[8];
	uint64_t r[20];
};

_Static_assert(offsetof(struct message, cssa) == MESSAGE_CSSA, "MESSAGE_CSSA");
_Static_assert(offsetof(struct message, a) == MESSAGE_A, "MESSAGE_A");
_Static_assert(offsetof(struct message, r) == MESSAGE_R, "MESSAGE_R");

/* The enclave: text, then one page or more of data, both whole pages. */
extern const uint8_t enclave_image[] __attribute__((visibility("hidden")));
extern const uint8_t enclave_data[] __attribute__((visibility("hidden")));
extern const uint8_t enclave_end[] __attribute__((visibility("hidden")));
/* Entry points, and the instructions that fault. */
extern const uint8_t enclave_entry[] __attribute__((visibility("hidden")));
extern const uint8_t enclave_entry_report[] __attribute__((visibility("hidden")));
extern const uint8_t fault_cpuid[] __attribute__((visibility("hidden")));
extern const uint8_t fault_syscall[] __attribute__((visibility("hidden")));
extern const uint8_t fault_ud2[] __attribute__((visibility("hidden")));
extern const uint8_t fault_int3[] __attribute__((visibility("hidden")));
extern const uint8_t fault_div[] __attribute__((visibility("hidden")));
extern const uint8_t fault_hlt[] __attribute__((visibility("hidden")));
extern const uint8_t fault_write[] __attribute__((visibility("hidden")));
extern const uint8_t fault_read[] __attribute__((visibility("hidden")));
extern const uint8_t fault_xstate[] __attribute__((visibility("hidden")));
#endif
#endif
