// Runs __vdso_sgx_enter_enclave from a file and plays the CPU and the enclave:
// the trap site becomes UD2, and the SIGILL handler does what ENCLU would.
//
//   contract FILE ENTER ENCLU EXCEPTION        (offsets in the file, decimal)
//
// Prints "ok ROW" or "not ok ROW -- why", a row a line.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct run {
	uint64_t tcs;
	uint32_t function;
	uint16_t vector, error;
	uint64_t addr, handler, data;
	uint8_t reserved[216];
} __attribute__((packed));

_Static_assert(sizeof(struct run) == 256, "sgx_enclave_run");

static uint8_t *page;
static uint64_t enter, enclu, exception;

// What the wrapper below loads before the call and finds after it. Assembly names
// these objects, so they are not static. In order:
// rdi rsi rdx rcx r8 r9 r10 r11 r12 r13 r14 r15 rbx run function-address.
uint64_t in[15], out[15];
uint64_t rsp_before, rsp_after, rbp_before, rbp_after;

// call_it loads every register from in, calls, and stores every register in out.
long call_it(void);
__asm__(
	".text\n"
	"call_it:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	sub $8, %rsp\n"
	"	lea in(%rip), %rax\n"
	"	mov 0(%rax), %rdi\n	mov 8(%rax), %rsi\n	mov 16(%rax), %rdx\n	mov 24(%rax), %rcx\n"
	"	mov 32(%rax), %r8\n	mov 40(%rax), %r9\n	mov 48(%rax), %r10\n	mov 56(%rax), %r11\n"
	"	mov 64(%rax), %r12\n	mov 72(%rax), %r13\n	mov 80(%rax), %r14\n	mov 88(%rax), %r15\n"
	"	mov 96(%rax), %rbx\n"
	"	mov $0x5555aaaa, %ebp\n	mov %rbp, rbp_before(%rip)\n"
	"	push 104(%rax)\n"
	"	mov %rsp, rsp_before(%rip)\n"
	"	call *112(%rax)\n"
	"	mov %rsp, rsp_after(%rip)\n"
	"	mov %rbp, rbp_after(%rip)\n"
	"	cld\n"
	"	add $8, %rsp\n"
	"	push %rax\n"
	"	lea out(%rip), %rax\n"
	"	mov %rdi, 0(%rax)\n	mov %rsi, 8(%rax)\n	mov %rdx, 16(%rax)\n	mov %rcx, 24(%rax)\n"
	"	mov %r8, 32(%rax)\n	mov %r9, 40(%rax)\n	mov %r10, 48(%rax)\n	mov %r11, 56(%rax)\n"
	"	mov %r12, 64(%rax)\n	mov %r13, 72(%rax)\n	mov %r14, 80(%rax)\n	mov %r15, 88(%rax)\n"
	"	mov %rbx, 96(%rax)\n"
	"	pop %rax\n"
	"	add $8, %rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n");

// The enclave of a row: called at each ENCLU with the registers to change. It
// returns 0 for EEXIT or 1 for an exception.
static int (*enclave)(greg_t *g);
static int entries;
static greg_t at_entry[8][NGREG]; // registers at each ENCLU

static sigjmp_buf segv_back;
static uint64_t segv_rip;

static void on_ill(int sig, siginfo_t *info, void *p)
{
	ucontext_t *u = p;
	greg_t *g = u->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	if ((uint64_t)g[REG_RIP] != enclu) {
		printf("not ok trap site -- #UD at %#llx\n", (unsigned long long)g[REG_RIP]);
		exit(1);
	}
	memcpy(at_entry[entries & 7], g, sizeof(at_entry[0]));
	entries++;
	if (enclave(g))
		g[REG_RIP] = exception;
	else
		g[REG_RIP] = enclu + 3;
}

static void on_segv(int sig, siginfo_t *info, void *p)
{
	(void)sig;
	(void)info;
	segv_rip = ((ucontext_t *)p)->uc_mcontext.gregs[REG_RIP];
	siglongjmp(segv_back, 1);
}

// The user handler of a row, and what it was called with.
struct { uint64_t rdi, rsi, rdx, rsp, r8, r9, run, own_rsp, flags; } seen;
int calls;
long (*handler)(struct run *);

