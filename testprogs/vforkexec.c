/*
 * Children by vfork and exec that build enclaves of their own, one level
 * deeper each, while the parent keeps using its enclave; posix_spawn, system
 * and popen beside it.
 */
#include "loader.h"

#include <spawn.h>
#include <sys/wait.h>

enum { DEPTH = 3, CHILDREN = 4 };

extern char **environ;

static void check_exit(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child, "waitpid");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child ended with status %#x", status);
}

static void child_command(char *depth, char *salt, int d, int s)
{
	snprintf(depth, 12, "%d", d);
	snprintf(salt, 12, "%d", s);
}

static pid_t by_vfork(int depth, int salt)
{
	char d[12], s[12];
	pid_t child;

	child_command(d, s, depth, salt);
	child = vfork();
	if (child == 0) {
		execl("/proc/self/exe", program_invocation_name, d, s, (char *)NULL);
		_exit(127);
	}
	CHECK(child > 0, "vfork");
	return child;
}

static pid_t by_spawn(int depth, int salt)
{
	char d[12], s[12];
	char *argv[] = { program_invocation_name, d, s, NULL };
	pid_t child;

	child_command(d, s, depth, salt);
	errno = posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ);
	CHECK(errno == 0, "posix_spawn");
	return child;
}

static void other_programs(void)
{
	char line[16];
	FILE *f = popen("echo popen", "r");

	CHECK(f && fgets(line, sizeof(line), f) && !strcmp(line, "popen\n"), "popen");
	CHECK(pclose(f) == 0, "pclose");
	CHECK(system("exit 3") == 3 << 8, "system");
}

static void level(int depth, int salt)
{
	struct enclave_spec spec = { .salt = (uint64_t)(100 * depth + salt) };
	struct enclave e;
	pid_t children[CHILDREN];

	enclave_load(&e, &spec);
	SAME(enclave_get(&e, 0, VIA_VDSO, e.read_only), spec.salt, "salt");
	enclave_put(&e, 0, VIA_RAW_BARE, e.read_write, spec.salt + 5);
	if (depth == 0)
		return;
	check_exit(by_vfork(depth - 1, salt + 1));
	SAME(enclave_get(&e, 0, VIA_RAW_BARE, e.read_write), spec.salt + 5, "word after a child");
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = i % 2 ? by_spawn(0, i) : by_vfork(0, i);
		SAME(enclave_sum(&e, 0, VIA_VDSO, 1, (uint64_t)i), 1u + (uint64_t)i, "sum beside children");
	}
	for (int i = 0; i < CHILDREN; i++)
		check_exit(children[i]);
	other_programs();
	SAME(enclave_get(&e, 0, VIA_VDSO, e.read_write), spec.salt + 5, "word after all children");
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		level(atoi(argv[1]), atoi(argv[2]));
		return 0;
	}
	level(DEPTH, 0);
	return check_ok();
}
