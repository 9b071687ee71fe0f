#include "xstate.h"

#include <cpuid.h>
#include <string.h>

uint64_t xcr0(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (uint64_t)d << 32 | a;
}

/* CPUID 0DH is a trap under some platforms: ask once. */
static void component(unsigned n, size_t *size, size_t *offset)
{
	static unsigned known[64][2];

	if (!known[n][0]) {
		unsigned a = 0, b = 0, c, d;

		__get_cpuid_count(0xd, n, &a, &b, &c, &d);
		known[n][1] = b;
		known[n][0] = a;
	}
	*size = known[n][0];
	*offset = known[n][1];
}

size_t xstate_offset(unsigned n)
{
	size_t size, offset;

	component(n, &size, &offset);
	return offset;
}

size_t xstate_component_size(unsigned n)
{
	size_t size, offset;

	component(n, &size, &offset);
	return size;
}

size_t xstate_size(uint64_t mask)
{
	size_t end = 576;

	for (unsigned n = 2; n < 63; n++) {
		size_t size, offset;

		if (!(mask >> n & 1))
			continue;
		component(n, &size, &offset);
		if (offset + size > end)
			end = offset + size;
	}
	return end;
}

uint64_t xstate_bv(const struct xstate *x)
{
	uint64_t bv;

	memcpy(&bv, x->byte + XSTATE_HEADER, 8);
	return bv;
}

static void fill(uint8_t *p, size_t length, uint64_t seed)
{
	for (size_t i = 0; i < length; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(seed >> 56);
	}
}

/* Control words: the initial x87 one and the usual MXCSR, so that nothing is unmasked. */
static void control(struct xstate *x, uint64_t mask)
{
	uint16_t fcw = 0x37f;
	uint32_t mxcsr = 0x1f80;

	memset(x, 0, sizeof(*x));
	memcpy(x->byte + XSTATE_FCW, &fcw, 2);
	memcpy(x->byte + XSTATE_MXCSR, &mxcsr, 4);
	memcpy(x->byte + XSTATE_HEADER, &mask, 8);
}

void xstate_pattern(struct xstate *x, uint64_t mask, uint64_t seed)
{
	control(x, mask);
	if (mask & XSTATE_X87) {
		x->byte[4] = 0xff; /* all eight registers in use */
		for (int i = 0; i < 8; i++)
			fill(x->byte + XSTATE_ST + 16 * i, 10, seed + (uint64_t)i);
	}
	if (mask & XSTATE_SSE)
		fill(x->byte + XSTATE_XMM, 256, seed + 100);
	for (unsigned n = 2; n < 63; n++) {
		if (!(mask >> n & 1))
			continue;
		if (n == 9) { /* some value that leaves key 0 alone */
			uint32_t pkru = seed % 2 ? 0x55555554 : 0xaaaaaaa8;

			memcpy(x->byte + xstate_offset(n), &pkru, 4);
		} else {
			fill(x->byte + xstate_offset(n), xstate_component_size(n), seed + 200 + n);
		}
	}
}

void xstate_initial(struct xstate *x, uint64_t mask)
{
	control(x, mask);
}

const char *xstate_differs(const struct xstate *a, const struct xstate *b, uint64_t mask)
{
	static const char *const names[10] = {
		"x87", "XMM", "YMM", "BNDREGS", "BNDCSR", "opmask", "ZMM0-15", "ZMM16-31", "PT", "PKRU",
	};

	if ((mask & XSTATE_X87) && memcmp(a->byte + XSTATE_FCW, b->byte + XSTATE_FCW, 2))
		return "x87 control word";
	for (int i = 0; (mask & XSTATE_X87) && i < 8; i++) /* the upper six bytes of each are reserved */
		if (memcmp(a->byte + XSTATE_ST + 16 * i, b->byte + XSTATE_ST + 16 * i, 10))
			return names[0];
	if ((mask & XSTATE_SSE) && memcmp(a->byte + XSTATE_MXCSR, b->byte + XSTATE_MXCSR, 4))
		return "MXCSR";
	if ((mask & XSTATE_SSE) && memcmp(a->byte + XSTATE_XMM, b->byte + XSTATE_XMM, 256))
		return names[1];
	for (unsigned n = 2; n < 63; n++) {
		if (!(mask >> n & 1))
			continue;
		if (memcmp(a->byte + xstate_offset(n), b->byte + xstate_offset(n), xstate_component_size(n)))
			return n < 10 ? names[n] : "a component above PKRU";
	}
	return NULL;
}

void xstate_load(const struct xstate *x, uint64_t mask)
{
	__asm__ volatile("xrstor64 %0" :: "m"(*x), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
			   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

void xstate_save(struct xstate *x, uint64_t mask)
{
	__asm__ volatile("xsave64 %0" : "+m"(*x) : "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}
