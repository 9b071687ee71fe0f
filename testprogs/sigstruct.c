#include "sigstruct.h"

#include "check.h"
#include "sha256.h"

enum { LIMBS = 48, BYTES = 384 }; /* 3072 bits */

typedef uint64_t number[LIMBS]; /* least significant limb first, as SIGSTRUCT has it */
typedef unsigned __int128 wide;

static number modulus, exponent;

/* --- numbers --- */

static int less(const uint64_t *a, const uint64_t *b)
{
	for (int i = LIMBS - 1; i >= 0; i--)
		if (a[i] != b[i])
			return a[i] < b[i];
	return 0;
}

static void subtract(uint64_t *a, const uint64_t *b)
{
	uint64_t borrow = 0;

	for (int i = 0; i < LIMBS; i++) {
		wide d = (wide)a[i] - b[i] - borrow;

		a[i] = (uint64_t)d;
		borrow = (uint64_t)(d >> 64) & 1;
	}
}

/* shift puts bit in at the bottom of a and returns what falls out at the top. */
static uint64_t shift(uint64_t *a, uint64_t bit)
{
	for (int i = 0; i < LIMBS; i++) {
		uint64_t out = a[i] >> 63;

		a[i] = a[i] << 1 | bit;
		bit = out;
	}
	return bit;
}

static void multiply(const number a, const number b, uint64_t product[2 * LIMBS])
{
	memset(product, 0, 2 * BYTES);
	for (int i = 0; i < LIMBS; i++) {
		uint64_t carry = 0;

		for (int j = 0; j < LIMBS; j++) {
			wide t = (wide)a[i] * b[j] + product[i + j] + carry;

			product[i + j] = (uint64_t)t;
			carry = (uint64_t)(t >> 64);
		}
		product[i + LIMBS] = carry;
	}
}

/* divide gives floor(a*b / modulus) and the remainder; both factors are below the modulus. */
static void divide(const number a, const number b, number quotient, number remainder)
{
	uint64_t product[2 * LIMBS];
	number q = { 0 }, r = { 0 };

	multiply(a, b, product);
	for (int i = 64 * 2 * LIMBS - 1; i >= 0; i--) {
		uint64_t over = shift(r, product[i / 64] >> i % 64 & 1);

		shift(q, 0);
		if (over || !less(r, modulus)) {
			subtract(r, modulus);
			q[0] |= 1;
		}
	}
	memcpy(quotient, q, BYTES);
	memcpy(remainder, r, BYTES);
}

/* montgomery is a*b/2^3072 modulo the modulus. */
static void montgomery(const number a, const number b, uint64_t inverse, number result)
{
	uint64_t t[LIMBS + 2] = { 0 };

	for (int i = 0; i < LIMBS; i++) {
		uint64_t carry = 0, m;
		wide sum;

		for (int j = 0; j < LIMBS; j++) {
			sum = (wide)a[i] * b[j] + t[j] + carry;
			t[j] = (uint64_t)sum;
			carry = (uint64_t)(sum >> 64);
		}
		sum = (wide)t[LIMBS] + carry;
		t[LIMBS] = (uint64_t)sum;
		t[LIMBS + 1] = (uint64_t)(sum >> 64);

		m = t[0] * inverse;
		carry = 0;
		for (int j = 0; j < LIMBS; j++) {
			sum = (wide)m * modulus[j] + t[j] + carry;
			if (j > 0)
				t[j - 1] = (uint64_t)sum;
			carry = (uint64_t)(sum >> 64);
		}
		sum = (wide)t[LIMBS] + carry;
		t[LIMBS - 1] = (uint64_t)sum;
		t[LIMBS] = t[LIMBS + 1] + (uint64_t)(sum >> 64);
	}
	if (t[LIMBS] || !less(t, modulus))
		subtract(t, modulus);
	memcpy(result, t, BYTES);
}

/* power is base^exponent modulo the modulus. */
static void power(const number base, number result)
{
	number one = { 1 }, r = { 1 }, b;
	uint64_t inverse = 1;

	for (int i = 0; i < 6; i++) /* Newton: modulus[0] * inverse = 1 modulo 2^64 */
		inverse *= 2 - modulus[0] * inverse;
	inverse = -inverse;
	for (int i = 0; i < 2 * 64 * LIMBS; i++) /* r = 2^6144 */
		if (shift(r, 0) || !less(r, modulus))
			subtract(r, modulus);
	montgomery(base, r, inverse, b);
	montgomery(one, r, inverse, result);
	for (int i = 64 * LIMBS - 1; i >= 0; i--) {
		montgomery(result, result, inverse, result);
		if (exponent[i / 64] >> i % 64 & 1)
			montgomery(result, b, inverse, result);
	}
	montgomery(result, one, inverse, result);
}

