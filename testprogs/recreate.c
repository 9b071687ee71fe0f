/*
 * Create, destroy and create again at the same address, 50 times: close
 * first and unmap later, or the other way round. Each enclave is new.
 */
#include "loader.h"

#include <sys/mman.h>

enum { TIMES = 50 };

int main(void)
{
	struct enclave_spec spec = { .threads = 2 };
	struct enclave e;
	char part[32];

	for (unsigned i = 0; i < TIMES; i++) {
		enum via via = i % VIA_COUNT;

		snprintf(part, sizeof(part), "enclave %u", i);
		PART(part);
		spec.salt = i % 3;
		spec.map_after_init = i % 5 == 0;
		enclave_load(&e, &spec);
		spec.at = true;
		spec.base = e.base;
		SAME(enclave_get(&e, 0, via, e.read_only), spec.salt, "salt");
		SAME(enclave_get(&e, 0, via, e.read_write), 0, "word in a new enclave");
		enclave_put(&e, 1, via, e.read_write, 0xdead0000 + i);
		if (i % 2) {
			enclave_unmap(&e);
			enclave_close(&e);
			continue;
		}
		enclave_close(&e);
		SAME(enclave_get(&e, 0, via, e.read_write), 0xdead0000 + i, "word after close");
		SAME(enclave_sum(&e, 1, via, i, i), 2 * i, "sum after close");
		enclave_unmap(&e);
	}
	PART("");
	return check_ok();
}
