/*
 * How a test program says how it went: `ok NAME` and 0, `skip NAME: reason`
 * and 0, or what failed, on standard error, and 1.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The part that the program is in, for failure messages; one variable for all files. */
__attribute__((weak)) const char *check_part = "";

#define PART(text) (check_part = (text))

__attribute__((noreturn, format(printf, 4, 5), unused))
static void check_failed(const char *file, int line, const char *cond, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "FAIL %s%s%s: %s:%d: ", program_invocation_short_name,
		*check_part ? " " : "", check_part, file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " [%s; errno %d, %s]\n", cond, err, strerror(err));
	/* Handlers, threads and children of vfork fail here too. */
	_exit(1);
}

/* CHECK ends the program unless cond holds. */
#define CHECK(cond, ...) \
	do { \
		if (!(cond)) \
			check_failed(__FILE__, __LINE__, #cond, __VA_ARGS__); \
	} while (0)

/* SYS is CHECK for a call that answers -1 and errno. */
#define SYS(call) CHECK((call) != -1, "%s", #call)

/* SAME compares two 64-bit values and shows both. */
#define SAME(got, want, what) \
	do { \
		unsigned long long got_ = (unsigned long long)(got); \
		unsigned long long want_ = (unsigned long long)(want); \
		if (got_ != want_) \
			check_failed(__FILE__, __LINE__, #got " == " #want, \
				     "%s: got %#llx, want %#llx", (what), got_, want_); \
	} while (0)

__attribute__((unused))
static int check_ok(void)
{
	printf("ok %s\n", program_invocation_short_name);
	return 0;
}

__attribute__((unused, format(printf, 1, 2)))
static void check_skip(const char *fmt, ...)
{
	va_list ap;

	printf("skip %s: ", program_invocation_short_name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

#endif
