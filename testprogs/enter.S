#include "enter.h"

.macro hidden name
	.globl	\name
	.hidden	\name
\name:
.endm

.macro push_saved
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
.endm

.macro pop_saved
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
.endm

/* Store every register but RAX, RSP and RDI to the struct registers at RDI. */
.macro store_most
	mov	%rcx, 8(%rdi)
	mov	%rdx, 16(%rdi)
	mov	%rbx, 24(%rdi)
	mov	%rbp, 40(%rdi)
	mov	%rsi, 48(%rdi)
	mov	%r8, 64(%rdi)
	mov	%r9, 72(%rdi)
	mov	%r10, 80(%rdi)
	mov	%r11, 88(%rdi)
	mov	%r12, 96(%rdi)
	mov	%r13, 104(%rdi)
	mov	%r14, 112(%rdi)
	mov	%r15, 120(%rdi)
.endm

/* x87, MXCSR and DF as the C ABI wants them: the enclave leaves them as it likes. */
.macro sane_state
	cld
	fninit
	ldmxcsr	mxcsr(%rip)
.endm

	.text
	.type	enter_raw, @function
hidden enter_raw
	push_saved
	push	%rdi
	mov	%rsp, ENTER_RSP(%rdi)
	mov	%rbp, ENTER_RBP(%rdi)
	mov	ENTER_XIN(%rdi), %rcx
	test	%rcx, %rcx
	jz	1f
	mov	ENTER_MASK(%rdi), %eax
	mov	ENTER_MASK+4(%rdi), %edx
	xrstor64 (%rcx)
1:	mov	(%rdi), %rax
	mov	8(%rdi), %rcx
	mov	16(%rdi), %rdx
	mov	24(%rdi), %rbx
	mov	48(%rdi), %rsi
	mov	64(%rdi), %r8
	mov	72(%rdi), %r9
	mov	80(%rdi), %r10
	mov	88(%rdi), %r11
	mov	96(%rdi), %r12
	mov	104(%rdi), %r13
	mov	112(%rdi), %r14
	mov	120(%rdi), %r15
	mov	56(%rdi), %rdi
hidden enter_enclu
	enclu
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, (%rdi)
	store_most
	pop	%rax
	mov	%rax, 56(%rdi)
	mov	%rsp, 32(%rdi)
	mov	ENTER_XOUT(%rdi), %rcx
	test	%rcx, %rcx
	jz	2f
	mov	ENTER_MASK(%rdi), %eax
	mov	ENTER_MASK+4(%rdi), %edx
	xsave64	(%rcx)
2:	sane_state
	pop	%rdi
	pop_saved
	ret
	.size	enter_raw, . - enter_raw

/* As Intel's runtime has it. */
hidden aep_bare
	enclu
	ud2

/* As Gramine has it: RAX, RBX and RCX must come through. */
hidden aep_sequence
	lock incq aep_sequence_count(%rip)
	nop
hidden aep_sequence_enclu
	enclu
hidden aep_sequence_end
	ud2

/* int enter_vdso(RDI registers, RSI function, RDX run, RCX vdso function) */
	.type	enter_vdso, @function
hidden enter_vdso
	push_saved
	push	%rdi /* the stack is now aligned to 16 */
	sub	$8, %rsp
	push	%rdx /* seventh argument */
	mov	%rcx, %rax
	mov	%rsi, %rcx
	mov	16(%rdi), %rdx
	mov	48(%rdi), %rsi
	mov	64(%rdi), %r8
	mov	72(%rdi), %r9
	mov	80(%rdi), %r10
	mov	96(%rdi), %r12
	mov	104(%rdi), %r13
	mov	112(%rdi), %r14
	mov	120(%rdi), %r15
	mov	56(%rdi), %rdi
	call	*%rax
	add	$16, %rsp
	push	%rdi
	mov	8(%rsp), %rdi
	store_most
	pop	%rcx
	mov	%rcx, 56(%rdi)
	sane_state
	pop	%rdi
	pop_saved
	ret
	.size	enter_vdso, . - enter_vdso

	.section .rodata
	.balign	4
mxcsr:	.long	0x1f80

	.bss
	.balign	8
hidden aep_sequence_count
	.zero	8

	.section .note.GNU-stack, "", @progbits
