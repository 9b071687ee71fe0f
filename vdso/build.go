package vdso

import "fmt"

// The name and version under which clients look for the function (Linux 6.1
// arch/x86/entry/vdso/vdso.lds.S).
const (
	enterName    = "__vdso_sgx_enter_enclave"
	linuxVersion = "LINUX_2.6"
)

// pageSize is the granularity of Image.Page.
const pageSize = 4096

// Patch is one aligned 8-byte word of the real vDSO that has to change.
type Patch struct {
	Addr  uint64 // address in the process
	Value uint64 // little-endian
}

// Image is what a process needs so that its vDSO has the function.
type Image struct {
	// Page is the contents of our pages, to be mapped readable and executable
	// at the address given to Build. A multiple of 4096 bytes.
	Page []byte
	// Patches are to be written, in this order, before the process's loader
	// runs.
	Patches []Patch

	Enter     uint64 // __vdso_sgx_enter_enclave
	End       uint64 // the first address behind it
	ENCLU     uint64 // its trap site, also the AEP; three bytes
	Exception uint64 // where to continue with RDI = vector, RSI = error code, RDX = address
	Syscall   uint64 // a SYSCALL followed by INT3
}

// Options change what Build makes. The zero value is the usual choice.
type Options struct {
	// NativeENCLU puts ENCLU itself at the trap site. Otherwise it is
	// INT 0x80 and NOP, of the same length: a system call that a supervisor
	// sees before any handler of the program's, whatever signals are blocked.
	NativeENCLU bool
}

// Encodings of the trap site.
var (
	siteENCLU = [3]byte{0x0F, 0x01, 0xD7} // enclu
	siteINT80 = [3]byte{0xCD, 0x80, 0x90} // int $0x80; nop
)

// Build is Options.Build with the zero Options.
func Build(image []byte, base, page uint64) (*Image, error) {
	return Options{}.Build(image, base, page)
}

// Build computes our pages, to be mapped at page, for the vDSO whose bytes are
// image and which the process has at base.
//
// A vDSO that exports the function already (a kernel with CONFIG_X86_SGX) keeps
// the symbol, with our address. Page should lie above base: below it the offsets
// wrap, which loaders accept but debug/elf and its like do not.
func (o Options) Build(image []byte, base, page uint64) (*Image, error) {
	if base%pageSize != 0 || page%pageSize != 0 {
		return nil, fmt.Errorf("vdso: base %#x or page %#x is not page-aligned", base, page)
	}
	m, err := parse(image)
	if err != nil {
		return nil, fmt.Errorf("vdso: %w", err)
	}
	var a assembler
	site := siteINT80
	if o.NativeENCLU {
		site = siteENCLU
	}
	emitEnter(&a, site)
	emitSyscall(&a)
	code, err := a.finish()
	if err != nil {
		return nil, fmt.Errorf("vdso: %w", err)
	}
	at := func(label string) uint64 { return page + uint64(a.labels[label]) }
	img := &Image{
		Enter:     at(labelEnter),
		End:       at(labelEnd),
		ENCLU:     at(labelENCLU),
		Exception: at(labelException),
		Syscall:   at(labelSyscall),
	}
	l := &layout{m: m, base: base, page: page, out: code}
	if err := l.tables(img); err != nil {
		return nil, fmt.Errorf("vdso: %w", err)
	}
	img.Page, img.Patches = l.out, l.patches
	return img, nil
}
