/*
 * A SIGILL handler that runs with SIGILL blocked and executes ENCLU, as
 * Gramine's does: after #UD inside (nested entry, ERESUME by sigreturn), and
 * after UD2 in the host. Five thousand times each.
 */
#include "aex.h"

enum { TIMES = 5000 };

static struct enclave e;
static struct registers registers;
static volatile uint64_t inside, outside;
static enum via nested;

static bool sigill_blocked(void)
{
	sigset_t now;

	SYS(sigprocmask(SIG_BLOCK, NULL, &now));
	return sigismember(&now, SIGILL) == 1;
}

static void skip_cpuid(void)
{
	uint64_t rip = enclave_address(&e, fault_cpuid) + 2;
	struct message m = {
		.op = OP_COPY,
		.a = { enclave_gprsgx(&e, 0, 0) + offsetof(struct gprsgx, rip), (uint64_t)&rip, 8 },
	};

	enter(&e, 0, nested, &m);
	SAME(m.cssa, 1, "CSSA at the nested entry");
}

static void handler(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	SAME(info->si_code, ILL_ILLOPN, "si_code");
	CHECK(sigill_blocked(), "SIGILL is not blocked in its handler (signal %d)", signal);
	if (aex_inside(uc, &e, 0)) {
		inside++;
		aex_check(uc, &e, 0, &registers);
		skip_cpuid();
	} else {
		outside++;
		SAME(enclave_sum(&e, 0, nested, outside, inside), outside + inside, "sum");
		uc->uc_mcontext.gregs[REG_RIP] += 2;
	}
	CHECK(sigill_blocked(), "SIGILL is not blocked after ENCLU in its handler");
}

static void check_kept(void)
{
	struct sigaction now;

	SYS(sigaction(SIGILL, NULL, &now));
	CHECK(now.sa_sigaction == handler, "the disposition of SIGILL changed");
	CHECK(!(now.sa_flags & (int)SA_RESETHAND) && !(now.sa_flags & SA_NODEFER), "the flags of SIGILL changed, %#x",
	      now.sa_flags);
	CHECK(!sigill_blocked(), "SIGILL stayed blocked");
}

int main(void)
{
	struct enclave_spec spec = { .threads = 1 };

	enclave_load(&e, &spec);
	aex_handle(SIGILL, handler, 0);
	PART("#UD inside");
	for (uint64_t i = 0; i < TIMES; i++) {
		struct message m = { .op = OP_FAULT_CPUID, .a = { i } };

		nested = i % VIA_COUNT;
		registers = (struct registers){ .mask = 0 };
		enter_with(&e, 0, i % VIA_VDSO, &m, &registers);
		SAME(inside, i + 1, "signals");
		SAME(m.r[RBX], i, "RBX after ERESUME");
		SAME(m.r[R15], PATTERN(15ull), "R15 after ERESUME");
	}
	check_kept();
	PART("UD2 in the host");
	for (uint64_t i = 0; i < TIMES; i++) {
		nested = i % VIA_COUNT;
		__asm__ volatile("ud2" ::: "memory");
		SAME(outside, i + 1, "signals");
	}
	check_kept();
	return check_ok();
}
