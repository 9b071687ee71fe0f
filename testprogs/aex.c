#include "aex.h"

static uint64_t frame_register(const ucontext_t *uc, int which)
{
	return (uint64_t)uc->uc_mcontext.gregs[which];
}

bool aex_inside(const ucontext_t *uc, const struct enclave *e, unsigned thread)
{
	uint64_t rip = frame_register(uc, REG_RIP);

	CHECK(rip < e->base + e->image || rip >= e->base + e->size, "the frame shows an address in the enclave, %#lx", rip);
	return frame_register(uc, REG_RAX) == ERESUME && frame_register(uc, REG_RCX) == rip &&
	       frame_register(uc, REG_RBX) == e->thread[thread].tcs;
}

void aex_check(const ucontext_t *uc, const struct enclave *e, unsigned thread, const struct registers *r)
{
	static const struct {
		int which;
		const char *name;
	} zero[] = {
		{ REG_RDX, "RDX" }, { REG_RSI, "RSI" }, { REG_RDI, "RDI" }, { REG_R8, "R8" },
		{ REG_R9, "R9" }, { REG_R10, "R10" }, { REG_R11, "R11" }, { REG_R12, "R12" },
		{ REG_R13, "R13" }, { REG_R14, "R14" }, { REG_R15, "R15" },
	};

	SAME(frame_register(uc, REG_RAX), ERESUME, "RAX in the frame");
	SAME(frame_register(uc, REG_RBX), e->thread[thread].tcs, "RBX in the frame");
	SAME(frame_register(uc, REG_RCX), frame_register(uc, REG_RIP), "RCX and RIP in the frame");
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		SAME(frame_register(uc, zero[i].which), 0, zero[i].name);
	SAME(frame_register(uc, REG_EFL) & 0x8d5, 0, "arithmetic flags in the frame");
	if (r) {
		SAME(frame_register(uc, REG_RSP), r->rsp, "RSP in the frame");
		SAME(frame_register(uc, REG_RBP), r->rbp, "RBP in the frame");
	}
}

/* Linux, arch/x86/include/uapi/asm/sigcontext.h: struct _fpx_sw_bytes at 464. */
uint64_t aex_frame_xstate(const ucontext_t *uc, struct xstate *x)
{
	const uint8_t *image = (const void *)uc->uc_mcontext.fpregs;
	struct {
		uint32_t magic1, extended_size;
		uint64_t xfeatures;
		uint32_t xstate_size;
	} sw;
	size_t size = 512;

	CHECK(image, "the frame has no vector state");
	memcpy(&sw, image + 464, sizeof(sw));
	if (sw.magic1 == 0x46505853) /* FP_XSTATE_MAGIC1 */
		size = sw.xstate_size < XSTATE_ROOM ? sw.xstate_size : XSTATE_ROOM;
	else
		sw.xfeatures = 3;
	memset(x, 0, sizeof(*x));
	memcpy(x->byte, image, size);
	return sw.xfeatures;
}

void aex_handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&action.sa_mask);
	SYS(sigaction(signal, &action, NULL));
}
