// Lets ld.so bind the function, as a weak symbol of linux-vdso.so.1.
#include <stdio.h>

__attribute__((weak)) extern int __vdso_sgx_enter_enclave(unsigned long, unsigned long, unsigned long, unsigned,
							   unsigned long, unsigned long, void *);

int main(void)
{
	static char run[256];

	if (!__vdso_sgx_enter_enclave)
		return printf("not bound\n"), 1;
	printf("%d\n", __vdso_sgx_enter_enclave(0, 0, 0, 1, 0, 0, run)); // function 1: -EINVAL
	return 0;
}
