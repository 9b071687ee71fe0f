/*
 * After fork the child enters the enclave it shares with its parent: one set of
 * pages, one set of TCS, as long as either of them holds it.
 */
#include "loader.h"

#include <sys/mman.h>
#include <sys/wait.h>

enum { TIMES = 1000 };

static struct enclave e;

static void count(unsigned thread)
{
	for (int i = 0; i < TIMES; i++) {
		struct message m = { .op = OP_INC, .a = { e.read_write, 1 } };

		enter(&e, thread, i % VIA_COUNT, &m);
	}
}

static void check_exit(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child && status == 0, "a child ended with status %#x", status);
}

static pid_t forked(void)
{
	pid_t child = fork();

	CHECK(child >= 0, "fork");
	return child;
}

static void both_at_once(void)
{
	pid_t child;

	PART("parent and child at once");
	child = forked();
	if (child == 0) {
		count(1);
		_exit(0);
	}
	count(0);
	check_exit(child);
	SAME(enclave_get(&e, 0, VIA_VDSO, e.read_write), 2 * TIMES, "count of both");
}

/* Both wait for each other inside the enclave: they really are there together. */
static void meet_inside(void)
{
	uint64_t *meeting = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct message m = { .op = OP_RENDEZVOUS, .a = { (uint64_t)meeting, 2 } };
	pid_t child;

	PART("meeting inside");
	CHECK(meeting != MAP_FAILED, "mmap");
	child = forked();
	enter(&e, child == 0 ? 1 : 0, VIA_RAW_BARE, &m);
	if (child == 0)
		_exit(0);
	check_exit(child);
}

static void grandchild_in_the_same_tcs(void)
{
	pid_t child;

	PART("grandchild, same TCS");
	child = forked();
	if (child == 0) {
		SAME(enclave_sum(&e, 0, VIA_VDSO, 1, 2), 3, "sum in the child");
		child = forked();
		if (child == 0) {
			enclave_put(&e, 0, VIA_VDSO, e.read_write, 0x6c);
			_exit(0);
		}
		check_exit(child);
		SAME(enclave_get(&e, 0, VIA_RAW_SAME, e.read_write), 0x6c, "the grandchild's word");
		_exit(0);
	}
	check_exit(child);
	SAME(enclave_get(&e, 0, VIA_VDSO, e.read_write), 0x6c, "the grandchild's word");
}

static void parent_lets_go(void)
{
	struct enclave old = e;
	int pipes[2];
	char c;
	pid_t child;

	PART("the child keeps the enclave");
	SYS(pipe(pipes));
	child = forked();
	if (child == 0) {
		struct enclave_spec spec = { .salt = 9 };
		struct enclave own;

		SYS(close(pipes[1]));
		CHECK(read(pipes[0], &c, 1) == 0, "read"); /* until the parent closes it */
		enclave_close(&e);
		SAME(enclave_get(&e, 1, VIA_RAW_BARE, e.read_write), 0x6c, "word after the parent left");
		enclave_load(&own, &spec);
		SAME(enclave_sum(&own, 0, VIA_VDSO, 5, 6), 11, "sum in an enclave of its own");
		_exit(0);
	}
	SYS(close(pipes[0]));
	enclave_close(&e);
	enclave_unmap(&old);
	SYS(close(pipes[1]));
	check_exit(child);
}

int main(void)
{
	struct enclave_spec spec = { .threads = 2 };

	enclave_load(&e, &spec);
	both_at_once();
	meet_inside();
	grandchild_in_the_same_tcs();
	parent_lets_go();
	PART("");
	return check_ok();
}
