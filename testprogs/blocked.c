/*
 * ENCLU, the vDSO function and CPUID while the fault signals are blocked,
 * ignored, or handled: none may be delivered, and masks and dispositions stay
 * as the program set them.
 */
#include "aex.h"

#include <cpuid.h>

enum { TIMES = 200 };

static const int signals[] = { SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP, SIGSYS };

enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static struct enclave e;

static void unexpected(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	CHECK(0, "signal %d, code %d, RIP %#llx", signal, info->si_code,
	      (unsigned long long)uc->uc_mcontext.gregs[REG_RIP]);
}

static void dispose(bool ignore)
{
	for (int i = 0; i < SIGNALS; i++) {
		if (ignore)
			CHECK(signal(signals[i], SIG_IGN) != SIG_ERR, "signal");
		else
			aex_handle(signals[i], unexpected, 0);
	}
}

static void block(bool blocked)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < SIGNALS; i++)
		sigaddset(&set, signals[i]);
	SYS(sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL));
}

static void check_kept(bool ignore, bool blocked)
{
	sigset_t mask, pending;

	SYS(sigprocmask(SIG_BLOCK, NULL, &mask));
	SYS(sigpending(&pending));
	for (int i = 0; i < SIGNALS; i++) {
		struct sigaction now;

		SYS(sigaction(signals[i], NULL, &now));
		if (ignore)
			CHECK(now.sa_handler == SIG_IGN, "signal %d is no longer ignored", signals[i]);
		else
			CHECK(now.sa_sigaction == unexpected, "signal %d lost its handler", signals[i]);
		SAME(sigismember(&mask, signals[i]), blocked, "signal blocked");
		SAME(sigismember(&pending, signals[i]), 0, "signal pending");
	}
}

static void work(void)
{
	unsigned a, b, c, d;

	for (uint64_t i = 0; i < TIMES; i++) {
		SAME(enclave_sum(&e, 0, i % VIA_COUNT, i, 1), i + 1, "sum");
		CHECK(__get_cpuid_count(7, 0, &a, &b, &c, &d), "CPUID 7");
		__cpuid_count(0x12, 0, a, b, c, d);
	}
}

int main(void)
{
	struct enclave_spec spec = { .threads = 1 };

	enclave_load(&e, &spec);
	for (int ignore = 0; ignore < 2; ignore++)
		for (int blocked = 0; blocked < 2; blocked++) {
			char part[40];

			snprintf(part, sizeof(part), "%s%s", ignore ? "ignored" : "handled", blocked ? ", blocked" : "");
			PART(part);
			dispose(ignore);
			block(blocked);
			work();
			check_kept(ignore, blocked);
			PART("");
		}
	return check_ok();
}
