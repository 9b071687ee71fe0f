/*
 * Extended state across EENTER, EEXIT, AEX and ERESUME for XFRM 3, 7 and 0xe7:
 * inside, XSAVE and XRSTOR with EDX:EAX all ones see XFRM's components and the
 * initial state of all others; outside, the others (ZMM16-31, PKRU) survive.
 */
#include "aex.h"

enum { TIMES = 100 };

static struct enclave e;
static uint64_t host_mask;
static uint64_t untracked; /* components that XSAVE marks as in use even in their initial state */
static size_t room;
static struct xstate host_in, host_out, image, entry, after, frame, ssa;
static struct registers registers;
static volatile unsigned faults;

/*
 * A processor may mark a component in its initial state as in use: it is compared
 * by value, and by XSTATE_BV where this processor keeps track.
 */
static void find_untracked(void)
{
	static struct xstate kept, initial;
	uint64_t mask = host_mask & ~(uint64_t)XSTATE_PKRU;

	xstate_save(&kept, mask);
	xstate_initial(&initial, mask);
	memset(initial.byte + XSTATE_HEADER, 0, 8); /* XSTATE_BV: everything initial */
	xstate_load(&initial, mask);
	xstate_save(&initial, mask);
	xstate_load(&kept, mask);
	untracked = (xstate_bv(&initial) & mask) | XSTATE_PKRU | ~(uint64_t)XSTATE_TESTED;
}

static void check_image(const char *what, const struct xstate *x, const struct xstate *in_xfrm)
{
	static struct xstate initial;
	uint64_t outside = host_mask & ~e.xfrm & ~(uint64_t)(XSTATE_X87 | XSTATE_SSE);
	const char *bad = xstate_differs(x, in_xfrm, e.xfrm);

	CHECK(!bad, "%s: %s differs", what, bad);
	xstate_initial(&initial, outside);
	bad = xstate_differs(x, &initial, outside);
	CHECK(!bad, "%s: %s is not in its initial state", what, bad);
	SAME(xstate_bv(x) & ~e.xfrm & ~untracked, 0, what);
}

/* The state that the host sees at an AEX (SDM vol. 3D, table "Processor Synthetic States"). */
static void check_frame(const ucontext_t *uc)
{
	static struct xstate synthetic;
	uint64_t have = aex_frame_xstate(uc, &frame) & host_mask;
	uint32_t mxcsr = 0x1fb0;
	const char *bad;

	xstate_initial(&synthetic, e.xfrm);
	memcpy(synthetic.byte + XSTATE_MXCSR, &mxcsr, 4);
	bad = xstate_differs(&frame, &synthetic, have & e.xfrm);
	CHECK(!bad, "frame: %s is not synthetic", bad);
	if (!registers.xin)
		return;
	bad = xstate_differs(&frame, &host_in, have & ~e.xfrm & ~(uint64_t)XSTATE_PKRU);
	CHECK(!bad, "frame: %s is not the host's", bad);
}

static void check_ssa(void)
{
	memset(&ssa, 0xbb, sizeof(ssa));
	enclave_copy(&e, 0, VIA_RAW_BARE, (uint64_t)&ssa, enclave_ssa(&e, 0, 0), xstate_size(e.xfrm));
	SAME(xstate_bv(&ssa) & ~e.xfrm, 0, "XSTATE_BV in the SSA");
	for (int i = 8; i < 64; i++)
		SAME(ssa.byte[XSTATE_HEADER + i], 0, "XSAVE header in the SSA");
	CHECK(!xstate_differs(&ssa, &image, e.xfrm), "SSA: %s differs", xstate_differs(&ssa, &image, e.xfrm));
}

static void skip_cpuid(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	uint64_t rip = enclave_address(&e, fault_xstate) + 2;

	(void)info;
	faults++;
	CHECK(faults == 1 && aex_inside(uc, &e, 0), "signal %d, RIP %#llx", signal,
	      (unsigned long long)uc->uc_mcontext.gregs[REG_RIP]);
	check_frame(uc);
	check_ssa();
	enclave_copy(&e, 0, VIA_RAW_BARE, enclave_gprsgx(&e, 0, 0) + offsetof(struct gprsgx, rip), (uint64_t)&rip, 8);
}

static void once(uint64_t seed, enum via via, bool fault)
{
	struct message m = {
		.op = OP_XSTATE,
		.a = { (uint64_t)&image, (uint64_t)&entry, (uint64_t)&after, room, fault },
	};
	const char *bad;

	faults = 0;
	xstate_pattern(&host_in, host_mask, seed);
	xstate_pattern(&image, e.xfrm, seed + 1);
	registers = (struct registers){ .mask = 0 };
	if (via != VIA_VDSO) {
		registers.mask = host_mask;
		registers.xin = &host_in;
		registers.xout = &host_out;
	}
	enter_with(&e, 0, via, &m, &registers);
	SAME(faults, fault, "faults");
	check_image("after XRSTOR", &after, &image);
	if (via == VIA_VDSO)
		return;
	check_image("at entry", &entry, &host_in);
	bad = xstate_differs(&host_out, &image, host_mask & e.xfrm);
	CHECK(!bad, "%s is not as the enclave left it", bad);
	bad = xstate_differs(&host_out, &host_in, host_mask & ~e.xfrm);
	CHECK(!bad, "%s of the host did not survive", bad);
}

static void with_xfrm(uint64_t xfrm)
{
	struct enclave_spec spec = { .xfrm = xfrm };
	char part[80];

	enclave_load(&e, &spec);
	for (enum via via = 0; via < VIA_COUNT; via++)
		for (uint64_t i = 0; i < TIMES; i++) {
			/* In the vDSO a fault is a return, and the nested entry is raw: no faults there. */
			bool fault = i % 2 && via != VIA_VDSO;

			snprintf(part, sizeof(part), "XFRM %#lx, %s, time %lu", xfrm, via_name[via], i);
			PART(part);
			once(1000 * xfrm + i, via, fault);
		}
	PART("");
	enclave_close(&e);
	enclave_unmap(&e);
}

int main(void)
{
	static const uint64_t xfrm[] = { 3, 7, 0xe7 };
	static struct xstate pkru;

	host_mask = xcr0() & XSTATE_TESTED;
	room = xstate_size(xcr0());
	CHECK(host_mask && room <= XSTATE_ROOM, "XCR0 %#lx wants images of %zu bytes", xcr0(), room);
	if (host_mask & XSTATE_PKRU)
		xstate_save(&pkru, XSTATE_PKRU);
	else
		check_skip("PKRU is not in XCR0 %#lx", xcr0());
	if (!(host_mask & XSTATE_HI16_ZMM))
		check_skip("ZMM16-31 are not in XCR0 %#lx", xcr0());
	find_untracked();
	aex_handle(SIGILL, skip_cpuid, 0);
	aex_handle(SIGSEGV, skip_cpuid, 0);
	for (size_t i = 0; i < sizeof(xfrm) / sizeof(xfrm[0]); i++) {
		if (xfrm[i] & ~xcr0())
			check_skip("XFRM %#lx is not in XCR0 %#lx", xfrm[i], xcr0());
		else
			with_xfrm(xfrm[i]);
	}
	if (host_mask & XSTATE_PKRU)
		xstate_load(&pkru, XSTATE_PKRU);
	return check_ok();
}
