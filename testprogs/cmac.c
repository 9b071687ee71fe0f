#include "cmac.h"

#include <string.h>

/* The S-box is computed: the inverse in GF(2^8), then the affine map (FIPS 197). */
static uint8_t sbox[256];

static uint8_t rol8(uint8_t x, unsigned n)
{
	return (uint8_t)(x << n | x >> (8 - n));
}

static uint8_t xtime(uint8_t x)
{
	return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static void make_sbox(void)
{
	uint8_t p = 1, q = 1;

	do {
		p ^= xtime(p); /* times 3 */
		q ^= (uint8_t)(q << 1); /* divided by 3 */
		q ^= (uint8_t)(q << 2);
		q ^= (uint8_t)(q << 4);
		if (q & 0x80)
			q ^= 0x09;
		sbox[p] = q ^ rol8(q, 1) ^ rol8(q, 2) ^ rol8(q, 3) ^ rol8(q, 4) ^ 0x63;
	} while (p != 1);
	sbox[0] = 0x63;
}

static void expand(const uint8_t key[16], uint8_t rk[176])
{
	uint8_t rcon = 1;

	memcpy(rk, key, 16);
	for (int i = 16; i < 176; i += 4) {
		uint8_t t[4];

		memcpy(t, rk + i - 4, 4);
		if (i % 16 == 0) {
			uint8_t first = t[0];

			t[0] = sbox[t[1]] ^ rcon;
			t[1] = sbox[t[2]];
			t[2] = sbox[t[3]];
			t[3] = sbox[first];
			rcon = xtime(rcon);
		}
		for (int j = 0; j < 4; j++)
			rk[i + j] = rk[i - 16 + j] ^ t[j];
	}
}

static void encrypt(const uint8_t rk[176], uint8_t s[16])
{
	for (int i = 0; i < 16; i++)
		s[i] ^= rk[i];
	for (int round = 1; round <= 10; round++) {
		uint8_t t[16];

		/* SubBytes and ShiftRows */
		for (int i = 0; i < 16; i++)
			t[i] = sbox[s[(i + 4 * (i % 4)) % 16]];
		for (int c = 0; c < 16 && round < 10; c += 4) {
			uint8_t all = t[c] ^ t[c + 1] ^ t[c + 2] ^ t[c + 3], first = t[c];

			for (int i = 0; i < 4; i++) {
				uint8_t next = i < 3 ? t[c + i + 1] : first;

				t[c + i] ^= all ^ xtime(t[c + i] ^ next);
			}
		}
		for (int i = 0; i < 16; i++)
			s[i] = t[i] ^ rk[16 * round + i];
	}
}

static void doubled(uint8_t x[16])
{
	uint8_t carry = x[0] & 0x80;

	for (int i = 0; i < 15; i++)
		x[i] = (uint8_t)(x[i] << 1 | x[i + 1] >> 7);
	x[15] = (uint8_t)(x[15] << 1) ^ (carry ? 0x87 : 0);
}

void cmac(const uint8_t key[16], const void *message, size_t length, uint8_t mac[16])
{
	const uint8_t *p = message;
	uint8_t rk[176], subkey[16] = { 0 };

	make_sbox();
	expand(key, rk);
	encrypt(rk, subkey);
	doubled(subkey);
	memset(mac, 0, 16);
	for (; length > 16; p += 16, length -= 16) {
		for (int i = 0; i < 16; i++)
			mac[i] ^= p[i];
		encrypt(rk, mac);
	}
	if (length < 16) {
		doubled(subkey);
		mac[length] ^= 0x80;
	}
	for (size_t i = 0; i < length; i++)
		mac[i] ^= p[i];
	for (int i = 0; i < 16; i++)
		mac[i] ^= subkey[i];
	encrypt(rk, mac);
}
