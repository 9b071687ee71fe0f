/*
 * Times one kind of work and prints nanoseconds for each:
 *
 *	bench roundtrip N	EENTER and EEXIT by ENCLU of our own
 *	bench fault N		CPUID inside: EENTER, #UD, nested EENTER and EEXIT, ERESUME, EEXIT
 *	bench stop N		access("/dev/sgx_enclave"): one stop of the supervisor
 *	bench load MIB		one ADD_PAGES of that many measured, random MiB
 *	bench beside MIB	the same beside a thread that counts: prints first what share
 *				of its speed that thread keeps
 *	bench getppid N		a system call that has nothing to do with SGX
 *	bench stat N, open N	of /etc/passwd
 *	bench forkexec N	of this program, which then ends at once
 */
#include "loader.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static struct enclave e;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void roundtrip(void)
{
	struct message m = { .op = OP_NOP };

	enter(&e, 0, VIA_RAW_BARE, &m);
}

static void fault(void)
{
	struct sgx_enclave_run run = { .function = 0 };
	struct registers r = { .mask = 0 };
	struct message m = { .op = OP_FAULT_CPUID };
	uint64_t rip = enclave_address(&e, fault_cpuid) + 2;

	enter_run(&e, 0, EENTER, &m, &r, &run);
	enclave_copy(&e, 0, VIA_VDSO, enclave_gprsgx(&e, 0, 0) + offsetof(struct gprsgx, rip), (uint64_t)&rip, 8);
	enter_run(&e, 0, ERESUME, &m, &r, &run);
	SAME(run.function, EEXIT, "run.function");
}

static void stop(void)
{
	SYS(access("/dev/sgx_enclave", R_OK));
}

static void call_getppid(void)
{
	syscall(SYS_getppid);
}

static void call_stat(void)
{
	struct stat s;

	SYS(stat("/etc/passwd", &s));
}

static void call_open(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	CHECK(fd >= 0, "open");
	close(fd);
}

static void forkexec(void)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0, "fork");
	if (child == 0) {
		execl("/proc/self/exe", "bench", "nothing", (char *)NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0, "child");
}

/* --- load --- */

static volatile uint64_t progress;
static volatile bool finished;

static void *count(void *unused)
{
	(void)unused;
	while (!finished)
		progress++;
	return NULL;
}

/* Counts of the other thread in a nanosecond. */
static double pace(double start, uint64_t from)
{
	return (double)(progress - from) / (now() - start);
}

/* add is the ADD_PAGES that is timed, into an enclave of its own. */
static double add(uint64_t *source, uint64_t bytes)
{
	struct enclave_spec spec = { .heap = bytes };
	uint64_t info[8] = { SECINFO_REG | SECINFO_R | SECINFO_W };
	struct sgx_enclave_add_pages add = {
		.src = (uint64_t)source, .length = bytes, .secinfo = (uint64_t)info, .flags = SGX_PAGE_MEASURE,
	};
	double start;

	enclave_open(&e);
	enclave_plan(&e, &spec);
	enclave_reserve(&e, &spec);
	enclave_create(&e);
	add.offset = e.heap - e.base;
	start = now();
	SYS(ioctl(e.fd, SGX_IOC_ENCLAVE_ADD_PAGES, &add));
	start = now() - start;
	SAME(add.count, bytes, "count");
	enclave_close(&e);
	enclave_unmap(&e);
	return start;
}

static void load(uint64_t bytes, bool beside)
{
	uint64_t *source = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t from, x = 88172645463325252;
	double start, took, alone = 0;
	struct timespec wait = { .tv_nsec = 300000000 };
	pthread_t other;

	CHECK(source != MAP_FAILED, "mmap");
	for (uint64_t i = 0; i < bytes / 8; i++) { /* xorshift64 */
		x ^= x << 13;
		x ^= x >> 7;
		source[i] = x ^= x << 17;
	}
	add(source, bytes); /* memory that a virtual machine has not used yet is its host's to find */
	if (beside) {
		CHECK(pthread_create(&other, NULL, count, NULL) == 0, "pthread_create");
		start = now();
		from = progress;
		nanosleep(&wait, NULL);
		alone = pace(start, from);
	}
	start = now();
	from = progress;
	took = add(source, bytes);
	if (beside) {
		printf("other thread %.3f\n", pace(start, from) / alone);
		finished = true;
		pthread_join(other, NULL);
	}
	printf("%.0f\n", took);
}

static const struct work {
	const char *name;
	void (*once)(void);
	bool enclave;
} works[] = {
	{ "roundtrip", roundtrip, true }, { "fault", fault, true },	   { "stop", stop, false },
	{ "getppid", call_getppid, false }, { "stat", call_stat, false }, { "open", call_open, false },
	{ "forkexec", forkexec, false },
};

static void repeat(const struct work *w, uint64_t n)
{
	struct enclave_spec spec = { .threads = 1 };
	double start;

	if (w->enclave)
		enclave_load(&e, &spec);
	for (uint64_t i = 0; i < 1 + n / 10; i++)
		w->once();
	start = now();
	for (uint64_t i = 0; i < n; i++)
		w->once();
	printf("%.1f\n", (now() - start) / (double)n);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc == 3 && (!strcmp(argv[1], "load") || !strcmp(argv[1], "beside"))) {
		load(strtoull(argv[2], NULL, 10) << 20, !strcmp(argv[1], "beside"));
		return 0;
	}
	for (size_t i = 0; argc == 3 && i < sizeof(works) / sizeof(works[0]); i++)
		if (!strcmp(argv[1], works[i].name)) {
			repeat(&works[i], strtoull(argv[2], NULL, 10));
			return 0;
		}
	fprintf(stderr, "usage: bench roundtrip|fault|stop|load|beside|getppid|stat|open|forkexec NUMBER\n");
	return 2;
}
