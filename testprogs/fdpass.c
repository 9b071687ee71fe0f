/*
 * The descriptor goes to another process by SCM_RIGHTS; that process maps the
 * same addresses, enters, shares pages, and keeps the enclave alive alone.
 */
#include "loader.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void send_enclave(int socket, const struct enclave *e)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { (void *)e, sizeof(*e) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	memset(&control, 0, sizeof(control));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &e->fd, sizeof(int));
	CHECK(sendmsg(socket, &message, 0) == (ssize_t)sizeof(*e), "sendmsg");
}

static void receive_enclave(int socket, struct enclave *e)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec data = { e, sizeof(*e) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	CHECK(recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == (ssize_t)sizeof(*e), "recvmsg");
	c = CMSG_FIRSTHDR(&message);
	CHECK(c && c->cmsg_type == SCM_RIGHTS, "no descriptor came");
	memcpy(&e->fd, CMSG_DATA(c), sizeof(int));
}

static void say(int socket)
{
	CHECK(write(socket, "x", 1) == 1, "write");
}

static void hear(int socket)
{
	char c;

	CHECK(read(socket, &c, 1) == 1, "the other process is gone");
}

static void receiver(int socket)
{
	void *want, *got;
	struct enclave e;

	receive_enclave(socket, &e);
	want = (void *)e.base;
	got = mmap(want, e.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(got == want, "the receiver has something at %p", want);
	enclave_map(&e);
	for (enum via via = 0; via < VIA_COUNT; via++)
		SAME(enclave_sum(&e, 1, via, 30, via), 30 + via, "sum in the receiver");
	SAME(enclave_get(&e, 1, VIA_VDSO, e.read_write), 0x1111, "the sender's word");
	enclave_put(&e, 1, VIA_VDSO, e.read_write, 0x2222);
	say(socket);
	hear(socket); /* the sender has closed and unmapped */
	enclave_close(&e);
	SAME(enclave_get(&e, 1, VIA_VDSO, e.read_write), 0x3333, "word after the sender left");
	SAME(enclave_sum(&e, 0, VIA_RAW_BARE, 4, 4), 8, "sum in the sender's TCS");
	say(socket);
	_exit(0);
}

int main(void)
{
	struct enclave_spec spec = { .threads = 2 };
	struct enclave e;
	int sockets[2], status;
	pid_t child;

	SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = fork(); /* before there is an enclave: nothing is inherited */
	CHECK(child >= 0, "fork");
	if (child == 0) {
		SYS(close(sockets[0]));
		PART("receiver");
		receiver(sockets[1]);
	}
	SYS(close(sockets[1]));
	PART("sender");
	enclave_load(&e, &spec);
	enclave_put(&e, 0, VIA_VDSO, e.read_write, 0x1111);
	send_enclave(sockets[0], &e);
	hear(sockets[0]);
	SAME(enclave_get(&e, 0, VIA_VDSO, e.read_write), 0x2222, "the receiver's word");
	enclave_put(&e, 0, VIA_RAW_BARE, e.read_write, 0x3333);
	enclave_close(&e);
	enclave_unmap(&e);
	say(sockets[0]);
	hear(sockets[0]);
	CHECK(waitpid(child, &status, 0) == child && status == 0, "the receiver ended with status %#x", status);
	return check_ok();
}