// handler_entry looks at the machine before C touches it.
long handler_entry(void);
__asm__(
	".text\n"
	"handler_entry:\n"
	"	mov %rdi, seen+0(%rip)\n	mov %rsi, seen+8(%rip)\n	mov %rdx, seen+16(%rip)\n	mov %rcx, seen+24(%rip)\n"
	"	mov %r8, seen+32(%rip)\n	mov %r9, seen+40(%rip)\n"
	"	mov 8(%rsp), %rax\n	mov %rax, seen+48(%rip)\n"
	"	mov %rsp, seen+56(%rip)\n"
	"	pushf\n	pop %rax\n	mov %rax, seen+64(%rip)\n"
	"	cld\n"
	"	incl calls(%rip)\n"
	"	mov 8(%rsp), %rdi\n"
	"	sub $8, %rsp\n"
	"	call *handler(%rip)\n"
	"	add $8, %rsp\n"
	"	mov $0x1111, %edi\n	mov $0x2222, %esi\n	mov $0x3333, %edx\n	mov $0x8888, %r8d\n	mov $0x9999, %r9d\n"
	"	ret\n");

static const char *row;
static int failed, any;

#define CHECK(cond) do { if (!(cond) && !failed) { failed = 1; \
	printf("not ok %s -- %s (line %d)\n", row, #cond, __LINE__); } } while (0)

static struct run run;
static jmp_buf out_of_handler;
static uint64_t exit_rsp;

static void begin(const char *name)
{
	row = name;
	failed = entries = calls = 0;
	memset(&run, 0, sizeof(run));
	memset(&seen, 0, sizeof(seen));
	run.tcs = 0x7000;
	for (int i = 0; i < 13; i++)
		in[i] = 0x1000 + i;
	in[3] = 2;
	in[13] = (uint64_t)&run;
	in[14] = enter;
}

static void end(void)
{
	if (!failed)
		printf("ok %s\n", row);
	any |= failed;
}

// preserved checks what C callers rely on.
static void preserved(void)
{
	CHECK(out[12] == in[12]);
	CHECK(rbp_before == rbp_after);
	CHECK(rsp_before == rsp_after);
}

static int plain_exit(greg_t *g)
{
	g[REG_RAX] = 4;
	g[REG_RCX] = 0xdead;
	g[REG_R12] = 0x1212;
	return 0;
}

static int fault(greg_t *g) // an inner #PF: AEX state, then the kernel's fixup
{
	g[REG_RAX] = 3;
	g[REG_RDI] = 14;
	g[REG_RSI] = 0x18007;
	g[REG_RDX] = 0x123456789000;
	return 1;
}

static int entry_fault(greg_t *g) // EENTER itself fails: RAX is still 2
{
	fault(g);
	g[REG_RAX] = 2;
	g[REG_RDI] = 13;
	g[REG_RSI] = 0;
	g[REG_RDX] = 0;
	return 1;
}

static int fault_then_exit(greg_t *g) { return entries == 1 ? fault(g) : plain_exit(g); }

static int untidy_exit(greg_t *g) // odd stack and DF the first time
{
	plain_exit(g);
	g[REG_RSP] = entries == 1 ? g[REG_RSP] - 1037 : (greg_t)exit_rsp;
	if (entries == 1) {
		exit_rsp = g[REG_RSP] + 1037;
		g[REG_EFL] |= 0x400;
	}
	g[REG_RDI] = 0xd1;
	g[REG_RSI] = 0x51;
	g[REG_RDX] = 0xd2;
	g[REG_R8] = 0x08;
	g[REG_R9] = 0x09;
	return 0;
}

static int lost_rsp(greg_t *g) // the enclave leaves a value too many
{
	plain_exit(g);
	g[REG_RSP] -= 8;
	*(uint64_t *)g[REG_RSP] = 0xbad;
	return 0;
}

static long minus_five(struct run *r) { (void)r; return -5; }
static long zero(struct run *r) { r->data = 42; return 0; }
static long one(struct run *r) { (void)r; return 1; }
static long four(struct run *r) { (void)r; return 4; }
static long resume_once(struct run *r) { r->tcs += calls; return calls == 1 ? 3 : 0; }
static long enter_once(struct run *r) { (void)r; return calls == 1 ? 2 : 0; }
static long dirty(struct run *r) { r->reserved[100] = 1; return 3; }
static long high_half(struct run *r) { (void)r; return 0x500000000; } // EAX = 0
static long jump(struct run *r) { (void)r; longjmp(out_of_handler, 1); }

static void with_handler(long (*h)(struct run *))
{
	handler = h;
	run.handler = (uint64_t)handler_entry;
}

static void test_functions(void)
{
	static const struct { const char *name; uint64_t function; int ret; } rows[] = {
		{ "driver 303: function 0", 0, -22 },
		{ "driver 303: function 1", 1, -22 },
		{ "driver 303: function 4", 4, -22 },
		{ "driver 303: function 5", 5, -22 },
		{ "driver 303: function 0xffffffff", 0xffffffff, -22 },
		{ "driver 303: function 0x80000002", 0x80000002, -22 },
		{ "driver 304: function 0x100000002", 0x100000002, 0 },
		{ "driver 304: function 0x100000003", 0x100000003, 0 },
		{ "driver 304: function 0x200000000", 0x200000000, -22 },
	};
	struct run before;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(rows[i].name);
		in[3] = rows[i].function;
		enclave = plain_exit;
		with_handler(zero);
		if (rows[i].ret == 0)
			run.handler = 0;
		memcpy(&before, &run, sizeof(run));
		CHECK((int)call_it() == rows[i].ret);
		preserved();
		CHECK(calls == 0);
		CHECK(entries == (rows[i].ret == 0));
		if (rows[i].ret)
			CHECK(!memcmp(&before, &run, sizeof(run)));
		else
			CHECK((uint32_t)at_entry[0][REG_RAX] == (uint32_t)rows[i].function);
		end();
	}
}

