/* Functions of the vDSO, found by its dynamic section and DT_HASH as the kernel's selftest does. */
#ifndef VDSO_H
#define VDSO_H

/* vdso_symbol is the address of the named function, or NULL. */
const void *vdso_symbol(const char *name);

#endif
