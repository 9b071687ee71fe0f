/*
 * Pages added one by one, and 512 MiB of zero heap by one ioctl: count,
 * contents, measurement, and words written and read again.
 */
#include "loader.h"

#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Non-zero words, or those that are not as filled, at a stride. */
static uint64_t count(const struct enclave *e, uint64_t op, uint64_t stride)
{
	struct message m = { .op = op, .a = { e->heap, e->heap_size, stride, 0x77 } };

	enter(e, 0, VIA_VDSO, &m);
	return m.r[0];
}

static void check(const char *part, const struct enclave_spec *spec, uint64_t stride)
{
	struct message fill = { .op = OP_FILL };
	struct enclave e;
	double start = now();

	PART(part);
	enclave_load(&e, spec);
	printf("%s: %lu pages in %.2f s\n", part, e.pages, now() - start);
	SAME(count(&e, OP_COUNT_NONZERO, stride), 0, "words that are not zero");
	fill.a[0] = e.heap;
	fill.a[1] = e.heap_size;
	fill.a[2] = stride;
	fill.a[3] = 0x77;
	enter(&e, 0, VIA_RAW_BARE, &fill);
	SAME(count(&e, OP_CHECK_FILL, stride), 0, "words that are not as written");
	SAME(count(&e, OP_COUNT_NONZERO, stride), (e.heap_size + stride - 1) / stride, "words that are not zero");
	enclave_close(&e);
	enclave_unmap(&e);
	PART("");
}

int main(void)
{
	struct enclave_spec one_by_one = { .page_at_a_time = true, .heap = 2000 * PAGE };
	struct enclave_spec at_once = { .heap = 512 << 20 };
	struct enclave_spec by_segment = { .heap = 16 << 20 };

	check("page by page", &one_by_one, 512);
	check("every word of 16 MiB", &by_segment, 8);
	check("512 MiB at once", &at_once, 64 * PAGE);
	return check_ok();
}