static void test_reserved(void)
{
	begin("driver 305: every reserved byte");
	enclave = plain_exit;
	for (int i = 0; i < 216; i++) {
		run.reserved[i] = 1;
		CHECK((int)call_it() == -22);
		preserved();
		run.reserved[i] = 0;
	}
	CHECK(entries == 0);
	end();
}

static void test_null_run(void)
{
	begin("driver 306: run NULL is an ordinary SIGSEGV");
	enclave = plain_exit;
	in[13] = 0;
	if (!sigsetjmp(segv_back, 1)) {
		call_it();
		CHECK(!"returned");
	}
	CHECK(segv_rip >= enter && segv_rip < enclu);
	end();
}

static void test_entry_registers(void)
{
	begin("driver 301: registers at ENCLU");
	enclave = plain_exit;
	CHECK(call_it() == 0);
	preserved();
	const greg_t *g = at_entry[0];
	CHECK(g[REG_RAX] == 2);
	CHECK(g[REG_RBX] == 0x7000);
	CHECK((uint64_t)g[REG_RCX] == enclu);
	CHECK(g[REG_RDI] == 0x1000 && g[REG_RSI] == 0x1001 && g[REG_RDX] == 0x1002);
	CHECK(g[REG_R8] == 0x1004 && g[REG_R9] == 0x1005 && g[REG_R10] == 0x1006 && g[REG_R11] == 0x1007);
	CHECK(g[REG_R12] == 0x1008 && g[REG_R13] == 0x1009 && g[REG_R14] == 0x100a && g[REG_R15] == 0x100b);
	CHECK((uint64_t)g[REG_RSP] == rsp_before - 24);
	CHECK((uint64_t)g[REG_RBP] == rsp_before - 16);
	CHECK(run.function == 4);
	end();

	begin("driver 321: R12 is not preserved");
	CHECK(call_it() == 0);
	CHECK(out[8] == 0x1212);
	preserved();
	end();

	begin("driver 321: a lost RSP costs RBX only");
	enclave = lost_rsp;
	CHECK(call_it() == 0);
	CHECK(out[12] == 0xbad && rbp_before == rbp_after && rsp_before == rsp_after);
	end();
}

static void test_exceptions(void)
{
	begin("driver 307: exception without handler returns 0");
	enclave = fault;
	CHECK(call_it() == 0);
	preserved();
	CHECK(run.vector == 14 && run.error == 0x8007 && run.addr == 0x123456789000);
	CHECK(run.function == 3);
	end();

	begin("driver 308: function 2 when EENTER itself faults");
	enclave = entry_fault;
	CHECK(call_it() == 0);
	CHECK(run.vector == 13 && run.error == 0 && run.addr == 0 && run.function == 2);
	end();

	begin("driver 310: exception fields persist");
	enclave = fault_then_exit;
	CHECK(call_it() == 0);
	in[3] = 3;
	CHECK(call_it() == 0);
	CHECK(run.function == 4 && run.vector == 14 && run.error == 0x8007 && run.addr == 0x123456789000);
	end();

	begin("driver 302: exception reaches the handler");
	enclave = fault;
	with_handler(zero);
	CHECK(call_it() == 0);
	preserved();
	CHECK(calls == 1 && run.data == 42);
	CHECK(seen.rdi == 14 && (uint16_t)seen.rsi == 0x8007 && seen.rdx == 0x123456789000);
	end();
}

