/*
 * Starts an enclave with ATTRIBUTES.PROVISIONKEY; with an argument it takes the
 * grant of that provision node first.
 *
 *	provision [/dev/sgx_provision]
 */
#include "loader.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <asm/sgx.h>

int main(int argc, char **argv)
{
	struct enclave_spec spec = { .threads = 1, .attributes = 1 << 4 };
	struct enclave e;

	enclave_open(&e);
	enclave_plan(&e, &spec);
	enclave_reserve(&e, &spec);
	enclave_create(&e); /* which forgets a grant made before */
	if (argc > 1) {
		struct sgx_enclave_provision grant = { .fd = 0 };
		int node = open(argv[1], O_RDONLY);

		CHECK(node >= 0, "open %s", argv[1]);
		grant.fd = (uint64_t)node;
		SYS(ioctl(e.fd, SGX_IOC_ENCLAVE_PROVISION, &grant));
	}
	enclave_add(&e, &spec);
	enclave_map(&e);
	enclave_init(&e);
	return check_ok();
}
