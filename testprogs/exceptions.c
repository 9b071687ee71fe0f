/*
 * Faults inside: signal, siginfo and frame when entered by our own ENCLU, the
 * run structure when entered by the vDSO; in both cases the SSA frame as a
 * nested entry finds it, and ERESUME from a frame that was rewritten.
 */
#include "aex.h"

#include <sys/mman.h>

static struct enclave e;

struct fault_case {
	const char *name;
	uint64_t op;
	const uint8_t *instruction;
	unsigned length; /* of the instruction, 0: repair and run it again */
	unsigned vector;
	int signal, code;
	uint32_t error;
	bool read_only_mapping, unmapped; /* the page at RBX; else it is PROT_NONE */
};

static const struct fault_case cases[] = {
	{ .name = "CPUID", .op = OP_FAULT_CPUID, .instruction = fault_cpuid, .length = 2,
	  .vector = 6, .signal = SIGILL, .code = ILL_ILLOPN },
	{ .name = "SYSCALL", .op = OP_FAULT_SYSCALL, .instruction = fault_syscall, .length = 2,
	  .vector = 6, .signal = SIGILL, .code = ILL_ILLOPN },
	{ .name = "UD2", .op = OP_FAULT_UD2, .instruction = fault_ud2, .length = 2,
	  .vector = 6, .signal = SIGILL, .code = ILL_ILLOPN },
	/* #UD too: the entry is opt-out, as no debugger set TCS.FLAGS.DBGOPTIN. */
	{ .name = "INT3", .op = OP_FAULT_INT3, .instruction = fault_int3, .length = 1,
	  .vector = 6, .signal = SIGILL, .code = ILL_ILLOPN },
	{ .name = "DIV by 0", .op = OP_FAULT_DIV, .instruction = fault_div, .length = 3,
	  .vector = 0, .signal = SIGFPE, .code = FPE_INTDIV },
	{ .name = "HLT", .op = OP_FAULT_HLT, .instruction = fault_hlt, .length = 1,
	  .vector = 13, .signal = SIGSEGV, .code = SI_KERNEL },
	{ .name = "write, mapped read-only", .op = OP_FAULT_WRITE, .instruction = fault_write,
	  .vector = 14, .signal = SIGSEGV, .code = SEGV_ACCERR, .error = 7,
	  .read_only_mapping = true },
	{ .name = "write, mapped PROT_NONE", .op = OP_FAULT_WRITE, .instruction = fault_write,
	  .vector = 14, .signal = SIGSEGV, .code = SEGV_ACCERR, .error = 6 },
	{ .name = "read, mapped PROT_NONE", .op = OP_FAULT_READ, .instruction = fault_read,
	  .vector = 14, .signal = SIGSEGV, .code = SEGV_ACCERR, .error = 4 },
	{ .name = "read, not mapped", .op = OP_FAULT_READ, .instruction = fault_read,
	  .vector = 14, .signal = SIGSEGV, .code = SEGV_MAPERR, .error = 4,
	  .unmapped = true },
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static const uint64_t page_word = 0x0123456789abcdef;
static const uint64_t new_rax = 0xfeedfacecafebeef;

static bool at_page(const struct fault_case *c)
{
	return c->vector == 14;
}

/*
 * SYSCALL overwrites RCX and R11 where it does run, so no compiler and no
 * runtime expects them back; a platform whose kernel sees it first cannot know
 * what they were. They are not looked at.
 */
static bool lost(const struct fault_case *c, uint64_t n)
{
	return c->op == OP_FAULT_SYSCALL && (n == RCX || n == R11);
}

/* RBX in the fault: an odd place in the page, to tell MADDR from si_addr. */
static uint64_t rbx(const struct fault_case *c)
{
	if (at_page(c))
		return e.read_write + 0x128;
	return c->vector == 0 ? 0 : PATTERN(3ull);
}

static void break_page(const struct fault_case *c, enum via via)
{
	enclave_put(&e, 0, via, e.read_write + 0x128, page_word);
	if (c->unmapped)
		SYS(munmap((void *)e.read_write, PAGE));
	else
		SYS(mprotect((void *)e.read_write, PAGE, c->read_only_mapping ? PROT_READ : PROT_NONE));
}

static void repair_page(const struct fault_case *c)
{
	void *page = (void *)e.read_write;

	if (c->unmapped)
		CHECK(mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, e.fd, 0) == page,
		      "mapping the page again");
	else
		SYS(mprotect(page, PAGE, PROT_READ | PROT_WRITE));
}

