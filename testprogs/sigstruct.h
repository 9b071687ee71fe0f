/*
 * The architectural structures that a loader handles, and the signer of
 * SIGSTRUCT (SDM vol. 3D, 34.14, 34.19). The key is key.pem.
 */
#ifndef SIGSTRUCT_H
#define SIGSTRUCT_H

#include <stdint.h>

enum {
	ATTR_INIT = 1 << 0,
	ATTR_DEBUG = 1 << 1,
	ATTR_MODE64BIT = 1 << 2,
	MISC_EXINFO = 1 << 0,
	SECINFO_R = 1 << 0,
	SECINFO_W = 1 << 1,
	SECINFO_X = 1 << 2,
	SECINFO_TCS = 1 << 8,
	SECINFO_REG = 2 << 8,
};

struct secs {
	uint64_t size;
	uint64_t base;
	uint32_t ssa_frame_size;
	uint32_t miscselect;
	uint8_t reserved1[24];
	uint64_t attributes;
	uint64_t xfrm;
	uint8_t rest[4032];
} __attribute__((packed));

struct tcs {
	uint64_t state;
	uint64_t flags;
	uint64_t ossa;
	uint32_t cssa;
	uint32_t nssa;
	uint64_t oentry;
	uint64_t aep;
	uint64_t ofsbase;
	uint64_t ogsbase;
	uint32_t fslimit;
	uint32_t gslimit;
	uint8_t reserved[4024];
} __attribute__((packed));

struct gprsgx {
	/* RAX RCX RDX RBX RSP RBP RSI RDI R8..R15, the order of ModRM */
	uint64_t gpr[16];
	uint64_t rflags;
	uint64_t rip;
	uint64_t ursp;
	uint64_t urbp;
	uint32_t exitinfo;
	uint8_t reserved[3];
	uint8_t aexnotify;
	uint64_t fsbase;
	uint64_t gsbase;
} __attribute__((packed));

struct exinfo {
	uint64_t maddr;
	uint32_t errcd;
	uint32_t reserved;
} __attribute__((packed));

struct sigstruct {
	uint8_t header1[16];
	uint32_t vendor;
	uint32_t date;
	uint8_t header2[16];
	uint32_t swdefined;
	uint8_t reserved1[84];
	uint8_t modulus[384];
	uint32_t exponent;
	uint8_t signature[384];
	uint32_t miscselect;
	uint32_t miscmask;
	uint8_t reserved2[20];
	uint64_t attributes;
	uint64_t xfrm;
	uint64_t attributemask;
	uint64_t xfrmmask;
	uint8_t enclavehash[32];
	uint8_t reserved3[32];
	uint16_t isvprodid;
	uint16_t isvsvn;
	uint8_t reserved4[12];
	uint8_t q1[384];
	uint8_t q2[384];
} __attribute__((packed));

struct targetinfo {
	uint8_t measurement[32];
	uint64_t attributes;
	uint64_t xfrm;
	uint8_t cet_attributes;
	uint8_t reserved1;
	uint16_t configsvn;
	uint32_t miscselect;
	uint8_t reserved2[8];
	uint8_t configid[64];
	uint8_t reserved3[384];
} __attribute__((packed));

struct report {
	uint8_t cpusvn[16];
	uint32_t miscselect;
	uint8_t reserved1[12];
	uint8_t isvextprodid[16];
	uint64_t attributes;
	uint64_t xfrm;
	uint8_t mrenclave[32];
	uint8_t reserved2[32];
	uint8_t mrsigner[32];
	uint8_t reserved3[32];
	uint8_t configid[64];
	uint16_t isvprodid;
	uint16_t isvsvn;
	uint16_t configsvn;
	uint8_t reserved4[42];
	uint8_t isvfamilyid[16];
	uint8_t reportdata[64];
	/* the MAC covers what is above */
	uint8_t keyid[32];
	uint8_t mac[16];
} __attribute__((packed));

enum { KEYNAME_REPORT = 3, KEYNAME_SEAL = 4, REPORT_BODY = 384 };

struct keyrequest {
	uint16_t keyname;
	uint16_t keypolicy;
	uint16_t isvsvn;
	uint16_t reserved1;
	uint8_t cpusvn[16];
	uint64_t attributemask;
	uint64_t xfrmmask;
	uint8_t keyid[32];
	uint32_t miscmask;
	uint16_t configsvn;
	uint8_t reserved2[434];
} __attribute__((packed));

_Static_assert(sizeof(struct secs) == 4096, "SECS");
_Static_assert(sizeof(struct tcs) == 4096, "TCS");
_Static_assert(sizeof(struct gprsgx) == 184, "GPRSGX");
_Static_assert(sizeof(struct exinfo) == 16, "EXINFO");
_Static_assert(sizeof(struct sigstruct) == 1808, "SIGSTRUCT");
_Static_assert(sizeof(struct targetinfo) == 512, "TARGETINFO");
_Static_assert(sizeof(struct report) == 432, "REPORT");
_Static_assert(sizeof(struct keyrequest) == 512, "KEYREQUEST");

/* sigstruct_sign fills headers, key, signature, Q1 and Q2 into s. */
void sigstruct_sign(struct sigstruct *s);

/* sigstruct_mrsigner is SHA-256 over the test key's modulus as SIGSTRUCT holds it. */
void sigstruct_mrsigner(uint8_t mrsigner[32]);

#endif
