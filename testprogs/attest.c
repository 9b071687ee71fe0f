/*
 * Local attestation between two enclaves, in two processes if wanted:
 *
 *	attest targetinfo FILE		write the TARGETINFO of the verifying enclave
 *	attest report TARGETINFO FILE	another enclave's REPORT for that target
 *	attest verify FILE		EGETKEY(REPORT) in the verifying enclave, AES-CMAC
 *	attest				all three, each in a process of its own
 *
 * `verify` also sees that a changed REPORT and an enclave of another identity
 * do not verify.
 */
#include "loader.h"

#include "cmac.h"

#include <sys/wait.h>

enum { VERIFIER = 1, REPORTER = 2, STRANGER = 3 }; /* salts: the identities */

static const char text[64] = "softsgx local attestation";

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *f = fopen(name, "w");

	CHECK(f && fwrite(data, size, 1, f) == 1 && fclose(f) == 0, "writing %s", name);
}

static void read_file(const char *name, void *data, size_t size)
{
	FILE *f = fopen(name, "r");

	CHECK(f && fread(data, size, 1, f) == 1 && fclose(f) == 0, "reading %s", name);
}

static void load(struct enclave *e, uint64_t salt)
{
	struct enclave_spec spec = { .salt = salt, .map_after_init = salt == REPORTER };

	enclave_load(e, &spec);
}

static void make_report(const struct enclave *e, const struct targetinfo *ti, struct report *report)
{
	struct message m = { .op = OP_REPORT, .a = { (uint64_t)ti, (uint64_t)text, (uint64_t)report } };

	enter(e, 0, VIA_VDSO, &m);
}

/* verifies derives e's report key for the report's KEYID and compares the MAC. */
static bool verifies(const struct enclave *e, const struct report *report)
{
	struct keyrequest request = { .keyname = KEYNAME_REPORT };
	struct message m = { .op = OP_GETKEY };
	uint8_t key[16], mac[16];

	memcpy(request.keyid, report->keyid, 32);
	m.a[0] = (uint64_t)&request;
	m.a[1] = (uint64_t)key;
	enter(e, 0, VIA_VDSO, &m);
	SAME(m.r[0], 0, "EGETKEY");
	SAME(m.r[1], 0, "ZF of EGETKEY");
	cmac(key, report, REPORT_BODY, mac);
	return memcmp(mac, report->mac, 16) == 0;
}

static void do_targetinfo(const char *file)
{
	struct targetinfo ti;
	struct enclave e;

	load(&e, VERIFIER);
	enclave_targetinfo(&e, &ti);
	write_file(file, &ti, sizeof(ti));
}

static void do_report(const char *targetinfo, const char *file)
{
	struct targetinfo ti;
	struct report report;
	struct enclave e;

	read_file(targetinfo, &ti, sizeof(ti));
	load(&e, REPORTER);
	make_report(&e, &ti, &report);
	CHECK(memcmp(report.mrenclave, e.mrenclave, 32) == 0, "MRENCLAVE");
	CHECK(memcmp(report.reportdata, text, 64) == 0, "REPORTDATA");
	write_file(file, &report, sizeof(report));
}

static void do_verify(const char *file)
{
	struct enclave e, stranger;
	struct report report, changed;
	struct targetinfo ti;

	read_file(file, &report, sizeof(report));
	load(&e, VERIFIER);
	CHECK(verifies(&e, &report), "the report does not verify");
	CHECK(memcmp(report.mrenclave, e.mrenclave, 32) != 0, "the reporter has the verifier's MRENCLAVE");
	CHECK(memcmp(report.reportdata, text, 64) == 0, "REPORTDATA");
	changed = report;
	changed.reportdata[63] ^= 1;
	CHECK(!verifies(&e, &changed), "a changed report verifies");
	load(&stranger, STRANGER);
	CHECK(!verifies(&stranger, &report), "the report verifies in another enclave");
	enclave_targetinfo(&stranger, &ti);
	make_report(&e, &ti, &report);
	CHECK(verifies(&stranger, &report), "a report within one process does not verify");
}

static void run(const char *mode, const char *first, const char *second)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0, "fork");
	if (child == 0) {
		execl("/proc/self/exe", program_invocation_name, mode, first, second, (char *)NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0, "%s ended with status %#x", mode, status);
}

static void do_all(void)
{
	char dir[] = "/tmp/attestXXXXXX", targetinfo[64], report[64];

	CHECK(mkdtemp(dir), "mkdtemp");
	snprintf(targetinfo, sizeof(targetinfo), "%s/targetinfo", dir);
	snprintf(report, sizeof(report), "%s/report", dir);
	run("targetinfo", targetinfo, NULL);
	run("report", targetinfo, report);
	run("verify", report, NULL);
	SYS(unlink(targetinfo));
	SYS(unlink(report));
	SYS(rmdir(dir));
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	PART(mode);
	if (argc == 1) {
		do_all();
		return check_ok();
	}
	if (argc == 3 && !strcmp(mode, "targetinfo")) {
		do_targetinfo(argv[2]);
	} else if (argc == 4 && !strcmp(mode, "report")) {
		do_report(argv[2], argv[3]);
	} else if (argc == 3 && !strcmp(mode, "verify")) {
		do_verify(argv[2]);
	} else {
		fprintf(stderr, "usage: attest [targetinfo FILE | report TARGETINFO FILE | verify FILE]\n");
		return 2;
	}
	return 0;
}