/* --- the SSA frame --- */

static uint8_t frame[8 * PAGE];

static void nested_copy(enum via via, void *to, uint64_t from, uint64_t length, bool in)
{
	struct message m = { .op = OP_COPY, .a = { (uint64_t)to, from, length } };

	if (in)
		m = (struct message){ .op = OP_COPY, .a = { from, (uint64_t)to, length } };
	enter(&e, 0, via, &m);
	SAME(m.cssa, 1, "CSSA at the nested entry");
}

static void check_exit_information(const struct fault_case *c, const struct gprsgx *g)
{
	bool reported = c->vector != 13 && c->vector != 14;
	const struct exinfo *x = (const void *)((const uint8_t *)g - sizeof(struct exinfo));

	if (!reported && !(e.miscselect & MISC_EXINFO)) {
		SAME(g->exitinfo, 0, "EXITINFO without EXINFO");
		return;
	}
	SAME(g->exitinfo, 0x80000300 | c->vector, "EXITINFO");
	if (!reported) {
		SAME(x->maddr, c->vector == 14 ? rbx(c) : 0, "EXINFO.MADDR");
		SAME(x->errcd, c->error, "EXINFO.ERRCD");
	}
}

static void check_ssa(const struct fault_case *c, enum via via, const struct registers *r)
{
	static const char *const names[16] = {
		"SSA RAX", "SSA RCX", "SSA RDX", "SSA RBX", "SSA RSP", "SSA RBP", "SSA RSI", "SSA RDI",
		"SSA R8", "SSA R9", "SSA R10", "SSA R11", "SSA R12", "SSA R13", "SSA R14", "SSA R15",
	};
	size_t size = e.ssa_frame_size * PAGE;
	const struct gprsgx *g = (const void *)(frame + size - sizeof(*g));
	uint64_t bv;

	CHECK(size <= sizeof(frame), "SSA frame of %zu bytes", size);
	memset(frame, 0xaa, sizeof(frame));
	nested_copy(via, frame, enclave_ssa(&e, 0, 0), size, false);
	for (uint64_t i = 0; i < 16; i++)
		if (!lost(c, i))
			SAME(g->gpr[i], i == RBX ? rbx(c) : PATTERN(i), names[i]);
	SAME(g->rflags & 0x8d5, 0x8d5, "arithmetic flags in the SSA");
	SAME(g->rflags & 0x100, 0, "TF in the SSA");
	SAME(g->rip, enclave_address(&e, c->instruction), "SSA RIP");
	SAME(g->fsbase, e.thread[0].data, "SSA FSBASE");
	SAME(g->gsbase, e.thread[0].gs, "SSA GSBASE");
	if (r) {
		SAME(g->ursp, r->rsp, "SSA URSP");
		SAME(g->urbp, r->rbp, "SSA URBP");
	}
	check_exit_information(c, g);
	memcpy(&bv, frame + XSTATE_HEADER, 8);
	SAME(bv & ~e.xfrm, 0, "XSTATE_BV outside XFRM");
	for (int i = 8; i < 64; i++)
		SAME(frame[XSTATE_HEADER + i], 0, "XSAVE header");
}

/* Skip or repair, and let RAX of the frame be another value. */
static void repair(const struct fault_case *c, enum via via)
{
	struct gprsgx *g = (void *)(frame + e.ssa_frame_size * PAGE - sizeof(*g));

	if (at_page(c))
		repair_page(c);
	g->rip += c->length;
	g->gpr[RAX] = new_rax;
	nested_copy(via, g, enclave_gprsgx(&e, 0, 0), 8, true);
	nested_copy(via, &g->rip, enclave_gprsgx(&e, 0, 0) + offsetof(struct gprsgx, rip), 8, true);
}

