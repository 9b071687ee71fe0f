/*
 * Three threads inside one enclave at once, each with its own TCS, vector
 * state and thread data; then many short entries; then a busy TCS.
 */
#include "aex.h"

#include <pthread.h>
#include <setjmp.h>

enum { THREADS = 3, ENTRIES = 3000, ROUNDS = 30 };

static struct enclave e;
static uint64_t mask, arrived;
static pthread_barrier_t barrier;

static void check_own_segments(unsigned n, enum via via)
{
	struct message m = { .op = OP_SEGMENTS };

	enter(&e, n, via, &m);
	SAME(m.r[2], e.thread[n].data, "FS base inside");
	SAME(m.r[3], e.thread[n].gs, "GS base inside");
}

static void entries(unsigned n, enum via via)
{
	static struct xstate images[THREADS], seen[THREADS];
	struct message spin = {
		.op = OP_SPIN,
		.a = { (uint64_t)&images[n], 0, (uint64_t)&seen[n], ROUNDS, mask, xstate_size(mask) },
	};
	struct message inc = { .op = OP_INC, .a = { e.read_write, 1 } };

	xstate_pattern(&images[n], mask, 31 * n);
	for (uint64_t i = 0; i < ENTRIES; i++) {
		SAME(enclave_sum(&e, n, via, i << 8, n), (i << 8) + n, "sum");
		enter(&e, n, via, &inc);
		if (i % 64 == 0) {
			enter(&e, n, via, &spin);
			SAME(spin.r[0], 0, "vector state of another thread");
			check_own_segments(n, via);
		}
	}
}

static void *thread(void *argument)
{
	unsigned n = (unsigned)(uintptr_t)argument;

	for (enum via via = VIA_RAW_BARE; via < VIA_COUNT; via++) {
		struct message meet = { .op = OP_RENDEZVOUS, .a = { (uint64_t)&arrived, THREADS } };

		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			arrived = 0;
		pthread_barrier_wait(&barrier);
		enter(&e, n, via, &meet);
		entries(n, via);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* --- a TCS in use --- */

static volatile uint64_t stop;
static sigjmp_buf out;

static void fault(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	SAME(signal, SIGSEGV, "signal");
	SAME(info->si_code, SI_KERNEL, "si_code");
	SAME(uc->uc_mcontext.gregs[REG_RIP], (uint64_t)enter_enclu, "RIP");
	SAME(uc->uc_mcontext.gregs[REG_RAX], EENTER, "RAX");
	siglongjmp(out, 1);
}

static void *occupy(void *argument)
{
	struct message m = { .op = OP_RENDEZVOUS, .a = { (uint64_t)&stop, 2 } };

	(void)argument;
	enter(&e, 0, VIA_RAW_BARE, &m);
	return NULL;
}

static void check_busy(void)
{
	struct message m = { .op = OP_NOP };
	struct sgx_enclave_run run = { .tcs = e.thread[0].tcs };
	struct registers r = { .mask = 0 };
	pthread_t other;

	PART("busy TCS");
	stop = 0;
	CHECK(pthread_create(&other, NULL, occupy, NULL) == 0, "pthread_create");
	while (__atomic_load_n(&stop, __ATOMIC_SEQ_CST) == 0)
		;
	aex_handle(SIGSEGV, fault, 0);
	for (volatile int i = 0; i < 20; i++) {
		if (!sigsetjmp(out, 1)) {
			enter(&e, 0, VIA_RAW_BARE, &m);
			CHECK(0, "a busy TCS let a second thread in");
		}
	}
	enter_run(&e, 0, EENTER, &m, &r, &run);
	SAME(run.function, EENTER, "run.function");
	SAME(run.exception_vector, 13, "run.exception_vector");
	SAME(enclave_sum(&e, 1, VIA_VDSO, 1, 1), 2, "sum in another TCS");
	__atomic_store_n(&stop, 2, __ATOMIC_SEQ_CST);
	CHECK(pthread_join(other, NULL) == 0, "pthread_join");
	SAME(enclave_sum(&e, 0, VIA_RAW_BARE, 1, 1), 2, "sum when it is free again");
}

int main(void)
{
	struct enclave_spec spec = { .threads = THREADS };
	pthread_t threads[THREADS];

	mask = xcr0() & 7;
	if (mask != 7)
		mask = 3;
	spec.xfrm = mask;
	enclave_load(&e, &spec);
	CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0, "pthread_barrier_init");
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, thread, (void *)i) == 0, "pthread_create");
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0, "pthread_join");
	SAME(enclave_get(&e, 0, VIA_VDSO, e.read_write), 3ull * THREADS * ENTRIES, "count of all threads");
	check_busy();
	return check_ok();
}
