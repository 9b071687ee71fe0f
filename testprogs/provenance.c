/*
 * Loads an enclave whose text comes from memory of a kind, and runs it:
 *
 *	provenance file FILE		a shared mapping of FILE, which is written first
 *	provenance private FILE		a private one
 *	provenance modified FILE	a private one, one byte changed
 *	provenance anonymous FILE	a copy in memory of no file
 */
#include "loader.h"

#include <fcntl.h>
#include <sys/mman.h>

static struct enclave e;

static const uint8_t *text(const char *mode, const char *name, const uint8_t *image, size_t size)
{
	int flags = strcmp(mode, "file") ? MAP_PRIVATE : MAP_SHARED;
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint8_t *p;

	CHECK(fd >= 0 && write(fd, image, size) == (ssize_t)size, "writing %s", name);
	if (!strcmp(mode, "anonymous"))
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	CHECK(p != MAP_FAILED, "mmap");
	if (!strcmp(mode, "anonymous"))
		memcpy(p, image, size);
	if (!strcmp(mode, "modified"))
		p[size - 1] ^= 1;
	SYS(close(fd));
	return p;
}

int main(int argc, char **argv)
{
	struct enclave_spec spec = { .threads = 1 };
	struct segment *s;

	if (argc != 3) {
		fprintf(stderr, "usage: provenance file|private|modified|anonymous FILE\n");
		return 2;
	}
	enclave_open(&e);
	enclave_plan(&e, &spec);
	s = &e.segment[0]; /* the text */
	CHECK(s->secinfo & SECINFO_X, "the first segment is not text");
	s->source = text(argv[1], argv[2], s->source, s->length);
	enclave_reserve(&e, &spec);
	enclave_create(&e);
	enclave_add(&e, &spec);
	enclave_map(&e);
	enclave_init(&e);
	SAME(enclave_sum(&e, 0, VIA_VDSO, 20, 22), 42, "sum");
	return check_ok();
}
