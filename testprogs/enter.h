/*
 * Ways into an enclave: ENCLU of our own with a choice of AEPs, and the vDSO
 * function. Both load a whole set of registers and store all of them again.
 */
#ifndef ENTER_H
#define ENTER_H

#define ENTER_MASK 128
#define ENTER_XIN 136
#define ENTER_XOUT 144
#define ENTER_RSP 152
#define ENTER_RBP 160

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#include <asm/sgx.h>

enum { EENTER = 2, ERESUME = 3, EEXIT = 4 };

/* General registers in ModRM order. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

struct registers {
	/* In and out. RSP and RBP are only out: the enclave must have kept them. */
	uint64_t gpr[16];
	/* XSAVE image to load just before ENCLU, image to store just after, and their mask; or 0. */
	uint64_t mask;
	const void *xin;
	void *xout;
	/* Out: RSP and RBP at ENCLU (enter_raw only). */
	uint64_t rsp, rbp;
};

_Static_assert(offsetof(struct registers, mask) == ENTER_MASK, "ENTER_MASK");
_Static_assert(offsetof(struct registers, xin) == ENTER_XIN, "ENTER_XIN");
_Static_assert(offsetof(struct registers, xout) == ENTER_XOUT, "ENTER_XOUT");
_Static_assert(offsetof(struct registers, rsp) == ENTER_RSP, "ENTER_RSP");
_Static_assert(offsetof(struct registers, rbp) == ENTER_RBP, "ENTER_RBP");

/* enter_raw executes ENCLU with RAX (leaf), RBX (TCS), RCX (AEP) and the rest as given. */
void enter_raw(struct registers *r);

/* enter_enclu is the ENCLU that enter_raw executes; EEXIT comes back to enter_enclu + 3. */
extern const uint8_t enter_enclu[] __attribute__((visibility("hidden")));
/* AEPs: a bare ENCLU; a sequence that counts and then executes ENCLU (at aep_sequence_enclu). */
extern const uint8_t aep_bare[] __attribute__((visibility("hidden")));
extern const uint8_t aep_sequence[] __attribute__((visibility("hidden")));
extern const uint8_t aep_sequence_enclu[] __attribute__((visibility("hidden")));
extern const uint8_t aep_sequence_end[] __attribute__((visibility("hidden")));
extern uint64_t aep_sequence_count __attribute__((visibility("hidden")));

/*
 * enter_vdso calls the vDSO function with RDI, RSI, RDX, R8, R9 and R10, R12..R15
 * of r, and returns what it returns.
 */
int enter_vdso(struct registers *r, unsigned long function, struct sgx_enclave_run *run,
	       const void *vdso_sgx_enter_enclave);
#endif
#endif
