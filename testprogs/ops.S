/*
 * The enclave of the test programs. It lies in a read-only section of the host
 * program, is copied from there into enclave pages, and runs at any address.
 * It has no stack: an operation keeps everything in registers or, where it
 * needs them all, in the thread data at FS:0.
 *
 *	at entry	RAX CSSA, RCX return address, RDI struct message
 *	in operations	R11 return address, RDI struct message
 */
#include "ops.h"

#define EREPORT 0
#define EGETKEY 1
#define EEXIT 4

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
	mov	%rcx, %r11
	mov	%rax, MESSAGE_CSSA(%rdi)
	cmpq	$OP_REGISTERS, (%rdi)
	je	op_registers
	mov	(%rdi), %rax
	cmp	$OP_LIMIT, %rax
	jae	stop
	lea	table(%rip), %rcx
	movslq	(%rcx, %rax, 4), %rax
	add	%rcx, %rax
	jmp	*%rax

stop:	ud2

op_nop:
leave:
	mov	%r11, %rbx
	mov	$EEXIT, %eax
	enclu
	ud2

op_add:
	mov	A(0)(%rdi), %rax
	add	A(1)(%rdi), %rax
	mov	%rax, R(0)(%rdi)
	jmp	leave

op_get:
	mov	A(0)(%rdi), %rax
	mov	(%rax), %rax
	mov	%rax, R(0)(%rdi)
	jmp	leave

op_put:
	mov	A(0)(%rdi), %rax
	mov	A(1)(%rdi), %rcx
	mov	%rcx, (%rax)
	jmp	leave

op_copy:
	mov	A(1)(%rdi), %rsi
	mov	A(2)(%rdi), %rcx
	mov	A(0)(%rdi), %rdi
	cld
	rep movsb
	jmp	leave

op_inc:
	mov	A(0)(%rdi), %rax
	mov	A(1)(%rdi), %rcx
1:	lock incq (%rax)
	dec	%rcx
	jnz	1b
	jmp	leave

op_rendezvous:
	mov	A(0)(%rdi), %rdx
	mov	A(1)(%rdi), %rcx
	lock incq (%rdx)
1:	pause
	cmp	%rcx, (%rdx)
	jb	1b
	jmp	leave

op_segments:
	mov	%fs:0, %rax
	mov	%rax, R(0)(%rdi)
	mov	%gs:0, %rax
	mov	%rax, R(1)(%rdi)
	rdfsbase %rax
	mov	%rax, R(2)(%rdi)
	rdgsbase %rax
	mov	%rax, R(3)(%rdi)
	jmp	leave

/* Leaves with RDX, RSI, R8..R10, R12..R15 patterned: EEXIT scrubs nothing. */
op_registers:
	mov	%rax, R(0)(%rdi)
	mov	%r11, R(1)(%rdi)
	mov	%rdx, R(2)(%rdi)
	mov	%rbx, R(3)(%rdi)
	mov	%rsp, R(4)(%rdi)
	mov	%rbp, R(5)(%rdi)
	mov	%rsi, R(6)(%rdi)
	mov	%rdi, R(7)(%rdi)
	mov	%r8, R(8)(%rdi)
	mov	%r9, R(9)(%rdi)
	mov	%r10, R(10)(%rdi)
	mov	%r12, R(12)(%rdi)
	mov	%r13, R(13)(%rdi)
	mov	%r14, R(14)(%rdi)
	mov	%r15, R(15)(%rdi)
	movabs	$PATTERN(2), %rdx
	movabs	$PATTERN(6), %rsi
	movabs	$PATTERN(8), %r8
	movabs	$PATTERN(9), %r9
	movabs	$PATTERN(10), %r10
	movabs	$PATTERN(12), %r12
	movabs	$PATTERN(13), %r13
	movabs	$PATTERN(14), %r14
	movabs	$PATTERN(15), %r15
	jmp	leave

op_count_nonzero:
	mov	A(0)(%rdi), %rax
	mov	A(1)(%rdi), %rdx
	add	%rax, %rdx
	xor	%ecx, %ecx
1:	cmpq	$0, (%rax)
	je	2f
	inc	%rcx
2:	add	A(2)(%rdi), %rax
	cmp	%rdx, %rax
	jb	1b
	mov	%rcx, R(0)(%rdi)
	jmp	leave

op_fill:
	mov	A(0)(%rdi), %rax
	mov	A(1)(%rdi), %rdx
	add	%rax, %rdx
1:	mov	A(3)(%rdi), %rcx
	add	%rax, %rcx
	mov	%rcx, (%rax)
	add	A(2)(%rdi), %rax
	cmp	%rdx, %rax
	jb	1b
	jmp	leave

op_check_fill:
	mov	A(0)(%rdi), %rax
	mov	A(1)(%rdi), %rdx
	add	%rax, %rdx
	xor	%r8d, %r8d
