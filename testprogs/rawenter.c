/*
 * ENCLU without the vDSO: each kind of AEP, the registers of EENTER and EEXIT,
 * FS and GS inside and outside, and entries that must fault at the ENCLU.
 */
#include "aex.h"

#include <asm/prctl.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <sys/time.h>

static struct enclave e;
static uint64_t gs_block[1] = { 0x6573706168657265 };
static __thread uint64_t fs_word = 0x666f6f6261727878;

static void check_host_segments(void)
{
	uint64_t word, base;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(word));
	SAME(word, gs_block[0], "GS of the host");
	SYS(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	SAME(base, (uint64_t)gs_block, "GS base of the host");
	SAME(fs_word, 0x666f6f6261727878, "FS of the host");
}

static void check_segments(enum via via)
{
	struct message m = { .op = OP_SEGMENTS };

	enter(&e, 0, via, &m);
	SAME(m.r[0], FS_MARK, "FS:0 inside");
	SAME(m.r[1], GS_MARK, "GS:0 inside");
	SAME(m.r[2], e.thread[0].data, "FS base inside");
	SAME(m.r[3], e.thread[0].gs, "GS base inside");
	check_host_segments();
}

static void check_registers(enum via via)
{
	static const int in[] = { RDX, RSI, R8, R9, R10, R12, R13, R14, R15 };
	struct message m = { .op = OP_REGISTERS };
	struct registers r = { .mask = 0 };

	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		r.gpr[in[i]] = 0x1234567800000000 + (uint64_t)in[i];
	enter_with(&e, 0, via, &m, &r);
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		SAME(m.r[in[i]], 0x1234567800000000 + (uint64_t)in[i], "register at entry");
	SAME(m.cssa, 0, "RAX at entry (CSSA)");
	SAME(m.r[RBX], e.thread[0].tcs, "RBX at entry");
	SAME(m.r[RDI], (uint64_t)&m, "RDI at entry");
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		SAME(r.gpr[in[i]], PATTERN((uint64_t)in[i]), "register after EEXIT");
	if (via == VIA_VDSO)
		return;
	SAME(m.r[RCX], (uint64_t)enter_enclu + 3, "RCX at entry");
	SAME(m.r[RSP], r.rsp, "RSP at entry");
	SAME(m.r[RBP], r.rbp, "RBP at entry");
	SAME(r.gpr[RAX], EEXIT, "RAX after EEXIT");
	SAME(r.gpr[RBX], (uint64_t)enter_enclu + 3, "RBX after EEXIT");
	SAME(r.gpr[RCX], via_aep(via), "RCX after EEXIT");
	SAME(r.gpr[RDI], (uint64_t)&m, "RDI after EEXIT");
	SAME(r.gpr[RSP], r.rsp, "RSP after EEXIT");
	SAME(r.gpr[RBP], r.rbp, "RBP after EEXIT");
}

/* --- interruptions: the AEP is used --- */

static volatile uint64_t stop;
static volatile unsigned ticks, inside;
/*
 * Exits, as far as they can be told apart: a signal may also come at the AEP,
 * before its first instruction, and then shows the same exit again.
 */
static volatile uint64_t exits, last_count;
static enum via ticking;
static struct registers *ticking_registers;

static void tick(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	struct itimerval off = { { 0, 0 }, { 0, 0 } };

	(void)signal;
	(void)info;
	check_host_segments();
	ticks++;
	if (aex_inside(uc, &e, 0)) {
		inside++;
		if (aep_sequence_count != last_count)
			exits++;
		last_count = aep_sequence_count;
		aex_check(uc, &e, 0, ticking_registers);
		if (ticking != VIA_VDSO)
			SAME(uc->uc_mcontext.gregs[REG_RIP], via_aep(ticking), "RIP in the frame");
	}
	if (inside == 50) {
		setitimer(ITIMER_REAL, &off, NULL);
		stop = 1;
	}
}

