/*
 * Mapping the device before there is an enclave: the probes that clients make,
 * what such pages do when touched, and an enclave built under the mappings.
 */
#include "aex.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf out;
static siginfo_t fault_info;

static void fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fault_info = *info;
	siglongjmp(out, 1);
}

/* A page of an enclave that is not there: the driver answers SIGBUS. */
static void check_touch(volatile uint8_t *p)
{
	if (!sigsetjmp(out, 1)) {
		(void)*p;
		CHECK(0, "a page without an enclave could be read");
	}
	SAME(fault_info.si_signo, SIGBUS, "signal");
	SAME(fault_info.si_code, BUS_ADRERR, "si_code");
	SAME((uint64_t)fault_info.si_addr & -PAGE, (uint64_t)p & -PAGE, "si_addr");
}

static void check_probes(void)
{
	static const int prots[] = {
		PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC,
	};
	int fd = open("/dev/sgx_enclave", O_RDWR);
	void *p;

	PART("probes");
	CHECK(fd >= 0, "open");
	for (size_t i = 0; i < sizeof(prots) / sizeof(prots[0]); i++) {
		p = mmap(NULL, PAGE, prots[i], MAP_SHARED, fd, 0);
		CHECK(p != MAP_FAILED, "mmap, protection %d", prots[i]);
		if (prots[i] & PROT_READ)
			check_touch(p);
		SYS(munmap(p, PAGE));
	}
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 16 * PAGE);
	CHECK(p != MAP_FAILED, "mmap at an offset");
	SYS(munmap((uint8_t *)p + PAGE, PAGE));
	SYS(munmap(p, 4 * PAGE));
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p == MAP_FAILED && errno == EINVAL, "MAP_PRIVATE: %p", p);
	SYS(close(fd));
}

static void check_under(bool map_after_init)
{
	struct enclave_spec spec = { .reserve_with_device = true, .map_after_init = map_after_init };
	struct enclave e;
	struct message m = { .op = OP_NOP };

	PART(map_after_init ? "mapped again after INIT" : "mapped again before INIT");
	enclave_open(&e);
	enclave_plan(&e, &spec);
	enclave_reserve(&e, &spec);
	check_touch((void *)e.base);
	enclave_create(&e);
	enclave_add(&e, &spec);
	if (!map_after_init)
		enclave_map(&e);
	/* Not yet initialised: EENTER faults. */
	if (!sigsetjmp(out, 1)) {
		enter(&e, 0, VIA_RAW_BARE, &m);
		CHECK(0, "EENTER before EINIT");
	}
	CHECK(fault_info.si_signo == SIGSEGV || (map_after_init && fault_info.si_signo == SIGBUS),
	      "EENTER before EINIT gave signal %d", fault_info.si_signo);
	enclave_init(&e);
	if (map_after_init)
		enclave_map(&e);
	SAME(enclave_sum(&e, 0, VIA_VDSO, 5, 6), 11, "sum");
	SAME(enclave_sum(&e, 0, VIA_RAW_SEQUENCE, 5, 6), 11, "sum");
	enclave_close(&e);
	enclave_unmap(&e);
}

/* The reservation stays as it is, in narrow pieces, where the pages allow it. */
static void check_never_mapped_again(void)
{
	struct enclave_spec spec = { .reserve_with_device = true };
	struct enclave e;

	PART("mprotect in place of mmap");
	enclave_open(&e);
	enclave_plan(&e, &spec);
	enclave_reserve(&e, &spec);
	enclave_create(&e);
	enclave_add(&e, &spec);
	enclave_init(&e);
	for (unsigned i = 0; i < e.nsegments; i++)
		SYS(mprotect((void *)(e.base + e.segment[i].offset), e.segment[i].length, segment_prot(&e.segment[i])));
	CHECK(mprotect((void *)e.text, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
	      "mprotect beyond what ADD_PAGES declared");
	SAME(enclave_sum(&e, 0, VIA_VDSO, 8, 9), 17, "sum");
	enclave_close(&e);
	enclave_unmap(&e);
}

int main(void)
{
	aex_handle(SIGBUS, fault, 0);
	aex_handle(SIGSEGV, fault, 0);
	check_probes();
	check_under(false);
	check_under(true);
	check_never_mapped_again();
	return check_ok();
}
