package vdso

// Offsets in struct sgx_enclave_run (Linux 6.1 uapi/asm/sgx.h) and in the frame
// of the function.
const (
	runTCS         = 0
	runFunction    = 8
	runVector      = 12
	runErrorCode   = 14
	runAddr        = 16
	runUserHandler = 24
	runReserved    = 40
	runSize        = 256

	frameRun = 16 // the seventh argument, seen from RBP
)

// Labels of the code page that the rest of the package asks for.
const (
	labelEnter     = "enter"
	labelENCLU     = "enclu"
	labelException = "exception"
	labelEnd       = "end"
	labelSyscall   = "syscall"
)

// reservedWords is how many words of struct sgx_enclave_run must be zero.
const reservedWords = (runSize - runReserved) / 8

// emitEnter appends __vdso_sgx_enter_enclave, whose contract is that of Linux
// 6.1 (arch/x86/entry/vdso/vsgx.S and the comments of uapi/asm/sgx.h):
//
//	int f(rdi, rsi, rdx, unsigned function, r8, r9, struct sgx_enclave_run *run)
//
// Until the trap site only RAX, RBX and RCX may be touched; everything else is
// the enclave's. After it RBP is the only register that can be relied on.
func emitEnter(a *assembler, enclu [3]byte) {
	a.align(16)
	a.label(labelEnter)
	a.emit(0x55)             // push %rbp
	a.emit(0x48, 0x89, 0xE5) // mov %rsp,%rbp
	a.emit(0x53)             // push %rbx
	a.emit(0x89, 0xC8)       // mov %ecx,%eax

	a.label("function")                                     // EAX is the function asked for
	a.emit(0x8D, 0x58, 0xFE)                                // lea -2(%rax),%ebx
	a.emit(0x83, 0xFB, 0x01)                                // cmp $1,%ebx
	a.short("invalid", 0x77)                                // ja invalid
	a.emit(0x48, 0x8B, 0x4D, frameRun)                      // mov 16(%rbp),%rcx
	a.emit(0xBB, reservedWords, 0, 0, 0)                    // mov $27,%ebx
	a.label("reserved")                                     // RBX counts words down to 1
	a.emit(0x48, 0x83, 0x7C, 0xD9, runReserved-8, 0x00)     // cmpq $0,32(%rcx,%rbx,8)
	a.short("invalid", 0x75)                                // jne invalid
	a.emit(0xFF, 0xCB)                                      // dec %ebx
	a.short("reserved", 0x75)                               // jne reserved
	a.emit(0x48, 0x8B, 0x59, runTCS)                        // mov 0(%rcx),%rbx
	a.emit(0x48, 0x8D, 0x0D, 0x00, 0x00, 0x00, 0x00)        // lea enclu(%rip),%rcx
	a.label(labelENCLU)                                     // entry and AEP are one instruction
	a.emit(enclu[:]...)                                     // enclu
	a.emit(0x48, 0x8B, 0x5D, frameRun)                      // mov 16(%rbp),%rbx
	a.emit(0xC7, 0x43, runFunction, 0x04, 0x00, 0x00, 0x00) // movl $EEXIT,8(%rbx)

	a.label("exited")                        // RBX is run, and it says what happened
	a.emit(0x48, 0x8B, 0x43, runUserHandler) // mov 24(%rbx),%rax
	a.emit(0x48, 0x85, 0xC0)                 // test %rax,%rax
	a.short("return", 0x74)                  // je return (RAX = 0)
	a.emit(0x48, 0x89, 0xE1)                 // mov %rsp,%rcx: fourth argument
	a.emit(0x48, 0x83, 0xE4, 0xF0)           // and $-16,%rsp
	a.emit(0x53)                             // push %rbx: keeps the stack aligned
	a.emit(0x53)                             // push %rbx: seventh argument
	a.emit(0x89, 0xCB)                       // mov %ecx,%ebx
	a.emit(0x83, 0xE3, 0x0F)                 // and $15,%ebx: what aligning took away
	a.emit(0xFC)                             // cld
	a.emit(0x0F, 0xAE, 0xE8)                 // lfence: the pointer is settled before it is used
	a.emit(0xFF, 0xD0)                       // call *%rax
	a.emit(0x48, 0x8D, 0x64, 0x1C, 0x10)     // lea 16(%rsp,%rbx),%rsp
	a.emit(0x85, 0xC0)                       // test %eax,%eax
	a.short("function", 0x7F)                // jg function

	a.label("return") // EAX is the result
	a.emit(0x5B)      // pop %rbx
	a.emit(0xC9)      // leave: RSP comes from RBP, whatever the enclave left
	a.emit(0xC3)      // ret

	a.label("invalid")
	a.emit(0xB8, 0xEA, 0xFF, 0xFF, 0xFF) // mov $-EINVAL,%eax
	a.short("return", 0xEB)              // jmp return

	a.label(labelException)                // RDI vector, RSI error code, RDX address
	a.emit(0x48, 0x8B, 0x5D, frameRun)     // mov 16(%rbp),%rbx
	a.emit(0x89, 0x43, runFunction)        // mov %eax,8(%rbx)
	a.emit(0x66, 0x89, 0x7B, runVector)    // mov %di,12(%rbx)
	a.emit(0x66, 0x89, 0x73, runErrorCode) // mov %si,14(%rbx)
	a.emit(0x48, 0x89, 0x53, runAddr)      // mov %rdx,16(%rbx)
	a.short("exited", 0xEB)                // jmp exited
	a.label(labelEnd)
}

// emitSyscall appends the gadget with which the supervisor makes system calls in
// the process: it stops again on the INT3.
func emitSyscall(a *assembler) {
	a.align(16)
	a.label(labelSyscall)
	a.emit(0x0F, 0x05) // syscall
	a.emit(0xCC)       // int3
}