1:	mov	A(3)(%rdi), %rcx
	add	%rax, %rcx
	cmp	%rcx, (%rax)
	je	2f
	inc	%r8
2:	add	A(2)(%rdi), %rax
	cmp	%rdx, %rax
	jb	1b
	mov	%r8, R(0)(%rdi)
	jmp	leave

op_report:
	mov	%rdi, %r10
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
	mov	$EREPORT, %eax
	enclu
	lea	report(%rip), %rsi
	mov	A(2)(%r10), %rdi
	mov	$432, %ecx
	rep movsb
	mov	%r10, %rdi
	jmp	leave

op_getkey:
	mov	%rdi, %r10
	cld
	mov	A(0)(%r10), %rsi
	lea	keyrequest(%rip), %rdi
	mov	$512, %ecx
	rep movsb
	lea	keyrequest(%rip), %rbx
	lea	key(%rip), %rcx
	mov	$EGETKEY, %eax
	enclu
	setz	%dl
	movzbl	%dl, %edx
	mov	%rax, R(0)(%r10)
	mov	%rdx, R(1)(%r10)
	lea	key(%rip), %rsi
	mov	A(1)(%r10), %rdi
	mov	$16, %ecx
	rep movsb
	mov	%r10, %rdi
	jmp	leave

/* R8 = address of the thread data. */
.macro thread_data
	lea	enclave_image(%rip), %r8
	add	%fs:TD_OFFSET, %r8
.endm

/* EDX:EAX = argument n of the message at R10 */
.macro mask n
	mov	A(\n)(%r10), %eax
	mov	A(\n)+4(%r10), %edx
.endm

/*
 * OP_SPIN holds vector state while the host disturbs: loads the XSAVE image a0
 * under the mask a4 (a5 bytes), then saves and compares it again and again.
 * Ends when the word at a1 is not 0 (if a1 is not 0), or after a3 rounds (if
 * a3 is not 0). r1 = rounds; r0 = 1 when a round found other values, and then
 * the image of that round goes to a2.
 */
op_spin:
	mov	%rdi, %r10
	thread_data
	lea	TD_BUFFER1(%r8), %r9
	lea	TD_BUFFER2(%r8), %r8
	cld
	mov	A(0)(%r10), %rsi
	mov	%r9, %rdi
	mov	A(5)(%r10), %rcx
	rep movsb
	mask	4
	xrstor64 (%r9)
	xor	%r12d, %r12d
1:	inc	%r12
	mask	4
	xsave64	(%r8)
	lea	32(%r8), %rsi /* ST0..ST7, XMM0..XMM15 */
	lea	32(%r9), %rdi
	mov	$48, %ecx
	repe cmpsq
	jne	spin_bad
	mov	A(5)(%r10), %rcx
	sub	$576, %rcx
	jbe	2f
	shr	$3, %rcx
	lea	576(%r8), %rsi
	lea	576(%r9), %rdi
	repe cmpsq
	jne	spin_bad
2:	mov	A(1)(%r10), %rax
	test	%rax, %rax
	jz	3f
	cmpq	$0, (%rax)
	jne	4f
3:	mov	A(3)(%r10), %rax
	test	%rax, %rax
	jz	1b
	cmp	%rax, %r12
	jb	1b
4:	xor	%eax, %eax
5:	mov	%rax, R(0)(%r10)
	mov	%r12, R(1)(%r10)
	mov	%r10, %rdi
	jmp	leave
spin_bad:
	mov	%r8, %rsi
	mov	A(2)(%r10), %rdi
	mov	A(5)(%r10), %rcx
	rep movsb
	mov	$1, %eax
	jmp	5b

/*
 * OP_XSTATE, everything with EDX:EAX all ones and images of a3 bytes: saves the
 * state at entry to a1, restores a0, raises #UD if a4 is not 0 (the handler
 * skips the CPUID), saves again to a2, and leaves with that state.
 */
op_xstate:
	mov	%rdi, %r10
	thread_data
	lea	TD_BUFFER1(%r8), %r9
	lea	TD_BUFFER2(%r8), %r8
	cld
	mov	$-1, %eax
	mov	$-1, %edx
	xsave64	(%r9)
	mov	%r9, %rsi
	mov	A(1)(%r10), %rdi
	mov	A(3)(%r10), %rcx
	rep movsb
	mov	A(0)(%r10), %rsi
	mov	%r9, %rdi
	mov	A(3)(%r10), %rcx
	rep movsb
	mov	$-1, %eax
	mov	$-1, %edx
	xrstor64 (%r9)
	cmpq	$0, A(4)(%r10)
	je	1f
hidden fault_xstate
	cpuid
1:	mov	$-1, %eax
	mov	$-1, %edx
	xsave64	(%r8)
	mov	%r8, %rsi
	mov	A(2)(%r10), %rdi
	mov	A(3)(%r10), %rcx
	rep movsb
	mov	%r10, %rdi
	jmp	leave

