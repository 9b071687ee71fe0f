#include "vdso.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

struct tables {
	const char *strings;
	const Elf64_Sym *symbols;
	const uint32_t *hash;
};

/* A vDSO's dynamic entries hold addresses as linked; the image is linked at 0. */
static struct tables read_dynamic(const uint8_t *image)
{
	const Elf64_Ehdr *header = (const void *)image;
	const Elf64_Phdr *segment = (const void *)(image + header->e_phoff);
	struct tables t = { 0 };

	for (int i = 0; i < header->e_phnum; i++) {
		const Elf64_Dyn *entry = (const void *)(image + segment[i].p_offset);

		if (segment[i].p_type != PT_DYNAMIC)
			continue;
		for (; entry->d_tag != DT_NULL; entry++) {
			const void *at = image + entry->d_un.d_ptr;

			if (entry->d_tag == DT_STRTAB)
				t.strings = at;
			else if (entry->d_tag == DT_SYMTAB)
				t.symbols = at;
			else if (entry->d_tag == DT_HASH)
				t.hash = at;
		}
	}
	return t;
}

/* The hash function of the System V ABI. */
static uint32_t elf_hash(const char *name)
{
	uint32_t h = 0;

	for (; *name; name++) {
		uint32_t top;

		h = (h << 4) + (uint8_t)*name;
		top = h & 0xf0000000;
		h = (h ^ top >> 24) & ~top;
	}
	return h;
}

const void *vdso_symbol(const char *name)
{
	const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
	struct tables t;
	uint32_t buckets;

	if (!image)
		return NULL;
	t = read_dynamic(image);
	if (!t.strings || !t.symbols || !t.hash || t.hash[0] == 0)
		return NULL;
	buckets = t.hash[0];
	for (uint32_t i = t.hash[2 + elf_hash(name) % buckets]; i; i = t.hash[2 + buckets + i]) {
		const Elf64_Sym *symbol = t.symbols + i;

		if (symbol->st_shndx != SHN_UNDEF && !strcmp(t.strings + symbol->st_name, name))
			return image + symbol->st_value;
	}
	return NULL;
}
