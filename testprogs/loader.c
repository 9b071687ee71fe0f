#include "loader.h"

#include "vdso.h"
#include "xstate.h"

#include <cpuid.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static const char device[] = "/dev/sgx_enclave";

/* --- measurement (SDM vol. 3D, ECREATE, EADD, EEXTEND) --- */

static void measure_ecreate(struct enclave *e)
{
	uint8_t block[64] = "ECREATE";

	sha256_init(&e->measurement);
	memcpy(block + 8, &e->ssa_frame_size, 4);
	memcpy(block + 12, &e->size, 8);
	sha256_update(&e->measurement, block, 64);
}

static void measure_eadd(struct enclave *e, uint64_t offset, uint64_t secinfo)
{
	uint8_t block[64] = "EADD";

	memcpy(block + 8, &offset, 8);
	memcpy(block + 16, &secinfo, 8);
	sha256_update(&e->measurement, block, 64);
}

static void measure_eextend(struct enclave *e, uint64_t offset, const uint8_t *page)
{
	uint8_t block[64] = "EEXTEND";

	for (uint64_t i = 0; i < PAGE; i += 256) {
		uint64_t at = offset + i;

		memcpy(block + 8, &at, 8);
		sha256_update(&e->measurement, block, 64);
		sha256_update(&e->measurement, page + i, 256);
	}
}

/* --- plan --- */

static struct segment *segment(struct enclave *e, uint64_t *at, uint64_t length, uint64_t secinfo,
			       const void *source)
{
	struct segment *s = &e->segment[e->nsegments++];

	CHECK(e->nsegments <= MAX_SEGMENTS, "too many segments");
	*s = (struct segment){ .offset = *at, .length = length, .secinfo = secinfo, .measured = true,
			       .source = source };
	*at += length;
	return s;
}

static void *stage(struct enclave *e, size_t *used, size_t length)
{
	void *p = e->staging + *used;

	*used += length;
	CHECK(*used <= e->staging_size, "staging too small");
	return p;
}

static void plan_thread(struct enclave *e, const struct enclave_spec *spec, unsigned n, uint64_t *at,
			size_t *used)
{
	const uint8_t *entry = spec->entry ? spec->entry : enclave_entry;
	struct enclave_thread *t = &e->thread[n];
	uint64_t *data = stage(e, used, (TD_PAGES + 1) * PAGE);
	uint64_t *gs = data + TD_PAGES * PAGE / 8;
	struct tcs *tcs = stage(e, used, PAGE);

	data[TD_MARK / 8] = FS_MARK;
	data[TD_OFFSET / 8] = *at - e->image;
	gs[0] = GS_MARK;
	t->data = *at;
	t->gs = *at + TD_PAGES * PAGE;
	segment(e, at, (TD_PAGES + 1) * PAGE, SECINFO_REG | SECINFO_R | SECINFO_W, data);
	t->tcs = *at;
	t->ssa = *at + PAGE;
	*tcs = (struct tcs){
		.ossa = t->ssa,
		.nssa = NSSA,
		.oentry = e->image + (uint64_t)(entry - enclave_image),
		.ofsbase = t->data,
		.ogsbase = t->gs,
		.fslimit = 0xfff,
		.gslimit = 0xfff,
	};
	segment(e, at, PAGE, SECINFO_TCS, tcs);
	segment(e, at, NSSA * e->ssa_frame_size * PAGE, SECINFO_REG | SECINFO_R | SECINFO_W, NULL);
}

static bool cpuid_shows_exinfo(void)
{
	unsigned a, b, c, d;

	/* Where CPUID does not show SGX at all the loader goes by what CREATE says. */
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & 1 << 2))
		return true;
	return __get_cpuid_count(0x12, 0, &a, &b, &c, &d) && (b & MISC_EXINFO);
}

