package seccomp

import (
	"golang.org/x/net/bpf"
)

// System call numbers of x86-64 that the filters name (asm/unistd_64.h).
const (
	sysOpen         = 2
	sysStat         = 4
	sysFstat        = 5
	sysLstat        = 6
	sysMmap         = 9
	sysMprotect     = 10
	sysMunmap       = 11
	sysRtSigaction  = 13
	sysIoctl        = 16
	sysMadvise      = 28
	sysReadlink     = 89
	sysGetxattr     = 191
	sysLgetxattr    = 192
	sysListxattr    = 194
	sysLlistxattr   = 195
	sysSetaffinity  = 203
	sysGetaffinity  = 204
	sysReadlinkat   = 267
	sysAccess       = 21
	sysMremap       = 25
	sysCreat        = 85
	sysOpenat       = 257
	sysNewfstatat   = 262
	sysFaccessat    = 269
	sysPkeyMprotect = 329
	sysStatx        = 332
	sysOpenat2      = 437

	// what reads and writes a descriptor at a place of its own choice
	sysLseek         = 8
	sysPread64       = 17
	sysPwrite64      = 18
	sysSendfile      = 40
	sysFtruncate     = 77
	sysSplice        = 275
	sysFallocate     = 285
	sysPreadv        = 295
	sysPwritev       = 296
	sysCopyFileRange = 326
	sysPreadv2       = 327
	sysPwritev2      = 328
	sysIOUringSetup  = 425

	// what moves a descriptor to another process
	sysSendmsg    = 46
	sysSendmmsg   = 307
	sysPidfdGetfd = 438

	sysFaccessat2 = 439
)

const (
	x32Bit    = 0x40000000
	ioctlType = 0xa4 // magic of the SGX ioctls

	sigill  = 4
	sigtrap = 5
	sigbus  = 7
	sigfpe  = 8
	sigsegv = 11

	protExec  = 4
	mapShared = 1
	mapFixed  = 0x10
	mapAnon   = 0x20
	mapFixedN = 0x100000 // MAP_FIXED_NOREPLACE

	madvRemove = 9
)

// rule says which calls of one number stop. A nil when means all of them.
type rule struct {
	nr   uint32
	when func(b *builder)
}

func arg(n, half uint32) uint32 { return offArgs + 8*n + 4*half }

// Base returns the filter that every supervised program starts under. It stops
// what may name the device, SGX ioctls, shared file mappings, actions for
// the signals of exceptions, x32 system calls (no RET_ERRNO: it would win over the stop of a SYSCALL in
// an enclave) and 32-bit ones (which is how patched ENCLU and CPUID sites stop). With scanCode it also stops executable file mappings, for hosts where
// CPUID cannot fault and its sites are patched instead.
func Base(scanCode bool) (Program, error) {
	rules := []rule{
		{sysOpen, nil}, {sysOpenat, nil}, {sysOpenat2, nil}, {sysCreat, nil},
		{sysStat, nil}, {sysLstat, nil}, {sysNewfstatat, nil}, {sysStatx, nil},
		{sysAccess, nil}, {sysFaccessat, nil}, {sysFaccessat2, nil},
		{sysReadlink, nil}, {sysReadlinkat, nil}, {sysSetaffinity, nil}, {sysGetaffinity, nil},
		{sysPidfdGetfd, nil},
		{sysGetxattr, nil}, {sysLgetxattr, nil}, {sysListxattr, nil}, {sysLlistxattr, nil},
		{sysIoctl, func(b *builder) {
			b.load(arg(1, 0))
			b.emit(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xff00})
			b.jump(bpf.JumpEqual, ioctlType<<8, "trace", "allow")
		}},
		{sysMmap, func(b *builder) { mmapRule(b, scanCode) }},
		{sysRtSigaction, func(b *builder) {
			b.load(arg(0, 0))
			for _, sig := range []uint32{sigill, sigtrap, sigbus, sigfpe, sigsegv} {
				b.jump(bpf.JumpEqual, sig, "trace", "")
			}
			b.ret(Allow)
		}},
	}
	return build(rules, true)
}

