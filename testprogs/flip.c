/*
 * Time of check, time of use: a thread keeps changing one byte of the file that an
 * enclave's text is mapped from, while the enclave is loaded, over and over:
 *
 *	flip FILE ROUNDS
 *
 * Each INIT is with the SIGSTRUCT of the unchanged text. Prints how many succeeded.
 */
#include "loader.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <asm/sgx.h>

static volatile uint8_t *victim;
static volatile bool finished;

static void *flipper(void *unused)
{
	(void)unused;
	while (!finished) {
		*victim ^= 1;
		for (volatile int i = 0; i < 2000; i++)
			;
		*victim ^= 1;
		for (volatile int i = 0; i < 20000; i++)
			;
	}
	return NULL;
}

/* The identity of the honest enclave. */
static struct sigstruct honest(const struct enclave_spec *spec)
{
	struct sigstruct s = { .date = 0x20240101, .miscmask = ~0u, .attributemask = ~0ull, .xfrmmask = ~0ull };
	struct enclave e;

	enclave_load(&e, spec);
	s.miscselect = e.miscselect;
	s.attributes = e.attributes;
	s.xfrm = e.xfrm;
	memcpy(s.enclavehash, e.mrenclave, 32);
	sigstruct_sign(&s);
	enclave_close(&e);
	enclave_unmap(&e);
	return s;
}

static bool round_once(const struct enclave_spec *spec, const uint8_t *text, const struct sigstruct *s)
{
	struct sgx_enclave_init init = { .sigstruct = (uint64_t)s };
	struct enclave e;
	int result;

	enclave_open(&e);
	enclave_plan(&e, spec);
	e.segment[0].source = text;
	enclave_reserve(&e, spec);
	enclave_create(&e);
	enclave_add(&e, spec);
	result = ioctl(e.fd, SGX_IOC_ENCLAVE_INIT, &init);
	CHECK(result == 0 || result > 0 || errno == EPERM, "INIT: %d", result);
	enclave_close(&e);
	enclave_unmap(&e);
	return result == 0;
}

int main(int argc, char **argv)
{
	struct enclave_spec spec = { .threads = 1 };
	unsigned rounds = argc == 3 ? (unsigned)atoi(argv[2]) : 0, good = 0;
	struct sigstruct s = honest(&spec);
	struct enclave e;
	pthread_t thread;
	size_t size;
	uint8_t *text;
	int fd;

	CHECK(rounds, "usage: flip FILE ROUNDS");
	enclave_open(&e);
	enclave_plan(&e, &spec);
	size = e.segment[0].length;
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && write(fd, e.segment[0].source, size) == (ssize_t)size, "writing %s", argv[1]);
	enclave_close(&e);
	text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(text != MAP_FAILED, "mmap");
	CHECK(round_once(&spec, text, &s), "the honest enclave does not start");
	victim = text + size - 1;
	CHECK(pthread_create(&thread, NULL, flipper, NULL) == 0, "pthread_create");
	for (unsigned i = 0; i < rounds; i++)
		good += round_once(&spec, text, &s);
	finished = true;
	pthread_join(thread, NULL);
	printf("%u of %u started\n", good, rounds);
	return check_ok();
}
