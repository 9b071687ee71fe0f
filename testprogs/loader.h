/*
 * Builds enclaves with the in-kernel ABI (Linux 6.1, arch/x86/include/uapi/asm/sgx.h)
 * and nothing else. Every failure ends the program; the single steps are there for
 * the programs that want another order.
 *
 * An enclave of these programs, from its image offset up:
 *
 *	text R-X, data RW-		ops.S
 *	one page R--			filled with the salt
 *	one page RW-			zero
 *	per thread			data (FS:0) RW-, one page (GS:0) RW-, TCS, SSA frames RW-
 *	heap RW-			zero, not measured
 */
#ifndef LOADER_H
#define LOADER_H

#include "check.h"
#include "enter.h"
#include "ops.h"
#include "sha256.h"
#include "sigstruct.h"

#include <stdbool.h>

enum { PAGE = 4096, NSSA = 2, MAX_THREADS = 4, MAX_SEGMENTS = 6 + 3 * MAX_THREADS };

struct enclave_spec {
	unsigned threads; /* 0: 1 */
	uint64_t xfrm; /* 0: 3 */
	uint64_t attributes; /* besides MODE64BIT */
	uint64_t heap; /* bytes */
	uint64_t salt; /* any number: enclaves with different salts have different MRENCLAVEs */
	uint64_t size; /* 0: the smallest that fits */
	bool at; /* ELRANGE is at base, else anywhere */
	uint64_t base;
	uint64_t image; /* offset of the first page in ELRANGE; nothing is mapped below */
	bool reserve_with_device; /* RWX mapping of the device, before CREATE */
	bool page_at_a_time; /* one ADD_PAGES and one mmap a page */
	bool map_after_init; /* else before */
	const uint8_t *entry; /* in ops.S; NULL: enclave_entry */
};

struct segment {
	uint64_t offset, length; /* in ELRANGE */
	uint64_t secinfo;
	bool measured;
	const void *source; /* NULL: zero pages */
};

struct enclave_thread {
	uint64_t data, gs, tcs, ssa; /* addresses */
};

struct enclave {
	int fd;
	uint64_t base, size, image;
	uint64_t attributes, xfrm;
	uint32_t miscselect, ssa_frame_size;
	struct sha256 measurement;
	uint8_t mrenclave[32];
	uint64_t pages;
	unsigned nsegments;
	struct segment segment[MAX_SEGMENTS];
	unsigned nthreads;
	struct enclave_thread thread[MAX_THREADS];
	uint64_t text, read_only, read_write, heap, heap_size; /* addresses */
	uint8_t *staging;
	size_t staging_size;
};

/* enclave_load is all the steps, in the order that spec asks for. */
void enclave_load(struct enclave *e, const struct enclave_spec *spec);

void enclave_open(struct enclave *e);
void enclave_plan(struct enclave *e, const struct enclave_spec *spec); /* sizes and offsets */
void enclave_reserve(struct enclave *e, const struct enclave_spec *spec); /* addresses */
void enclave_create(struct enclave *e);
void enclave_add(struct enclave *e, const struct enclave_spec *spec);
void enclave_map(const struct enclave *e); /* each segment, over the reservation */
void enclave_init(struct enclave *e);

void enclave_close(struct enclave *e);
void enclave_unmap(const struct enclave *e);

/* enclave_add_pages is one ADD_PAGES ioctl and its measurement; it must add everything. */
void enclave_add_pages(struct enclave *e, uint64_t offset, const void *source, uint64_t length,
		       uint64_t secinfo, bool measure);
/* segment_prot is the widest mapping that the driver allows over the segment. */
int segment_prot(const struct segment *s);

void enclave_targetinfo(const struct enclave *e, struct targetinfo *ti);
/* address of an instruction of ops.S in the enclave */
uint64_t enclave_address(const struct enclave *e, const uint8_t *label);
/* address of SSA frame n, and of GPRSGX in it */
uint64_t enclave_ssa(const struct enclave *e, unsigned thread, unsigned n);
uint64_t enclave_gprsgx(const struct enclave *e, unsigned thread, unsigned n);

/* --- entering --- */

enum via {
	VIA_RAW_SAME, /* own ENCLU, AEP = the same instruction */
	VIA_RAW_BARE, /* AEP = another bare ENCLU */
	VIA_RAW_SEQUENCE, /* AEP = code that ends in ENCLU */
	VIA_VDSO,
	VIA_COUNT,
};

extern const char *const via_name[VIA_COUNT];

/* via_aep is the AEP of the raw ways. */
uint64_t via_aep(enum via via);

/* enter runs one operation to its EEXIT; with the vDSO an exception fails the test. */
void enter(const struct enclave *e, unsigned thread, enum via via, struct message *m);
/* enter_with is enter with the caller's registers: RDI, RAX, RBX and RCX are set here. */
void enter_with(const struct enclave *e, unsigned thread, enum via via, struct message *m,
		struct registers *r);
/* enter_run is one call of the vDSO function, whatever comes of it. */
void enter_run(const struct enclave *e, unsigned thread, unsigned function, struct message *m,
	       struct registers *r, struct sgx_enclave_run *run);
/* enter_function is the vDSO function; its absence fails the test. */
const void *enter_function(void);

/* Shorthands for the smallest operations. */
uint64_t enclave_sum(const struct enclave *e, unsigned thread, enum via via, uint64_t a, uint64_t b);
uint64_t enclave_get(const struct enclave *e, unsigned thread, enum via via, uint64_t address);
void enclave_put(const struct enclave *e, unsigned thread, enum via via, uint64_t address, uint64_t value);
void enclave_copy(const struct enclave *e, unsigned thread, enum via via, uint64_t to, uint64_t from,
		  uint64_t length);

#endif