/* --- the key --- */

static const uint8_t *der_header(const uint8_t *p, const uint8_t *end, uint8_t tag, size_t *length)
{
	CHECK(end - p > 4 && *p == tag, "key.pem: DER tag %#x", tag);
	*length = p[1];
	p += 2;
	if (*length & 0x80) {
		int n = *length & 0x7f;

		CHECK(n <= 2, "key.pem: DER length");
		for (*length = 0; n > 0; n--)
			*length = *length << 8 | *p++;
	}
	CHECK((size_t)(end - p) >= *length, "key.pem: DER ends early");
	return p;
}

static const uint8_t *der_integer(const uint8_t *p, const uint8_t *end, number value)
{
	size_t length;

	p = der_header(p, end, 0x02, &length);
	memset(value, 0, BYTES);
	for (size_t i = 0; i < length; i++) {
		size_t at = length - 1 - i;

		CHECK(at < BYTES || p[i] == 0, "key.pem: number longer than 3072 bits");
		if (at < BYTES)
			((uint8_t *)value)[at] = p[i];
	}
	return p + length;
}

static size_t base64(const char *p, const char *end, uint8_t *out, size_t room)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	size_t n = 0;
	int have = 0;

	for (; p < end && *p != '-' && *p != '='; p++) {
		const char *d = *p ? strchr(digits, *p) : NULL;

		if (!d)
			continue;
		bits = bits << 6 | (uint32_t)(d - digits);
		have += 6;
		if (have >= 8) {
			CHECK(n < room, "key.pem: too long");
			out[n++] = (uint8_t)(bits >> (have -= 8));
		}
	}
	return n;
}

/* RSAPrivateKey ::= SEQUENCE { version 0, modulus, publicExponent, privateExponent, ... } (RFC 8017) */
static void load_key(void)
{
	extern const char key_pem[] __attribute__((visibility("hidden")));
	extern const char key_pem_end[] __attribute__((visibility("hidden")));
	static const char begin[] = "-----BEGIN RSA PRIVATE KEY-----\n";
	const char *text = strstr(key_pem, begin);
	uint8_t der[2048];
	const uint8_t *p, *end;
	number n;
	size_t length;

	if (modulus[0])
		return;
	CHECK(text, "key.pem: no RSA key");
	end = der + base64(text + sizeof(begin) - 1, key_pem_end, der, sizeof(der));
	p = der_header(der, end, 0x30, &length);
	p = der_integer(p, end, n);
	CHECK(n[0] == 0, "key.pem: version");
	p = der_integer(p, end, modulus);
	p = der_integer(p, end, n);
	CHECK(n[0] == 3 && modulus[LIMBS - 1] >> 63, "key.pem: not RSA-3072 with e = 3");
	der_integer(p, end, exponent);
}

/* --- SIGSTRUCT --- */

/* EMSA-PKCS1-v1_5 with SHA-256 over bytes 0..127 and 900..1027 (SDM vol. 3D, EINIT). */
static void encoded_message(const struct sigstruct *s, number em)
{
	static const uint8_t info[19] = {
		0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
	};
	uint8_t big[BYTES] = { 0, 1 };
	struct sha256 hash;

	memset(big + 2, 0xff, 330);
	memcpy(big + 333, info, sizeof(info));
	sha256_init(&hash);
	sha256_update(&hash, s, 128);
	sha256_update(&hash, (const uint8_t *)s + 900, 128);
	sha256_final(&hash, big + 352);
	for (int i = 0; i < BYTES; i++)
		((uint8_t *)em)[i] = big[BYTES - 1 - i];
}

void sigstruct_sign(struct sigstruct *s)
{
	static const uint8_t header1[16] = { 6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1 };
	static const uint8_t header2[16] = { 1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1 };
	number em, signature, q1, q2, r;

	load_key();
	memcpy(s->header1, header1, 16);
	memcpy(s->header2, header2, 16);
	memcpy(s->modulus, modulus, BYTES);
	s->exponent = 3;
	encoded_message(s, em);
	power(em, signature);
	memcpy(s->signature, signature, BYTES);
	divide(signature, signature, q1, r);
	divide(r, signature, q2, r);
	CHECK(memcmp(r, em, BYTES) == 0, "the signature does not verify");
	memcpy(s->q1, q1, BYTES);
	memcpy(s->q2, q2, BYTES);
}

void sigstruct_mrsigner(uint8_t mrsigner[32])
{
	load_key();
	sha256(modulus, BYTES, mrsigner);
}
