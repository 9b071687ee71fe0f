/*
 * Asynchronous signals every 100 us into an enclave that holds patterns in all
 * its vector registers. The handler spoils the host's registers each time; the
 * enclave compares its own round by round; no frame may show any of them.
 */
#include "aex.h"

#include <sys/time.h>

enum { SIGNALS = 700 };

static struct enclave e;
static struct xstate pattern, spoil, host_in, host_out, seen;
static uint64_t host_mask;
static struct registers registers;
static enum via via;
static volatile uint64_t stop;
static volatile unsigned ticks, inside;

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Components of XFRM are in their initial state outside, the others the host's. */
static void check_frame(const ucontext_t *uc)
{
	uint64_t have = aex_frame_xstate(uc, &seen) & host_mask;

	if (have & XSTATE_SSE)
		CHECK(all_zero(seen.byte + XSTATE_XMM, 256), "the frame shows XMM registers");
	for (unsigned n = 2; n < 10; n++)
		if ((have & e.xfrm) >> n & 1)
			CHECK(all_zero(seen.byte + xstate_offset(n), xstate_component_size(n)),
			      "the frame shows component %u of the enclave", n);
	if (via != VIA_VDSO) {
		const char *bad = xstate_differs(&seen, &host_in, have & ~e.xfrm & ~XSTATE_PKRU);

		CHECK(!bad, "%s of the host differs in the frame", bad);
	}
}

static void tick(int signal, siginfo_t *info, void *context)
{
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	const ucontext_t *uc = context;

	(void)signal;
	(void)info;
	ticks++;
	if (aex_inside(uc, &e, 0)) {
		inside++;
		aex_check(uc, &e, 0, via == VIA_VDSO ? NULL : &registers);
		check_frame(uc);
	}
	if (inside >= SIGNALS) {
		setitimer(ITIMER_REAL, &off, NULL);
		stop = 1;
	}
	xstate_load(&spoil, host_mask & ~XSTATE_PKRU);
}

static void spin(void)
{
	struct itimerval timer = { { 0, 100 }, { 0, 100 } };
	struct message m = {
		.op = OP_SPIN,
		.a = { (uint64_t)&pattern, (uint64_t)&stop, (uint64_t)&seen, 0, e.xfrm, xstate_size(e.xfrm) },
	};
	const char *bad;

	registers = (struct registers){ .mask = 0 };
	if (via != VIA_VDSO) {
		registers.mask = host_mask;
		registers.xin = &host_in;
		registers.xout = &host_out;
	}
	stop = ticks = inside = 0;
	SYS(setitimer(ITIMER_REAL, &timer, NULL));
	enter_with(&e, 0, via, &m, &registers);
	bad = xstate_differs(&seen, &pattern, e.xfrm);
	CHECK(m.r[0] == 0, "round %lu: %s changed inside after %u signals", m.r[1], bad ? bad : "something", ticks);
	CHECK(inside >= SIGNALS, "%u of %u signals came inside", inside, ticks);
	CHECK(m.r[1] > 0, "no round");
	if (via == VIA_VDSO)
		return;
	bad = xstate_differs(&host_out, &pattern, host_mask & e.xfrm);
	CHECK(!bad, "%s is not as the enclave left it", bad);
	bad = xstate_differs(&host_out, &host_in, host_mask & ~e.xfrm);
	CHECK(!bad, "%s of the host did not survive", bad);
}

static void with_xfrm(uint64_t xfrm)
{
	struct enclave_spec spec = { .xfrm = xfrm };
	char part[80];

	enclave_load(&e, &spec);
	xstate_pattern(&pattern, xfrm, xfrm + 1);
	xstate_pattern(&host_in, host_mask, 2 * xfrm);
	for (via = 0; via < VIA_COUNT; via++) {
		snprintf(part, sizeof(part), "XFRM %#lx, %s", xfrm, via_name[via]);
		PART(part);
		spin();
	}
	PART("");
	enclave_close(&e);
	enclave_unmap(&e);
}

int main(void)
{
	static const uint64_t xfrm[] = { 3, 7, 0xe7 };

	host_mask = xcr0() & XSTATE_TESTED;
	xstate_pattern(&spoil, host_mask, 0x5901);
	aex_handle(SIGALRM, tick, SA_RESTART);
	for (size_t i = 0; i < sizeof(xfrm) / sizeof(xfrm[0]); i++) {
		if (xfrm[i] & ~xcr0())
			check_skip("XFRM %#lx is not in XCR0 %#lx", xfrm[i], xcr0());
		else
			with_xfrm(xfrm[i]);
	}
	return check_ok();
}
