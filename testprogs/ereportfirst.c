/*
 * An enclave that does EREPORT before anything else; and the REPORT's fields.
 */
#include "loader.h"

static void check_report(const struct enclave *e, const struct report *r)
{
	static const uint8_t zero[64];
	uint8_t mrsigner[32];

	sigstruct_mrsigner(mrsigner);
	CHECK(memcmp(r->mrenclave, e->mrenclave, 32) == 0, "MRENCLAVE differs from the loader's");
	CHECK(memcmp(r->mrsigner, mrsigner, 32) == 0, "MRSIGNER");
	SAME(r->attributes, e->attributes | ATTR_INIT, "ATTRIBUTES");
	SAME(r->xfrm, e->xfrm, "XFRM");
	SAME(r->miscselect, e->miscselect, "MISCSELECT");
	SAME(r->isvprodid, 1, "ISVPRODID");
	SAME(r->isvsvn, 2, "ISVSVN");
	CHECK(memcmp(r->reportdata, zero, 64) == 0, "REPORTDATA");
	CHECK(memcmp(r->reserved1, zero, 12) == 0 && memcmp(r->reserved2, zero, 32) == 0 &&
	      memcmp(r->reserved3, zero, 32) == 0 && memcmp(r->reserved4, zero, 42) == 0, "reserved bytes");
	CHECK(memcmp(r->mac, zero, 16) != 0, "no MAC");
}

int main(void)
{
	struct enclave_spec spec = { .entry = enclave_entry_report };

	for (enum via via = 0; via < VIA_COUNT; via++) {
		struct enclave e;
		union {
			struct message message; /* never read: RDI points to where the REPORT goes */
			struct report report;
		} out;
		struct registers r = { .mask = 0 };

		PART(via_name[via]);
		memset(&out, 0xee, sizeof(out));
		enclave_load(&e, &spec);
		enter_with(&e, 0, via, &out.message, &r);
		check_report(&e, &out.report);
		enclave_close(&e);
		enclave_unmap(&e);
	}
	PART("");
	return check_ok();
}