static void check_interruptions(enum via via)
{
	struct itimerval timer = { { 0, 300 }, { 0, 300 } };
	static struct xstate image;
	struct registers r = { .mask = 0 };
	struct message m = { .op = OP_SPIN };

	xstate_pattern(&image, e.xfrm, 7);
	m.a[0] = (uint64_t)&image;
	m.a[1] = (uint64_t)&stop;
	m.a[4] = e.xfrm;
	m.a[5] = xstate_size(e.xfrm);
	ticking = via;
	ticking_registers = via == VIA_VDSO ? NULL : &r;
	stop = ticks = inside = exits = 0;
	aep_sequence_count = 0;
	last_count = ~0ull;
	SYS(setitimer(ITIMER_REAL, &timer, NULL));
	enter_with(&e, 0, via, &m, &r);
	SAME(m.r[0], 0, "rounds with wrong vector state");
	CHECK(inside >= 50, "%u of %u signals came inside", inside, ticks);
	if (via == VIA_RAW_SEQUENCE)
		CHECK(exits > 0 && aep_sequence_count >= exits, "the AEP ran %lu times for %lu exits",
		      aep_sequence_count, exits);
	else
		SAME(aep_sequence_count, 0, "runs of the wrong AEP");
}

/* --- faults at the ENCLU --- */

static sigjmp_buf out;
static siginfo_t fault_info;
static ucontext_t fault_context;

static void fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	fault_info = *info;
	fault_context = *(const ucontext_t *)context;
	siglongjmp(out, 1);
}

static void must_fault(const char *what, uint64_t leaf, uint64_t tcs, uint64_t aep, int code, uint64_t address)
{
	static struct message m = { .op = OP_NOP };
	static struct registers r;
	const greg_t *gregs = fault_context.uc_mcontext.gregs;

	PART(what);
	r = (struct registers){ .mask = 0 };
	r.gpr[RAX] = leaf;
	r.gpr[RBX] = tcs;
	r.gpr[RCX] = aep;
	r.gpr[RDI] = (uint64_t)&m;
	r.gpr[R9] = 99;
	if (!sigsetjmp(out, 1)) {
		enter_raw(&r);
		CHECK(0, "it did not fault");
	}
	SAME(fault_info.si_signo, SIGSEGV, "signal");
	SAME(fault_info.si_code, code, "si_code");
	SAME(fault_info.si_addr, address, "si_addr");
	SAME(gregs[REG_RIP], (uint64_t)enter_enclu, "RIP");
	SAME(gregs[REG_RAX], leaf, "RAX");
	SAME(gregs[REG_RBX], tcs, "RBX");
	SAME(gregs[REG_RCX], aep, "RCX");
	SAME(gregs[REG_R9], 99, "R9");
	SAME(gregs[REG_RSP], r.rsp, "RSP");
	check_host_segments();
	PART("after a fault");
	SAME(enclave_sum(&e, 0, VIA_RAW_BARE, 20, 22), 42, "sum");
}

static void check_faults(void)
{
	uint64_t tcs = e.thread[0].tcs, aep = (uint64_t)aep_bare;

	aex_handle(SIGSEGV, fault, 0);
	must_fault("EENTER, TCS not aligned", EENTER, tcs + 8, aep, SI_KERNEL, 0);
	must_fault("EENTER, AEP not canonical", EENTER, tcs, 1ull << 63, SI_KERNEL, 0);
	must_fault("EENTER, a page that is no TCS", EENTER, e.read_write, aep, SEGV_ACCERR, e.read_write);
	must_fault("EENTER, nothing mapped", EENTER, 0x1000, aep,
		   SEGV_MAPERR, 0x1000);
	must_fault("ERESUME, CSSA 0", ERESUME, tcs, aep, SI_KERNEL, 0);
	must_fault("EEXIT outside", EEXIT, tcs, aep, SI_KERNEL, 0);
	must_fault("EREPORT outside", 0, tcs, aep, SI_KERNEL, 0);
	must_fault("leaf 0x55", 0x55, tcs, aep, SI_KERNEL, 0);
}

int main(void)
{
	struct enclave_spec spec = { .threads = 1 };
	struct message m = { .op = OP_NOP };
	struct registers r = { .mask = 0 };

	enclave_load(&e, &spec);
	SYS(syscall(SYS_arch_prctl, ARCH_SET_GS, gs_block));
	aex_handle(SIGALRM, tick, 0);
	for (enum via via = 0; via < VIA_COUNT; via++) {
		PART(via_name[via]);
		SAME(enclave_sum(&e, 0, via, 40, 2), 42, "sum");
		check_segments(via);
		check_registers(via);
		check_interruptions(via);
		SAME(enclave_sum(&e, 0, via, 1, 2), 3, "sum");
	}
	PART("RAX above 32 bits is ignored");
	r.gpr[RAX] = 0xdeadbeef00000000 | EENTER;
	r.gpr[RBX] = e.thread[0].tcs;
	r.gpr[RCX] = (uint64_t)aep_bare;
	r.gpr[RDI] = (uint64_t)&m;
	enter_raw(&r);
	check_faults();
	return check_ok();
}