.macro fault_begin
	mov	%r11, %fs:TD_RETURN
	mov	%rdi, %fs:TD_MESSAGE
	mov	%rsp, %fs:TD_RSP
	mov	%rbp, %fs:TD_RBP
	mov	A(0)(%rdi), %rbx
	mov	$0x7f, %al
	inc	%al /* OF */
	mov	$0xd5, %ah
	sahf /* SF ZF AF PF CF */
	movabs	$PATTERN(0), %rax
	movabs	$PATTERN(1), %rcx
	movabs	$PATTERN(2), %rdx
	movabs	$PATTERN(4), %rsp
	movabs	$PATTERN(5), %rbp
	movabs	$PATTERN(6), %rsi
	movabs	$PATTERN(7), %rdi
	movabs	$PATTERN(8), %r8
	movabs	$PATTERN(9), %r9
	movabs	$PATTERN(10), %r10
	movabs	$PATTERN(11), %r11
	movabs	$PATTERN(12), %r12
	movabs	$PATTERN(13), %r13
	movabs	$PATTERN(14), %r14
	movabs	$PATTERN(15), %r15
.endm

op_fault_cpuid:
	fault_begin
hidden fault_cpuid
	cpuid
	jmp	fault_end

op_fault_syscall:
	fault_begin
hidden fault_syscall
	syscall
	jmp	fault_end

op_fault_ud2:
	fault_begin
hidden fault_ud2
	ud2
	jmp	fault_end

op_fault_int3:
	fault_begin
hidden fault_int3
	int3
	jmp	fault_end

op_fault_div: /* RBX is 0 here */
	fault_begin
hidden fault_div
	div	%rbx
	jmp	fault_end

op_fault_hlt:
	fault_begin
hidden fault_hlt
	hlt
	jmp	fault_end

op_fault_write:
	fault_begin
hidden fault_write
	mov	%rax, (%rbx)
	jmp	fault_end

op_fault_read:
	fault_begin
hidden fault_read
	mov	(%rbx), %rax

fault_end:
	mov	%rax, %fs:TD_AFTER
	lahf
	seto	%al
	mov	%rax, %fs:TD_AFTER + 128
	mov	%rcx, %fs:TD_AFTER + 8
	mov	%rdx, %fs:TD_AFTER + 16
	mov	%rbx, %fs:TD_AFTER + 24
	mov	%rsp, %fs:TD_AFTER + 32
	mov	%rbp, %fs:TD_AFTER + 40
	mov	%rsi, %fs:TD_AFTER + 48
	mov	%rdi, %fs:TD_AFTER + 56
	mov	%r8, %fs:TD_AFTER + 64
	mov	%r9, %fs:TD_AFTER + 72
	mov	%r10, %fs:TD_AFTER + 80
	mov	%r11, %fs:TD_AFTER + 88
	mov	%r12, %fs:TD_AFTER + 96
	mov	%r13, %fs:TD_AFTER + 104
	mov	%r14, %fs:TD_AFTER + 112
	mov	%r15, %fs:TD_AFTER + 120
	mov	%fs:TD_RETURN, %r11
	mov	%fs:TD_MESSAGE, %rdi
	mov	%fs:TD_RSP, %rsp
	mov	%fs:TD_RBP, %rbp
	xor	%ecx, %ecx
1:	mov	%fs:TD_AFTER(, %rcx, 8), %rax
	mov	%rax, R(0)(%rdi, %rcx, 8)
	inc	%ecx
	cmp	$17, %ecx
	jb	1b
	jmp	leave

/*
 * Another way in, for a TCS whose OENTRY says so: EREPORT before anything else,
 * the REPORT to the 432 bytes at RDI.
 */
hidden enclave_entry_report
	mov	%rcx, %r11
	lea	targetinfo(%rip), %rbx
	lea	reportdata(%rip), %rcx
	lea	report(%rip), %rdx
	mov	$EREPORT, %eax
	enclu
	mov	%rdx, %rsi
	mov	$432, %ecx
	cld
	rep movsb
	jmp	leave

	.balign	4
table:
	.long	op_nop - table, op_add - table, op_get - table, op_put - table
	.long	op_copy - table, op_inc - table, op_rendezvous - table, op_segments - table
	.long	op_registers - table, op_count_nonzero - table, op_fill - table, op_check_fill - table
	.long	op_report - table, op_getkey - table, op_spin - table, op_xstate - table
	.long	op_fault_cpuid - table, op_fault_syscall - table, op_fault_ud2 - table, op_fault_int3 - table
	.long	op_fault_div - table, op_fault_hlt - table, op_fault_write - table, op_fault_read - table

	.balign	4096
hidden enclave_data
targetinfo:
	.zero	512
report:
	.zero	512
keyrequest:
	.zero	512
reportdata:
	.zero	128
key:
	.zero	16
	.balign	4096
hidden enclave_end

	.section .note.GNU-stack, "", @progbits
