/*
 * The demo's enclave: four commands and no stack. RAX at entry is CSSA, RCX
 * the return address, RDI a struct message in ordinary memory.
 */
#include "../ops.h"
#include "demo.h"

#define A(n) (MESSAGE_A + 8 * (n))
#define R(n) (MESSAGE_R + 8 * (n))

.macro hidden name
	.globl	\name
	.hidden	\name
\name:
.endm

	.section .enclave, "a", @progbits
	.balign	4096
hidden enclave_image

hidden enclave_entry
hidden enclave_entry_report
	mov	%rcx, %r11
	mov	%rdi, %r10
	mov	%rax, MESSAGE_CSSA(%rdi)
	mov	(%rdi), %rax
	cmp	$DEMO_LIMIT, %rax
	jae	leave
	lea	commands(%rip), %rcx
	movslq	(%rcx, %rax, 4), %rax
	add	%rcx, %rax
	jmp	*%rax

leave:
	mov	%r11, %rbx
	mov	$4, %eax /* EEXIT */
	enclu

sum:
	mov	A(0)(%r10), %rsi
	mov	A(1)(%r10), %rcx
	xor	%eax, %eax
1:	add	-8(%rsi, %rcx, 8), %rax
	dec	%rcx
	jnz	1b
	mov	%rax, R(0)(%r10)
	jmp	leave

make_report:
	cld
	mov	A(0)(%r10), %rsi
	lea	targetinfo(%rip), %rdi
	mov	$512, %ecx
	rep movsb
	mov	A(1)(%r10), %rsi
	lea	reportdata(%rip), %rdi
	mov	$64, %ecx
	rep movsb
	lea	targetinfo(%rip), %rbx
	lea	reportdata(%rip), %rcx
	lea	report(%rip), %rdx
	xor	%eax, %eax /* EREPORT */
	enclu
	lea	report(%rip), %rsi
	mov	A(2)(%r10), %rdi
	mov	$432, %ecx
	rep movsb
	jmp	leave

/* The next instruction faults; the frame that AEX saves keeps R10 and R11 for us. */
ask_cpuid:
	mov	A(0)(%r10), %rax
	xor	%ecx, %ecx
	cpuid
	mov	%rax, R(0)(%r10)
	mov	%rbx, R(1)(%r10)
	mov	%rcx, R(2)(%r10)
	mov	%rdx, R(3)(%r10)
	jmp	leave

/*
 * Second entry, CSSA 1: answer the fault of the first. A real enclave would
 * know where its SSA is and check EXITINFO and every word of the answer.
 */
answer:
	mov	A(0)(%r10), %rsi /* GPRSGX: RAX RCX RDX RBX first, RIP at 136 */
	mov	A(1)(%r10), %rax
	mov	%rax, (%rsi)
	mov	A(2)(%r10), %rax
	mov	%rax, 24(%rsi)
	mov	A(3)(%r10), %rax
	mov	%rax, 8(%rsi)
	mov	A(4)(%r10), %rax
	mov	%rax, 16(%rsi)
	addq	$2, 136(%rsi)
	jmp	leave

	.balign	4
commands:
	.long	sum - commands, make_report - commands, ask_cpuid - commands, answer - commands

	.balign	4096
hidden enclave_data
targetinfo:
	.zero	512
report:
	.zero	512
reportdata:
	.zero	128
	.balign	4096
hidden enclave_end

	.section .note.GNU-stack, "", @progbits
