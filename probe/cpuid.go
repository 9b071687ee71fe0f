//go:build linux && amd64

package probe

import (
	"sync"
	"unsafe"
)

// nativeCPUID is CPUID as a function. Pure Go cannot say CPUID, so the instruction
// lies in a page of its own and is called with Go's register convention: leaf in
// EAX, subleaf in EBX, the result pointer in RCX. It keeps R14, RSP and X15, as
// that convention demands.
var nativeCPUID = sync.OnceValue(func() func(leaf, sub uint32, out *[4]uint32) {
	entry := Code([]byte{
		0x48, 0x89, 0xcf, // mov rdi, rcx
		0x89, 0xd9, // mov ecx, ebx
		0x0f, 0xa2, // cpuid
		0x89, 0x07, // mov [rdi], eax
		0x89, 0x5f, 0x04, // mov [rdi+4], ebx
		0x89, 0x4f, 0x08, // mov [rdi+8], ecx
		0x89, 0x57, 0x0c, // mov [rdi+12], edx
		0xc3, // ret
	})
	closure := &entry // a func value points to the word that holds the entry
	return *(*func(leaf, sub uint32, out *[4]uint32))(unsafe.Pointer(&closure))
})

// CPUID executes CPUID on this machine and returns EAX, EBX, ECX and EDX.
func CPUID(leaf, sub uint32) (out [4]uint32) {
	nativeCPUID()(leaf, sub, &out)
	return out
}

// xgetbv reads XCR0: what the kernel enabled, which may be less than CPUID offers.
func xgetbv() uint64 {
	return callCode([]byte{
		0x31, 0xc9, // xor ecx, ecx
		0x0f, 0x01, 0xd0, // xgetbv
		0x48, 0xc1, 0xe2, 0x20, // shl rdx, 32
		0x48, 0x09, 0xd0, // or rax, rdx
		0xc3, // ret
	})
}

// Intel tells whether the processor says GenuineIntel.
func Intel() bool {
	v := CPUID(0, 0)
	return v[1] == 0x756e6547 && v[3] == 0x49656e69 && v[2] == 0x6c65746e
}
