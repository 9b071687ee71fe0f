/*
 * The measurement, signature and MAC that the other programs rely on, against
 * published vectors. Needs no SGX.
 */
#include "check.h"
#include "cmac.h"
#include "sha256.h"
#include "sigstruct.h"

static void hex(const uint8_t *p, size_t n, char *text)
{
	for (size_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", p[i]);
}

static void same(const uint8_t *p, size_t n, const char *want)
{
	char got[2 * 64 + 1];

	hex(p, n, got);
	CHECK(strcmp(got, want) == 0, "got %s, want %s", got, want);
}

static void check_sha256(void)
{
	uint8_t digest[32];
	struct sha256 s;
	static char a[1000];

	PART("SHA-256");
	sha256("abc", 3, digest); /* FIPS 180-4 */
	same(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256("", 0, digest);
	same(digest, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest);
	same(digest, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(a, 'a', sizeof(a));
	sha256_init(&s);
	for (int i = 0; i < 1000; i++)
		sha256_update(&s, a, sizeof(a));
	sha256_final(&s, digest);
	same(digest, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* SIZE 0x2000, SSAFRAMESIZE 1, one zero page R-X at 0, every chunk extended. */
static void check_measurement(void)
{
	uint8_t block[64] = "ECREATE", zero[256] = { 0 }, digest[32];
	struct sha256 s;

	PART("measurement");
	sha256_init(&s);
	block[8] = 1;
	block[13] = 0x20;
	sha256_update(&s, block, 64);
	sha256_final(&s, digest);
	same(digest, 32, "9e197c8837c6d65632dbdd59cd7df4f1a25b68d8e4e5eb6ca3b20b05311fecb8");
	memset(block, 0, 64);
	memcpy(block, "EADD", 4);
	block[16] = 5;
	block[17] = 2;
	sha256_update(&s, block, 64);
	for (int i = 0; i < 16; i++) {
		memset(block, 0, 64);
		memcpy(block, "EEXTEND", 7);
		block[9] = (uint8_t)i;
		sha256_update(&s, block, 64);
		sha256_update(&s, zero, 256);
	}
	sha256_final(&s, digest);
	same(digest, 32, "38e085969dcae1d5a7627486038e23699c5e11a5d97bd84ad288c34f9bd067e6");
}

static void check_cmac(void)
{
	static const uint8_t key[16] = {
		0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c,
	};
	static const uint8_t message[64] = {
		0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a,
		0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51,
		0x30, 0xc8, 0x1c, 0x46, 0xa3, 0x5c, 0xe4, 0x11, 0xe5, 0xfb, 0xc1, 0x19, 0x1a, 0x0a, 0x52, 0xef,
		0xf6, 0x9f, 0x24, 0x45, 0xdf, 0x4f, 0x9b, 0x17, 0xad, 0x2b, 0x41, 0x7b, 0xe6, 0x6c, 0x37, 0x10,
	};
	uint8_t mac[16];

	PART("AES-CMAC"); /* RFC 4493, section 4 */
	cmac(key, message, 0, mac);
	same(mac, 16, "bb1d6929e95937287fa37d129b756746");
	cmac(key, message, 16, mac);
	same(mac, 16, "070a16b46b4d4144f79bdd9dd04a287c");
	cmac(key, message, 40, mac);
	same(mac, 16, "dfa66747de9ae63030ca32611497c827");
	cmac(key, message, 64, mac);
	same(mac, 16, "51f0bebf7e3b9d92fc49741779363cfe");
}

/* sigstruct_sign verifies what it made; --sigstruct FILE writes one for other verifiers. */
static void check_signature(const char *file)
{
	struct sigstruct s = { .date = 0x20240101, .attributes = ATTR_MODE64BIT, .xfrm = 3 };
	FILE *f;

	PART("SIGSTRUCT");
	memset(s.enclavehash, 0x5a, 32);
	sigstruct_sign(&s);
	CHECK(s.modulus[383] & 0x80, "the modulus is not of 3072 bits");
	if (!file)
		return;
	f = fopen(file, "w");
	CHECK(f && fwrite(&s, sizeof(s), 1, f) == 1 && fclose(f) == 0, "writing %s", file);
}

int main(int argc, char **argv)
{
	check_sha256();
	check_measurement();
	check_cmac();
	check_signature(argc == 3 && !strcmp(argv[1], "--sigstruct") ? argv[2] : NULL);
	return check_ok();
}
