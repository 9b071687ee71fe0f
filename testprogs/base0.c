/*
 * ELRANGE from address 0, as Gramine has it: the device itself is mapped RWX
 * from 0x10000 before CREATE, and segment by segment after ADD_PAGES.
 */
#include "loader.h"

#include <sys/mman.h>

int main(void)
{
	struct enclave_spec spec = {
		.threads = 2,
		.at = true,
		.base = 0,
		.image = 0x10000,
		.size = 256 << 20,
		.reserve_with_device = true,
		.heap = 200 << 20,
	};
	struct enclave e;

	if ((uint64_t)main < spec.size) {
		check_skip("the program itself lies in ELRANGE, at %p", (void *)main);
		return 0;
	}
	enclave_load(&e, &spec);
	SAME(e.base, 0, "base");
	for (enum via via = 0; via < VIA_COUNT; via++) {
		struct message m = { .op = OP_SEGMENTS };

		PART(via_name[via]);
		SAME(enclave_sum(&e, via % 2, via, 3, 4), 7, "sum");
		enter(&e, via % 2, via, &m);
		SAME(m.r[2], e.thread[via % 2].data, "FS base inside");
		enclave_put(&e, via % 2, via, e.heap + (100 << 20), via);
		SAME(enclave_get(&e, via % 2, via, e.heap + (100 << 20)), via, "word in the heap");
	}
	PART("tear down");
	enclave_close(&e);
	SAME(enclave_sum(&e, 0, VIA_VDSO, 3, 4), 7, "sum after close");
	enclave_unmap(&e);
	PART("again");
	enclave_load(&e, &spec);
	SAME(enclave_get(&e, 0, VIA_VDSO, e.heap + (100 << 20)), 0, "word in the new heap");
	return check_ok();
}
