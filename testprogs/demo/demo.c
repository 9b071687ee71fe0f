/*
 * The demo: builds an enclave, adds numbers inside it, has it report on
 * itself, and lets the vDSO function turn an exception into a return.
 */
#include "demo.h"

#include "../loader.h"

#include <cpuid.h>
#include <time.h>

enum { NUMBERS = 100, ROUND_TRIPS = 1000 };

static struct enclave e;
static unsigned long entries, resumes, exceptions;

static struct sgx_enclave_run call(unsigned function, struct message *m)
{
	struct sgx_enclave_run run = { .function = 0 };
	struct registers r = { .mask = 0 };

	enter_run(&e, 0, function, m, &r, &run);
	if (function == EENTER)
		entries++;
	else
		resumes++;
	return run;
}

static void command(struct message *m)
{
	struct sgx_enclave_run run = call(EENTER, m);

	CHECK(run.function == EEXIT, "exception %u inside", run.exception_vector);
}

static void show(const char *name, const uint8_t *p, size_t n)
{
	printf("  %-12s", name);
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
	putchar('\n');
}

static void show_enclave(void)
{
	printf("  %-12s%#lx..%#lx, %lu pages, %u thread\n", "enclave", e.base, e.base + e.size, e.pages, e.nthreads);
	printf("  %-12sATTRIBUTES %#lx, XFRM %#lx, MISCSELECT %#x, SSAFRAMESIZE %u\n", "", e.attributes, e.xfrm,
	       e.miscselect, e.ssa_frame_size);
}

static void show_sum(void)
{
	uint64_t numbers[NUMBERS];
	struct message m = { .op = DEMO_SUM, .a = { (uint64_t)numbers, NUMBERS } };

	for (int i = 0; i < NUMBERS; i++)
		numbers[i] = (uint64_t)i + 1;
	command(&m);
	SAME(m.r[0], NUMBERS * (NUMBERS + 1) / 2, "sum");
	printf("  %-12s1 + 2 + ... + %d = %lu\n", "sum inside", NUMBERS, m.r[0]);
}

static void show_report(void)
{
	struct report report;
	struct targetinfo ti;
	char data[64] = "softsgx demo";
	struct message m = {
		.op = DEMO_REPORT, .a = { (uint64_t)&ti, (uint64_t)data, (uint64_t)&report },
	};
	uint8_t mrsigner[32];

	enclave_targetinfo(&e, &ti);
	command(&m);
	sigstruct_mrsigner(mrsigner);
	CHECK(memcmp(report.mrenclave, e.mrenclave, 32) == 0, "the report has another MRENCLAVE than the loader");
	CHECK(memcmp(report.mrsigner, mrsigner, 32) == 0, "the report has another MRSIGNER than the loader");
	CHECK(memcmp(report.reportdata, data, 64) == 0, "the report has other data");
	show("MRENCLAVE", report.mrenclave, 32);
	show("MRSIGNER", report.mrsigner, 32);
	show("report MAC", report.mac, 16);
	printf("  %-12sISVPRODID %u, ISVSVN %u, data \"%s\"\n", "", report.isvprodid, report.isvsvn,
	       (const char *)report.reportdata);
}

static void show_exception(void)
{
	struct message m = { .op = DEMO_CPUID, .a = { 0 } }, answer = { .op = DEMO_ANSWER };
	struct sgx_enclave_run run = call(EENTER, &m);
	unsigned a, b, c, d;
	char vendor[13] = "";

	CHECK(run.function == ERESUME && run.exception_vector == 6, "CPUID inside: function %u, vector %u", run.function,
	      run.exception_vector);
	exceptions++;
	__cpuid(0, a, b, c, d);
	answer.a[0] = enclave_gprsgx(&e, 0, 0);
	answer.a[1] = a;
	answer.a[2] = b;
	answer.a[3] = c;
	answer.a[4] = d;
	command(&answer);
	SAME(answer.cssa, 1, "CSSA of the nested entry");
	run = call(ERESUME, &m);
	CHECK(run.function == EEXIT, "after ERESUME: function %u", run.function);
	SAME(m.r[0], a, "EAX of CPUID");
	memcpy(vendor, &m.r[1], 4);
	memcpy(vendor + 4, &m.r[3], 4);
	memcpy(vendor + 8, &m.r[2], 4);
	printf("  %-12sCPUID inside is #UD: the vDSO returned vector 6, we answered \"%s\", ERESUME\n", "exception",
	       vendor);
}

static void show_speed(void)
{
	uint64_t number = 1;
	struct message m = { .op = DEMO_SUM, .a = { (uint64_t)&number, 1 } };
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < ROUND_TRIPS; i++)
		command(&m);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("  %-12s%.2f us a round trip (mean of %d)\n", "entering",
	       ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / ROUND_TRIPS / 1e3,
	       ROUND_TRIPS);
}

int main(void)
{
	struct enclave_spec spec = { .threads = 1 };

	printf("demo: an enclave by /dev/sgx_enclave, entered by the vDSO\n");
	enclave_load(&e, &spec);
	show_enclave();
	printf("  %-12s__vdso_sgx_enter_enclave at %p, by DT_HASH\n", "vDSO", enter_function());
	show_sum();
	show_report();
	show_exception();
	show_speed();
	printf("  %-12s%lu EENTER, %lu ERESUME, %lu exception\n", "entries", entries, resumes, exceptions);
	enclave_close(&e);
	enclave_unmap(&e);
	return check_ok();
}
