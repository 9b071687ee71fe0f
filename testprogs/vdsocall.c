/*
 * The contract of __vdso_sgx_enter_enclave (Linux 6.1, arch/x86/entry/vdso/vsgx.S
 * and uapi/asm/sgx.h): refusals, handler results, nested calls, registers.
 */
#include "aex.h"

#include <setjmp.h>
#include <sys/mman.h>

static struct enclave e;
static struct message m;
static struct registers r;
static struct sgx_enclave_run run;

static int call(unsigned long function)
{
	r = (struct registers){ .mask = 0 };
	r.gpr[RDI] = (uint64_t)&m;
	return enter_vdso(&r, function, &run, enter_function());
}

static void prepare(uint64_t op, sgx_enclave_user_handler_t handler)
{
	m = (struct message){ .op = op, .a = { 2, 3 } };
	memset(&run, 0, sizeof(run));
	run.tcs = e.thread[0].tcs;
	run.user_handler = (uint64_t)handler;
}

static void check_refusals(void)
{
	static const unsigned functions[] = { 0, 1, 4, 5, 0xffffffff };

	PART("refusals");
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		prepare(OP_ADD, NULL);
		run.function = 77;
		SAME(call(functions[i]), -EINVAL, "function");
		SAME(run.function, 77, "run.function is untouched");
		SAME(m.r[0], 0, "no entry");
	}
	for (size_t i = 0; i < sizeof(run.reserved); i++) {
		prepare(OP_ADD, NULL);
		((uint8_t *)run.reserved)[i] = 1;
		SAME(call(EENTER), -EINVAL, "reserved byte");
	}
	prepare(OP_ADD, NULL);
	SAME(call(0x100000000 | EENTER), 0, "function is 32 bits wide");
	SAME(m.r[0], 5, "sum");
}

static void check_exceptions(void)
{
	PART("exceptions");
	prepare(OP_ADD, NULL);
	run.tcs += 8;
	SAME(call(EENTER), 0, "EENTER faults");
	SAME(run.function, EENTER, "run.function");
	SAME(run.exception_vector, 13, "vector");
	SAME(run.exception_error_code, 0, "error code");
	SAME(run.exception_addr, 0, "address");
	run.tcs -= 8;
	SAME(call(ERESUME), 0, "ERESUME faults");
	SAME(run.function, ERESUME, "run.function");
	SAME(run.exception_vector, 13, "vector");
	SAME(call(EENTER), 0, "EENTER");
	SAME(run.function, EEXIT, "run.function");
	SAME(run.exception_vector, 13, "the vector stays");
	SAME(m.r[0], 5, "sum");
}

/* --- what a handler returns --- */

static int result;
static unsigned calls;
static long got[6];

static int plain_handler(long rdi, long rsi, long rdx, long rsp, long r8, long r9, struct sgx_enclave_run *given)
{
	CHECK(given == &run, "run in the handler");
	CHECK((uintptr_t)__builtin_frame_address(0) % 16 == 0, "the handler's stack");
	got[0] = rdi;
	got[1] = rsi;
	got[2] = rdx;
	got[3] = rsp;
	got[4] = r8;
	got[5] = r9;
	calls++;
	return result;
}

static void check_results(void)
{
	static const struct {
		int handler, call;
	} rows[] = { { 0, 0 }, { -5, -5 }, { -1, -1 }, { 1, -EINVAL }, { 4, -EINVAL }, { 77, -EINVAL } };

	PART("handler results");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		prepare(OP_REGISTERS, plain_handler);
		result = rows[i].handler;
		calls = 0;
		SAME(call(EENTER), rows[i].call, "result");
		SAME(calls, 1, "calls of the handler");
		SAME(run.function, EEXIT, "run.function");
		SAME(got[0], (uint64_t)&m, "RDI");
		SAME(got[1], PATTERN(6ull), "RSI");
		SAME(got[2], PATTERN(2ull), "RDX");
		SAME(got[4], PATTERN(8ull), "R8");
		SAME(got[5], PATTERN(9ull), "R9");
		SAME(got[3], m.r[RSP], "RSP at EEXIT");
	}
	prepare(OP_REGISTERS, plain_handler);
	run.reserved[0] = 1;
	calls = 0;
	SAME(call(EENTER), -EINVAL, "reserved byte");
	SAME(calls, 0, "no handler on a refusal");
}

