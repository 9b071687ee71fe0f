/*
 * XSAVE images in the standard format. Offsets of components come from CPUID
 * 0DH: they differ between vendors.
 */
#ifndef XSTATE_H
#define XSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	XSTATE_X87 = 1 << 0,
	XSTATE_SSE = 1 << 1,
	XSTATE_AVX = 1 << 2,
	XSTATE_OPMASK = 1 << 5,
	XSTATE_ZMM_HI256 = 1 << 6,
	XSTATE_HI16_ZMM = 1 << 7,
	XSTATE_PKRU = 1 << 9,
	/* Components that the tests fill; MPX and AMX stay as they are. */
	XSTATE_TESTED = 0x2e7,
	XSTATE_ROOM = 12288, /* bytes for any image here, AMX included */
	/* places in the legacy area and the header */
	XSTATE_FCW = 0,
	XSTATE_MXCSR = 24,
	XSTATE_ST = 32,
	XSTATE_XMM = 160,
	XSTATE_HEADER = 512,
};

struct xstate {
	uint8_t byte[XSTATE_ROOM];
} __attribute__((aligned(64)));

/* xcr0 is XGETBV(0), or 0 without XSAVE. */
uint64_t xcr0(void);
/* xstate_size is the size of an image for the components in mask. */
size_t xstate_size(uint64_t mask);
size_t xstate_offset(unsigned component);
size_t xstate_component_size(unsigned component);
uint64_t xstate_bv(const struct xstate *x);

/* xstate_pattern makes an image with the components in mask, every byte of them a function of seed. */
void xstate_pattern(struct xstate *x, uint64_t mask, uint64_t seed);
/* xstate_differs names the first component in mask that differs, or is NULL. */
const char *xstate_differs(const struct xstate *a, const struct xstate *b, uint64_t mask);
/* xstate_initial makes an image with the components in mask in their initial state, marked as in use. */
void xstate_initial(struct xstate *x, uint64_t mask);
void xstate_load(const struct xstate *x, uint64_t mask);
void xstate_save(struct xstate *x, uint64_t mask);

#endif