static void test_handlers(void)
{
	static const struct { const char *name; long (*h)(struct run *); int ret, calls; } rows[] = {
		{ "driver 302: handler result 0", zero, 0, 1 },
		{ "driver 313: handler result -5", minus_five, -5, 1 },
		{ "driver 315: handler result 1", one, -22, 1 },
		{ "driver 315: handler result 4", four, -22, 1 },
		{ "driver 316: reserved area checked again", dirty, -22, 1 },
		{ "driver 313: only EAX of the result counts", high_half, 0, 1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(rows[i].name);
		enclave = plain_exit;
		with_handler(rows[i].h);
		CHECK((int)call_it() == rows[i].ret);
		preserved();
		CHECK(calls == rows[i].calls && entries == 1);
		end();
	}

	begin("driver 314: handler result 3 re-enters");
	enclave = fault_then_exit;
	with_handler(resume_once);
	CHECK(call_it() == 0);
	preserved();
	CHECK(entries == 2 && calls == 2);
	CHECK(at_entry[1][REG_RAX] == 3);
	CHECK((uint64_t)at_entry[1][REG_RCX] == enclu);
	CHECK(at_entry[1][REG_RSP] == at_entry[0][REG_RSP] && at_entry[1][REG_RBP] == at_entry[0][REG_RBP]);
	end();

	begin("driver 317: handler may change tcs");
	enclave = plain_exit;
	with_handler(resume_once);
	CHECK(call_it() == 0);
	CHECK(at_entry[0][REG_RBX] == 0x7000 && at_entry[1][REG_RBX] == 0x7001);
	end();

	begin("driver 318: the handler's registers reach the enclave");
	enclave = plain_exit;
	with_handler(enter_once);
	CHECK(call_it() == 0);
	const greg_t *g = at_entry[1];
	CHECK(g[REG_RDI] == 0x1111 && g[REG_RSI] == 0x2222 && g[REG_RDX] == 0x3333);
	CHECK(g[REG_R8] == 0x8888 && g[REG_R9] == 0x9999 && g[REG_RAX] == 2);
	end();

	begin("driver 319: odd stack and DF at EEXIT");
	enclave = untidy_exit;
	with_handler(enter_once);
	exit_rsp = 0;
	CHECK(call_it() == 0);
	preserved();
	CHECK(entries == 2 && calls == 2);
	CHECK((uint64_t)at_entry[1][REG_RSP] == exit_rsp - 1037);
	CHECK(seen.rsp == exit_rsp);
	CHECK(seen.own_rsp % 16 == 8 && !(seen.flags & 0x400));
	CHECK(seen.rdi == 0xd1 && seen.rsi == 0x51 && seen.rdx == 0xd2 && seen.r8 == 8 && seen.r9 == 9);
	CHECK(seen.run == (uint64_t)&run);
	end();

	begin("driver 320: longjmp out of the handler");
	enclave = plain_exit;
	with_handler(jump);
	if (!setjmp(out_of_handler)) {
		call_it();
		CHECK(!"returned");
	}
	run.handler = 0;
	CHECK(call_it() == 0);
	preserved();
	end();
}

static int untidy_depth;

static long nested(struct run *r) // uRTS calls the function again from its handler
{
	(void)r;
	uint64_t keep_before = rsp_before, keep_rbp = rbp_before;
	untidy_depth++;
	run.handler = 0;
	in[13] = (uint64_t)&run;
	CHECK(call_it() == 0);
	rsp_before = keep_before;
	rbp_before = keep_rbp;
	return 0;
}

static void test_nested(void)
{
	begin("driver 300: nested call from the handler");
	enclave = plain_exit;
	with_handler(nested);
	CHECK(call_it() == 0);
	preserved();
	CHECK(entries == 2 && untidy_depth == 1);
	end();
}

static void take(int sig, void (*f)(int, siginfo_t *, void *))
{
	static char stack[1 << 16];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = f, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	sigaltstack(&ss, NULL);
	sigaction(sig, &sa, NULL);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	FILE *f = fopen(argv[1], "rb");
	page = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!f || page == MAP_FAILED || !fread(page, 1, 1 << 16, f))
		return 2;
	enter = (uint64_t)page + atoi(argv[2]);
	enclu = (uint64_t)page + atoi(argv[3]);
	exception = (uint64_t)page + atoi(argv[4]);
	memcpy((void *)enclu, "\x0f\x0b\x90", 3); // ud2; nop
	take(SIGILL, on_ill);
	take(SIGSEGV, on_segv);

	test_functions();
	test_reserved();
	test_null_run();
	test_entry_registers();
	test_exceptions();
	test_handlers();
	test_nested();
	return any;
}