/* Repairs the page and resumes: one call from the caller's view. */
static int repair_handler(long rdi, long rsi, long rdx, long rsp, long r8, long r9, struct sgx_enclave_run *given)
{
	(void)rsp, (void)r8, (void)r9;
	calls++;
	if (given->function == EEXIT)
		return 0;
	SAME(rdi, 14, "RDI is the vector");
	SAME(rsi, given->exception_error_code, "RSI is the error code");
	SAME(rdx, given->exception_addr, "RDX is the address");
	SAME(given->exception_addr, e.read_write, "address");
	SYS(mprotect((void *)e.read_write, PAGE, PROT_READ | PROT_WRITE));
	if (given->user_data)
		((uint8_t *)given->reserved)[given->user_data] = 1;
	return ERESUME;
}

static void check_resume(void)
{
	PART("handler resumes");
	prepare(OP_PUT, repair_handler);
	m.a[0] = e.read_write;
	m.a[1] = 0x5150;
	SYS(mprotect((void *)e.read_write, PAGE, PROT_NONE));
	calls = 0;
	SAME(call(EENTER), 0, "result");
	SAME(calls, 2, "calls of the handler");
	SAME(enclave_get(&e, 0, VIA_VDSO, e.read_write), 0x5150, "the word written");

	PART("reserved is checked again");
	prepare(OP_PUT, repair_handler);
	m.a[0] = e.read_write;
	m.a[1] = 0x5151;
	run.user_data = 215;
	SYS(mprotect((void *)e.read_write, PAGE, PROT_NONE));
	SAME(call(EENTER), -EINVAL, "result");
	run.reserved[215] = 0;
	run.user_data = 0;
	SAME(call(ERESUME), 0, "ERESUME by the caller");
	SAME(run.function, EEXIT, "run.function");
	SAME(enclave_get(&e, 0, VIA_VDSO, e.read_write), 0x5151, "the word written");
}

/* --- a second entry, to another TCS --- */

__attribute__((used))
static int other_tcs(struct sgx_enclave_run *given)
{
	calls++;
	if (calls == 2)
		return 0;
	SAME(m.r[2], e.thread[0].data, "FS base at the first entry");
	given->tcs = e.thread[1].tcs;
	return EENTER;
}

/* RDI at the second entry is what the handler leaves there, so its end is not C. */
int other_tcs_handler(long, long, long, long, long, long, struct sgx_enclave_run *);
__asm__(
	"	.text\n"
	"	.type	other_tcs_handler, @function\n"
	"other_tcs_handler:\n"
	"	push	%rdi\n"
	"	mov	16(%rsp), %rdi\n"
	"	call	other_tcs\n"
	"	pop	%rdi\n"
	"	ret\n"
	"	.size	other_tcs_handler, . - other_tcs_handler\n");

static void check_other_tcs(void)
{
	PART("handler changes the TCS");
	calls = 0;
	prepare(OP_SEGMENTS, other_tcs_handler);
	SAME(call(EENTER), 0, "result");
	SAME(calls, 2, "calls of the handler");
	SAME(m.r[2], e.thread[1].data, "FS base at the second entry");
}

static int nested_handler(long rdi, long rsi, long rdx, long rsp, long r8, long r9, struct sgx_enclave_run *given)
{
	(void)rdi, (void)rsi, (void)rdx, (void)rsp, (void)r8, (void)r9, (void)given;
	calls++;
	SAME(enclave_sum(&e, 1, VIA_VDSO, calls, 5), calls + 5, "sum in a nested call, other TCS");
	SAME(enclave_sum(&e, 0, VIA_VDSO, calls, 6), calls + 6, "sum in a nested call, same TCS");
	return 0;
}

static sigjmp_buf out;

static int jumping_handler(long rdi, long rsi, long rdx, long rsp, long r8, long r9, struct sgx_enclave_run *given)
{
	(void)rdi, (void)rsi, (void)rdx, (void)rsp, (void)r8, (void)r9, (void)given;
	siglongjmp(out, 1);
}

static void check_nested(void)
{
	PART("nested calls");
	calls = 0;
	prepare(OP_ADD, nested_handler);
	SAME(call(EENTER), 0, "result");
	SAME(calls, 1, "calls of the handler");
	SAME(m.r[0], 5, "sum");
	PART("longjmp out of a handler");
	for (volatile int i = 0; i < 20; i++) {
		prepare(OP_ADD, jumping_handler);
		if (!sigsetjmp(out, 1)) {
			call(EENTER);
			CHECK(0, "the handler returned");
		}
	}
	SAME(enclave_sum(&e, 0, VIA_VDSO, 7, 7), 14, "sum after it");
}

int main(void)
{
	struct enclave_spec spec = { .threads = 2 };

	enclave_load(&e, &spec);
	check_refusals();
	check_exceptions();
	check_results();
	check_resume();
	check_other_tcs();
	check_nested();
	PART("");
	return check_ok();
}