void enclave_plan(struct enclave *e, const struct enclave_spec *spec)
{
	size_t text = (size_t)(enclave_data - enclave_image), data = (size_t)(enclave_end - enclave_data);
	size_t used = 0;
	uint64_t at = spec->image, *salt;

	e->nthreads = spec->threads ? spec->threads : 1;
	CHECK(e->nthreads <= MAX_THREADS, "%u threads", e->nthreads);
	e->image = spec->image;
	e->attributes = spec->attributes | ATTR_MODE64BIT;
	e->xfrm = spec->xfrm ? spec->xfrm : 3;
	e->miscselect = cpuid_shows_exinfo() ? MISC_EXINFO : 0;
	e->ssa_frame_size = (uint32_t)((xstate_size(e->xfrm) + sizeof(struct exinfo) +
					sizeof(struct gprsgx) + PAGE - 1) / PAGE);

	e->staging_size = text + data + PAGE + e->nthreads * (TD_PAGES + 2) * PAGE;
	e->staging = mmap(NULL, e->staging_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(e->staging != MAP_FAILED, "staging");

	memcpy(stage(e, &used, text + data), enclave_image, text + data);
	e->text = at;
	segment(e, &at, text, SECINFO_REG | SECINFO_R | SECINFO_X, e->staging);
	segment(e, &at, data, SECINFO_REG | SECINFO_R | SECINFO_W, e->staging + text);
	salt = stage(e, &used, PAGE);
	for (int i = 0; i < PAGE / 8; i++)
		salt[i] = spec->salt;
	e->read_only = at;
	segment(e, &at, PAGE, SECINFO_REG | SECINFO_R, salt);
	e->read_write = at;
	segment(e, &at, PAGE, SECINFO_REG | SECINFO_R | SECINFO_W, NULL);
	for (unsigned i = 0; i < e->nthreads; i++)
		plan_thread(e, spec, i, &at, &used);
	e->heap = at;
	e->heap_size = spec->heap;
	if (spec->heap)
		segment(e, &at, spec->heap, SECINFO_REG | SECINFO_R | SECINFO_W, NULL)->measured = false;

	e->size = spec->size;
	if (!e->size)
		for (e->size = 2 * PAGE; e->size < at; e->size *= 2)
			;
	CHECK(at <= e->size, "the plan needs %#lx bytes of ELRANGE", at);
}

/* --- addresses --- */

/* place turns the plan's offsets into addresses. */
static void place(struct enclave *e, uint64_t base)
{
	e->base = base;
	e->text += base;
	e->read_only += base;
	e->read_write += base;
	e->heap += base;
	for (unsigned i = 0; i < e->nthreads; i++) {
		e->thread[i].data += base;
		e->thread[i].gs += base;
		e->thread[i].tcs += base;
		e->thread[i].ssa += base;
	}
}

static void reserve_at(struct enclave *e, const struct enclave_spec *spec)
{
	void *want = (void *)(spec->base + spec->image);
	int prot = PROT_NONE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, fd = -1;
	void *got;

	if (spec->reserve_with_device) {
		prot = PROT_READ | PROT_WRITE | PROT_EXEC;
		flags = MAP_SHARED;
		fd = e->fd;
	}
	got = mmap(want, e->size - spec->image, prot, flags | MAP_FIXED_NOREPLACE, fd, 0);
	CHECK(got == want, "reserving ELRANGE at %p, got %p", want, got);
	place(e, spec->base);
}

/* As Intel's runtime does it: twice the size, then trim to natural alignment. */
static void reserve_anywhere(struct enclave *e, const struct enclave_spec *spec)
{
	int prot = PROT_NONE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, fd = -1;
	uint64_t start, base;
	void *got;

	if (spec->reserve_with_device) {
		prot = PROT_READ | PROT_WRITE | PROT_EXEC;
		flags = MAP_SHARED;
		fd = e->fd;
	}
	got = mmap(NULL, 2 * e->size, prot, flags, fd, 0);
	CHECK(got != MAP_FAILED, "reserving twice %#lx bytes", e->size);
	start = (uint64_t)got;
	base = (start + e->size - 1) & -e->size;
	if (base > start)
		SYS(munmap(got, base - start));
	if (start + e->size > base)
		SYS(munmap((void *)(base + e->size), start + e->size - base));
	place(e, base);
}

void enclave_reserve(struct enclave *e, const struct enclave_spec *spec)
{
	if (spec->at)
		reserve_at(e, spec);
	else
		reserve_anywhere(e, spec);
}

/* --- the driver --- */

void enclave_open(struct enclave *e)
{
	*e = (struct enclave){ .fd = open(device, O_RDWR | O_CLOEXEC) };
	CHECK(e->fd >= 0, "open %s", device);
}

static int try_create(const struct enclave *e)
{
	struct secs *secs = aligned_alloc(PAGE, sizeof(*secs));
	struct sgx_enclave_create create = { .src = (uint64_t)secs };
	int result;

	CHECK(secs, "out of memory");
	memset(secs, 0, sizeof(*secs));
	secs->size = e->size;
	secs->base = e->base;
	secs->ssa_frame_size = e->ssa_frame_size;
	secs->miscselect = e->miscselect;
	secs->attributes = e->attributes;
	secs->xfrm = e->xfrm;
	result = ioctl(e->fd, SGX_IOC_ENCLAVE_CREATE, &create);
	free(secs);
	return result;
}

void enclave_create(struct enclave *e)
{
	int result = try_create(e);

	if (result == -1 && errno == EIO && e->miscselect) {
		e->miscselect = 0;
		result = try_create(e);
	}
	CHECK(result == 0, "CREATE at %#lx, size %#lx, XFRM %#lx: %d", e->base, e->size, e->xfrm, result);
	measure_ecreate(e);
}

void enclave_add_pages(struct enclave *e, uint64_t offset, const void *source, uint64_t length,
		       uint64_t secinfo, bool measure)
{
	uint64_t info[8] = { secinfo };
	struct sgx_enclave_add_pages add = {
		.src = (uint64_t)source,
		.offset = offset,
		.length = length,
		.secinfo = (uint64_t)info,
		.flags = measure ? SGX_PAGE_MEASURE : 0,
		.count = ~0ull, /* only an output */
	};
	int result = ioctl(e->fd, SGX_IOC_ENCLAVE_ADD_PAGES, &add);

	CHECK(result == 0, "ADD_PAGES offset %#lx, length %#lx: %d, count %#llx", offset, length, result,
	      (unsigned long long)add.count);
	SAME(add.count, length, "ADD_PAGES count");
	SAME(add.length, length, "ADD_PAGES length is an input only");
	SAME(add.src, (uint64_t)source, "ADD_PAGES src is an input only");
	SAME(add.offset, offset, "ADD_PAGES offset is an input only");
	for (uint64_t i = 0; i < length; i += PAGE) {
		measure_eadd(e, offset + i, secinfo);
		if (measure)
			measure_eextend(e, offset + i, (const uint8_t *)source + i);
	}
	e->pages += length / PAGE;
}

int segment_prot(const struct segment *s)
{
	int prot = 0;

	if (s->secinfo == SECINFO_TCS)
		return PROT_READ | PROT_WRITE;
	if (s->secinfo & SECINFO_R)
		prot |= PROT_READ;
	if (s->secinfo & SECINFO_W)
		prot |= PROT_WRITE;
	if (s->secinfo & SECINFO_X)
		prot |= PROT_EXEC;
	return prot;
}

static void map(const struct enclave *e, uint64_t offset, uint64_t length, int prot)
{
	void *want = (void *)(e->base + offset);
	void *got = mmap(want, length, prot, MAP_SHARED | MAP_FIXED, e->fd, 0);

	CHECK(got == want, "mapping %#lx bytes of the enclave at %p, protection %d", length, want, prot);
}

static void add_segment(struct enclave *e, const struct segment *s, bool page_at_a_time, bool map_each)
{
	const uint8_t *source = s->source;
	uint64_t step = page_at_a_time ? PAGE : s->length;

	if (!source) {
		source = mmap(NULL, s->length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		CHECK(source != MAP_FAILED, "%#lx bytes of zero", s->length);
	}
	for (uint64_t i = 0; i < s->length; i += step) {
		enclave_add_pages(e, s->offset + i, source + i, step, s->secinfo, s->measured);
		if (page_at_a_time && map_each)
			map(e, s->offset + i, step, segment_prot(s));
	}
	if (!s->source)
		SYS(munmap((void *)source, s->length));
}

void enclave_add(struct enclave *e, const struct enclave_spec *spec)
{
	for (unsigned i = 0; i < e->nsegments; i++)
		add_segment(e, &e->segment[i], spec->page_at_a_time, !spec->map_after_init);
	SYS(munmap(e->staging, e->staging_size));
	e->staging = NULL;
}

void enclave_map(const struct enclave *e)
{
	for (unsigned i = 0; i < e->nsegments; i++)
		map(e, e->segment[i].offset, e->segment[i].length, segment_prot(&e->segment[i]));
}

void enclave_init(struct enclave *e)
{
	static struct sigstruct s; /* kept: signing the same enclave again takes no time */
	struct sgx_enclave_init init = { .sigstruct = (uint64_t)&s };
	int result;

	sha256_final(&e->measurement, e->mrenclave);
	if (memcmp(s.enclavehash, e->mrenclave, 32) || s.attributes != e->attributes || s.xfrm != e->xfrm ||
	    s.miscselect != e->miscselect) {
		s = (struct sigstruct){
			.date = 0x20240101,
			.miscselect = e->miscselect,
			.miscmask = ~0u,
			.attributes = e->attributes,
			.xfrm = e->xfrm,
			.attributemask = ~0ull,
			.xfrmmask = ~0ull,
			.isvprodid = 1,
			.isvsvn = 2,
		};
		memcpy(s.enclavehash, e->mrenclave, 32);
		sigstruct_sign(&s);
	}
	result = ioctl(e->fd, SGX_IOC_ENCLAVE_INIT, &init);
	CHECK(result == 0, "INIT: %d", result);
}

void enclave_load(struct enclave *e, const struct enclave_spec *spec)
{
	enclave_open(e);
	enclave_plan(e, spec);
	enclave_reserve(e, spec);
	enclave_create(e);
	enclave_add(e, spec);
	if (!spec->map_after_init && !spec->page_at_a_time)
		enclave_map(e);
	enclave_init(e);
	if (spec->map_after_init)
		enclave_map(e);
}

void enclave_close(struct enclave *e)
{
	SYS(close(e->fd));
	e->fd = -1;
}

void enclave_unmap(const struct enclave *e)
{
	SYS(munmap((void *)(e->base + e->image), e->size - e->image));
}

/* --- facts --- */

void enclave_targetinfo(const struct enclave *e, struct targetinfo *ti)
{
	*ti = (struct targetinfo){
		.attributes = e->attributes | ATTR_INIT,
		.xfrm = e->xfrm,
		.miscselect = e->miscselect,
	};
	memcpy(ti->measurement, e->mrenclave, 32);
}

uint64_t enclave_address(const struct enclave *e, const uint8_t *label)
{
	return e->text + (uint64_t)(label - enclave_image);
}

uint64_t enclave_ssa(const struct enclave *e, unsigned thread, unsigned n)
{
	return e->thread[thread].ssa + n * e->ssa_frame_size * PAGE;
}

uint64_t enclave_gprsgx(const struct enclave *e, unsigned thread, unsigned n)
{
	return enclave_ssa(e, thread, n + 1) - sizeof(struct gprsgx);
}

/* --- entering --- */

const char *const via_name[VIA_COUNT] = {
	"raw, AEP = the same ENCLU", "raw, AEP = a bare ENCLU", "raw, AEP = a sequence", "vDSO",
};

uint64_t via_aep(enum via via)
{
	return (uint64_t)(via == VIA_RAW_SAME ? enter_enclu : via == VIA_RAW_BARE ? aep_bare : aep_sequence);
}

const void *enter_function(void)
{
	static const void *function;

	if (!function)
		function = vdso_symbol("__vdso_sgx_enter_enclave");
	CHECK(function, "the vDSO has no __vdso_sgx_enter_enclave");
	return function;
}

void enter_run(const struct enclave *e, unsigned thread, unsigned function, struct message *m,
	       struct registers *r, struct sgx_enclave_run *run)
{
	int result;

	if (m)
		r->gpr[RDI] = (uint64_t)m;
	run->tcs = e->thread[thread].tcs;
	result = enter_vdso(r, function, run, enter_function());
	CHECK(result == 0, "the vDSO function returned %d", result);
}

void enter_with(const struct enclave *e, unsigned thread, enum via via, struct message *m,
		struct registers *r)
{
	r->gpr[RDI] = (uint64_t)m;
	if (via == VIA_VDSO) {
		struct sgx_enclave_run run = { .exception_vector = 0 };

		enter_run(e, thread, EENTER, m, r, &run);
		CHECK(run.function == EEXIT, "op %lu: function %u, vector %u, error code %#x, address %#llx",
		      m->op, run.function, run.exception_vector, run.exception_error_code,
		      (unsigned long long)run.exception_addr);
		return;
	}
	r->gpr[RAX] = EENTER;
	r->gpr[RBX] = e->thread[thread].tcs;
	r->gpr[RCX] = via_aep(via);
	enter_raw(r);
}

void enter(const struct enclave *e, unsigned thread, enum via via, struct message *m)
{
	struct registers r = { .mask = 0 };

	enter_with(e, thread, via, m, &r);
}

uint64_t enclave_sum(const struct enclave *e, unsigned thread, enum via via, uint64_t a, uint64_t b)
{
	struct message m = { .op = OP_ADD, .a = { a, b } };

	enter(e, thread, via, &m);
	return m.r[0];
}

uint64_t enclave_get(const struct enclave *e, unsigned thread, enum via via, uint64_t address)
{
	struct message m = { .op = OP_GET, .a = { address } };

	enter(e, thread, via, &m);
	return m.r[0];
}

void enclave_put(const struct enclave *e, unsigned thread, enum via via, uint64_t address, uint64_t value)
{
	struct message m = { .op = OP_PUT, .a = { address, value } };

	enter(e, thread, via, &m);
}

void enclave_copy(const struct enclave *e, unsigned thread, enum via via, uint64_t to, uint64_t from,
		  uint64_t length)
{
	struct message m = { .op = OP_COPY, .a = { to, from, length } };

	enter(e, thread, via, &m);
}