static void check_after(const struct fault_case *c, enum via via, const struct message *m)
{
	uint64_t rax = c->op == OP_FAULT_READ ? page_word : new_rax;

	for (uint64_t i = 0; i < 16; i++)
		if (!lost(c, i))
			SAME(m->r[i], i == RAX ? rax : i == RBX ? rbx(c) : PATTERN(i), "register after ERESUME");
	SAME(m->r[16] & 0xd501, 0xd501, "flags after ERESUME (AH: LAHF, AL: OF)");
	if (c->op == OP_FAULT_WRITE)
		SAME(enclave_get(&e, 0, via, rbx(c)), new_rax, "the word written");
}

/* --- by signal --- */

static const struct fault_case *current;
static enum via current_via;
static struct registers current_registers;
static volatile unsigned faults;

static void handler(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	const struct fault_case *c = current;
	uint64_t address = c->vector == 13 ? 0 : at_page(c) ? e.read_write : via_aep(current_via);

	faults++;
	CHECK(faults == 1, "signal %d again: code %d, address %p, RIP %#llx", signal, info->si_code,
	      info->si_addr, (unsigned long long)uc->uc_mcontext.gregs[REG_RIP]);
	CHECK(aex_inside(uc, &e, 0), "not an exit from the enclave: signal %d, code %d, RIP %#llx, RAX %#llx",
	      signal, info->si_code, (unsigned long long)uc->uc_mcontext.gregs[REG_RIP],
	      (unsigned long long)uc->uc_mcontext.gregs[REG_RAX]);
	aex_check(uc, &e, 0, &current_registers);
	SAME(uc->uc_mcontext.gregs[REG_RIP], via_aep(current_via), "RIP in the frame");
	SAME(signal, c->signal, "signal");
	SAME(info->si_code, c->code, "si_code");
	SAME(info->si_addr, address, "si_addr");
	check_ssa(c, current_via, &current_registers);
	repair(c, current_via);
}

static void by_signal(const struct fault_case *c, enum via via)
{
	struct message m = { .op = c->op, .a = { rbx(c) } };
	char part[80];

	snprintf(part, sizeof(part), "%s (%s)", c->name, via_name[via]);
	PART(part);
	current = c;
	current_via = via;
	current_registers = (struct registers){ .mask = 0 };
	faults = 0;
	if (at_page(c))
		break_page(c, via);
	enter_with(&e, 0, via, &m, &current_registers);
	SAME(faults, 1, "signals");
	check_after(c, via, &m);
	PART("");
}

/* --- by the vDSO --- */

static void by_vdso(const struct fault_case *c)
{
	struct message m = { .op = c->op, .a = { rbx(c) } };
	struct sgx_enclave_run run = { .exception_vector = 0xffff };
	struct registers r = { .mask = 0 };
	char part[80];

	snprintf(part, sizeof(part), "%s (vDSO)", c->name);
	PART(part);
	faults = 1; /* no signal may come */
	if (at_page(c))
		break_page(c, VIA_VDSO);
	enter_run(&e, 0, EENTER, &m, &r, &run);
	SAME(run.function, ERESUME, "run.function");
	SAME(run.exception_vector, c->vector, "run.exception_vector");
	SAME(run.exception_error_code, c->error, "run.exception_error_code");
	SAME(run.exception_addr, at_page(c) ? e.read_write : 0, "run.exception_addr");
	check_ssa(c, VIA_VDSO, NULL);
	repair(c, VIA_VDSO);
	enter_run(&e, 0, ERESUME, &m, &r, &run);
	SAME(run.function, EEXIT, "run.function after ERESUME");
	SAME(run.exception_vector, c->vector, "run.exception_vector stays");
	check_after(c, VIA_VDSO, &m);
	PART("");
}

int main(void)
{
	struct enclave_spec spec = { .threads = 1 };

	enclave_load(&e, &spec);
	aex_handle(SIGILL, handler, 0);
	aex_handle(SIGFPE, handler, 0);
	aex_handle(SIGSEGV, handler, 0);
	aex_handle(SIGTRAP, handler, 0);
	aex_handle(SIGBUS, handler, 0);
	aex_handle(SIGSYS, handler, 0);
	for (int i = 0; i < CASES; i++)
		for (enum via via = 0; via < VIA_VDSO; via++)
			by_signal(&cases[i], via);
	for (int i = 0; i < CASES; i++)
		by_vdso(&cases[i]);
	return check_ok();
}