// mmapRule stops MAP_SHARED mappings of files and, with scanCode, executable
// mappings of files.
func mmapRule(b *builder, scanCode bool) {
	b.load(arg(3, 0)) // flags
	b.jump(bpf.JumpBitsSet, mapAnon, "allow", "")
	b.jump(bpf.JumpBitsSet, mapShared, "trace", "")
	if scanCode {
		b.load(arg(2, 0)) // prot
		b.jump(bpf.JumpBitsSet, protExec, "trace", "")
	}
	b.ret(Allow)
}

// Device returns the second filter, installed once a process holds an enclave:
// it adds the calls that can change an enclave's mappings, or look at or write
// through its descriptor.
func Device() (Program, error) {
	return build([]rule{
		{sysMmap, func(b *builder) {
			b.load(arg(3, 0))
			b.jump(bpf.JumpBitsSet, mapFixed|mapFixedN, "trace", "")
			b.jump(bpf.JumpBitsSet, mapAnon, "allow", "trace")
		}},
		{sysLseek, nil}, {sysPread64, nil}, {sysPwrite64, nil}, {sysPreadv, nil}, {sysPwritev, nil},
		{sysPreadv2, nil}, {sysPwritev2, nil}, {sysFtruncate, nil}, {sysFallocate, nil},
		{sysSendfile, nil}, {sysCopyFileRange, nil}, {sysSplice, nil}, {sysIOUringSetup, nil},
		{sysSendmsg, nil}, {sysSendmmsg, nil},
		{sysMunmap, nil}, {sysMprotect, nil}, {sysPkeyMprotect, nil},
		{sysMremap, nil}, {sysFstat, nil},
		{sysMadvise, func(b *builder) {
			b.load(arg(2, 0))
			b.jump(bpf.JumpEqual, madvRemove, "trace", "allow")
		}},
	}, false)
}

// build lays out: architecture test, number test, one block for each rule that
// looks at arguments.
func build(rules []rule, foreign bool) (Program, error) {
	b := newBuilder()
	b.load(offArch)
	b.jump(bpf.JumpEqual, archX86_64, "native", "")
	if foreign {
		b.jump(bpf.JumpEqual, archI386, "foreign", "")
		b.ret(Allow)
		b.label("foreign")
		b.ret(TraceForeign)
	} else {
		b.ret(Allow)
	}
	b.label("native")
	b.load(offNr)
	if foreign {
		b.jump(bpf.JumpBitsSet, x32Bit, "trace", "")
	}
	for i, r := range rules {
		to := "trace"
		if r.when != nil {
			to = blockName(i)
		}
		b.jump(bpf.JumpEqual, r.nr, to, "")
	}
	b.ret(Allow)
	for i, r := range rules {
		if r.when != nil {
			b.label(blockName(i))
			r.when(b)
		}
	}
	b.label("allow")
	b.ret(Allow)
	b.label("trace")
	b.load(offArch) // the newest filter's data is what the tracer reads
	b.jump(bpf.JumpEqual, archI386, "foreign", "")
	b.ret(Trace)
	b.label("foreign")
	b.ret(TraceForeign)
	return b.assemble()
}

func blockName(i int) string { return "rule" + string(rune('a'+i)) }

// Enclave returns the filter that stops every system call made from code in
// [start, end): SYSCALL is illegal in an enclave and must not reach the kernel.
func Enclave(start, end uint64) (Program, error) {
	b := newBuilder()
	hi, lo := func(v uint64) uint32 { return uint32(v >> 32) }, func(v uint64) uint32 { return uint32(v) }
	b.load(offIP + 4)
	b.jump(bpf.JumpGreaterThan, hi(start), "above", "")
	b.jump(bpf.JumpEqual, hi(start), "", "allow")
	b.load(offIP)
	b.jump(bpf.JumpGreaterOrEqual, lo(start), "above", "allow")
	b.label("above") // ip >= start
	b.load(offIP + 4)
	b.jump(bpf.JumpGreaterThan, hi(end), "allow", "")
	b.jump(bpf.JumpEqual, hi(end), "", "trace")
	b.load(offIP)
	b.jump(bpf.JumpGreaterThan, lo(end), "allow", "")
	b.jump(bpf.JumpEqual, lo(end), "allow", "trace")
	b.label("allow")
	b.ret(Allow)
	b.label("trace")
	b.load(offArch) // the newest filter's data is what the tracer reads
	b.jump(bpf.JumpEqual, archI386, "foreign", "")
	b.ret(Trace)
	b.label("foreign")
	b.ret(TraceForeign)
	return b.assemble()
}
