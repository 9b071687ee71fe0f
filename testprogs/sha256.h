/* SHA-256, FIPS 180-4. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t h[8];
	uint64_t length;
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t length);
/* sha256_final leaves s as it was, so that hashing can go on. */
void sha256_final(const struct sha256 *s, uint8_t digest[32]);
void sha256(const void *data, size_t length, uint8_t digest[32]);

#endif
