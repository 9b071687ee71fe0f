package vdso

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// atSysinfoEHDR is AT_SYSINFO_EHDR (Linux uapi/linux/auxvec.h).
const atSysinfoEHDR = 33

// hostImage reads the vDSO that this process has.
func hostImage(t testing.TB) (image []byte, base uint64) {
	t.Helper()
	auxv, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		t.Skipf("no auxiliary vector: %v", err)
	}
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.LittleEndian.Uint64(auxv) == atSysinfoEHDR {
			base = binary.LittleEndian.Uint64(auxv[8:])
		}
	}
	if base == 0 {
		t.Skip("this process has no vDSO")
	}
	return imageAt(t, "/proc/self", base), base
}

// imageAt reads the mapping that begins at base in the process below proc.
func imageAt(t testing.TB, proc string, base uint64) []byte {
	t.Helper()
	maps, err := os.ReadFile(proc + "/maps")
	if err != nil {
		t.Fatal(err)
	}
	var start, end uint64
	for line := range strings.Lines(string(maps)) {
		if _, err := fmt.Sscanf(line, "%x-%x", &start, &end); err == nil && start == base {
			break
		}
	}
	if start != base {
		t.Fatalf("no mapping at %#x", base)
	}
	mem, err := os.Open(proc + "/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	b := make([]byte, end-start)
	if _, err := mem.ReadAt(b, int64(base)); err != nil {
		t.Fatal(err)
	}
	return b
}

// flat returns the patched vDSO and our pages as one file whose offset 0 is base.
func flat(t testing.TB, image []byte, img *Image, base, page uint64) []byte {
	t.Helper()
	b := make([]byte, page-base+uint64(len(img.Page)))
	copy(b, image)
	copy(b[page-base:], img.Page)
	for _, p := range img.Patches {
		if p.Addr%8 != 0 || p.Addr < base || p.Addr+8 > base+uint64(len(image)) {
			t.Fatalf("patch at %#x, base %#x", p.Addr, base)
		}
		binary.LittleEndian.PutUint64(b[p.Addr-base:], p.Value)
	}
	return b
}

func TestBuildKeepsOldSymbols(t *testing.T) {
	image, base := hostImage(t)
	page := base + 0x123000
	img, err := Build(image, base, page)
	if err != nil {
		t.Fatal(err)
	}
	before := dynamicSymbols(t, image)
	after := dynamicSymbols(t, flat(t, image, img, base, page))
	for name, s := range before {
		if name == enterName {
			continue
		}
		g, ok := after[name]
		if !ok {
			t.Errorf("%s is gone", name)
			continue
		}
		if g.Value != s.Value || g.Size != s.Size || g.Info != s.Info || g.Version != s.Version || g.VersionIndex != s.VersionIndex {
			t.Errorf("%s: %+v, was %+v", name, g, s)
		}
	}
	s, ok := after[enterName]
	if !ok || s.Value != img.Enter-base || s.Version != linuxVersion || elf.ST_TYPE(s.Info) != elf.STT_FUNC || s.Size != img.End-img.Enter {
		t.Errorf("%s = %+v, %v", enterName, s, ok)
	}
	if want := len(before); len(after) != want+1 && before[enterName].Name == "" {
		t.Errorf("%d symbols, want %d", len(after), want+1)
	}
}

// dynamicSymbols reads an image as debug/elf does: by section headers, versions
// by the dynamic section.
func dynamicSymbols(t *testing.T, b []byte) map[string]elf.Symbol {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	m := make(map[string]elf.Symbol)
	w := walk(t, b)
	for i, s := range list {
		// debug/elf finds versions by section, and ours has no section for
		// them: take them from the dynamic section instead.
		s.VersionIndex = elf.VersionIndex(binary.LittleEndian.Uint16(w.versym[2*(i+1):]))
		s.Version = w.versionName(uint16(s.VersionIndex))
		m[s.Name] = s
	}
	return m
}

// walker reads a vDSO the way loaders do, from PT_DYNAMIC alone. bias wraps like
// a loader's l_addr.
type walker struct {
	symtab, strtab, versym, verdef, hash, gnu []byte
}

func walk(t *testing.T, b []byte) *walker {
	t.Helper()
	var w walker
	le := binary.LittleEndian
	ph := b[le.Uint64(b[ehdrPhoff:]):]
	var dyn []byte
	var bias uint64
	for range int(le.Uint16(b[ehdrShWord:])) {
		switch elf.ProgType(le.Uint32(ph)) {
		case elf.PT_LOAD:
			bias = le.Uint64(ph[16:]) - le.Uint64(ph[8:])
		case elf.PT_DYNAMIC:
			dyn = b[le.Uint64(ph[8:]):]
		}
		ph = ph[phdrSize:]
	}
	for ; le.Uint64(dyn) != 0; dyn = dyn[dynSize:] {
		v := le.Uint64(dyn[8:]) - bias
		switch elf.DynTag(le.Uint64(dyn)) {
		case elf.DT_SYMTAB:
			w.symtab = b[v:]
		case elf.DT_STRTAB:
			w.strtab = b[v:]
		case elf.DT_VERSYM:
			w.versym = b[v:]
		case elf.DT_VERDEF:
			w.verdef = b[v:]
		case elf.DT_HASH:
			w.hash = b[v:]
		case elf.DT_GNU_HASH:
			w.gnu = b[v:]
		}
	}
	return &w
}

func (w *walker) str(off uint32) string {
	s := w.strtab[off:]
	return string(s[:bytes.IndexByte(s, 0)])
}

func (w *walker) name(i uint32) string {
	return w.str(binary.LittleEndian.Uint32(w.symtab[i*symSize:]))
}

func (w *walker) value(i uint32) uint64 {
	return binary.LittleEndian.Uint64(w.symtab[i*symSize+8:])
}

// versionName follows the version definitions.
func (w *walker) versionName(index uint16) string {
	le := binary.LittleEndian
	for d := w.verdef; ; d = d[le.Uint32(d[16:]):] {
		if le.Uint16(d[4:]) == index {
			return w.str(le.Uint32(d[le.Uint32(d[12:]):]))
		}
		if le.Uint32(d[16:]) == 0 {
			return ""
		}
	}
}

// bySysV looks a name up as the kernel's selftest and musl do.
func (w *walker) bySysV(name string) (uint32, bool) {
	le := binary.LittleEndian
	nbucket := le.Uint32(w.hash)
	for i := le.Uint32(w.hash[8+4*(sysvHash(name)%nbucket):]); i != 0; i = le.Uint32(w.hash[8+4*(nbucket+i):]) {
		if w.name(i) == name {
			return i, true
		}
	}
	return 0, false
}

// byGNU looks a name up as glibc does, Bloom filter included.
func (w *walker) byGNU(name string) (uint32, bool) {
	le := binary.LittleEndian
	h := gnuHash(name)
	nbucket, first, words, shift := le.Uint32(w.gnu), le.Uint32(w.gnu[4:]), le.Uint32(w.gnu[8:]), le.Uint32(w.gnu[12:])
	bloom := le.Uint64(w.gnu[16+8*(h/64&(words-1)):])
	if bloom>>(h%64)&1 == 0 || bloom>>(h>>shift%64)&1 == 0 {
		return 0, false
	}
	heads := w.gnu[16+8*words:]
	i := le.Uint32(heads[4*(h%nbucket):])
	if i == 0 {
		return 0, false
	}
	for ; ; i++ {
		c := le.Uint32(heads[4*(nbucket+i-first):])
		if c|1 == h|1 && w.name(i) == name {
			return i, true
		}
		if c&1 != 0 {
			return 0, false
		}
	}
}

func TestHashTables(t *testing.T) {
	image, base := hostImage(t)
	page := base + 0x10000
	img, err := Build(image, base, page)
	if err != nil {
		t.Fatal(err)
	}
	old, now := walk(t, image), walk(t, flat(t, image, img, base, page))
	m, err := parse(image)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range m.symbols[1:] {
		i, ok := now.bySysV(s.name)
		j, ok2 := now.byGNU(s.name)
		k, ok3 := old.bySysV(s.name)
		if !ok || !ok2 || !ok3 || i != j {
			t.Errorf("%s: DT_HASH %d %v, DT_GNU_HASH %d %v", s.name, i, ok, j, ok2)
			continue
		}
		if s.name != enterName && now.value(i) != old.value(k) {
			t.Errorf("%s = %#x, was %#x", s.name, now.value(i), old.value(k))
		}
	}
	for _, find := range []func(string) (uint32, bool){now.bySysV, now.byGNU} {
		if i, ok := find(enterName); !ok || now.value(i) != img.Enter-base {
			t.Errorf("328: %s not found or wrong", enterName)
		}
		for _, absent := range []string{"", "__vdso_sgx_enter_enclavf", "malloc", "x"} {
			if _, ok := find(absent); ok && absent != "" {
				t.Errorf("found %q", absent)
			}
		}
	}
}

// TestSectionReaders walks the section headers with the checks that Open
// Enclave's reader makes: the file ends where the header table ends.
func TestSectionReaders(t *testing.T) {
	image, base := hostImage(t)
	for _, page := range []uint64{base + 0x40000, base - 0x40000} {
		img, err := Build(image, base, page)
		if err != nil {
			t.Fatal(err)
		}
		head := slices.Clone(image)
		for _, p := range img.Patches {
			binary.LittleEndian.PutUint64(head[p.Addr-base:], p.Value)
		}
		le := binary.LittleEndian
		at := func(off, size uint64) []byte { // off counts from base and may wrap
			if a := base + off; a >= page && a < page+uint64(len(img.Page)) {
				return img.Page[a-page:][:size]
			}
			return head[off:][:size]
		}
		shoff := le.Uint64(head[ehdrShoff:])
		end := shoff + sectionCount*shdrSize
		table := at(shoff, sectionCount*shdrSize)
		names := at(le.Uint64(table[sectionShstrtab*shdrSize+24:]), le.Uint64(table[sectionShstrtab*shdrSize+32:]))
		var got []string
		for i := range sectionCount {
			h := table[i*shdrSize:]
			off, size := le.Uint64(h[24:]), le.Uint64(h[32:])
			if off+size < off || off+size > end {
				t.Errorf("page %#x, section %d: [%#x, +%#x) beyond %#x", page, i, off, size, end)
			}
			n := names[le.Uint32(h):]
			got = append(got, string(n[:bytes.IndexByte(n, 0)]))
		}
		if want := []string{"", ".dynsym", ".dynstr", ".text", ".shstrtab"}; !slices.Equal(got, want) {
			t.Errorf("sections %q, want %q", got, want)
		}
	}
}

func TestBuildWithExistingSymbol(t *testing.T) {
	image, base := hostImage(t)
	first, err := Build(image, base, base+0x10000)
	if err != nil {
		t.Fatal(err)
	}
	b := flat(t, image, first, base, base+0x10000)
	second, err := Build(b, base, base+0x20000)
	if err != nil {
		t.Fatal(err)
	}
	w := walk(t, flat(t, b, second, base, base+0x20000))
	if i, ok := w.byGNU(enterName); !ok || w.value(i) != second.Enter-base {
		t.Errorf("value %#x, want %#x", w.value(i), second.Enter-base)
	}
	m, err := parse(flat(t, b, second, base, base+0x20000))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range m.symbols {
		if s.name == enterName {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d symbols of that name, want 1", n)
	}
}

// TestBuildWithoutHash takes DT_HASH away: it comes back in the slot of the
// terminator.
func TestBuildWithoutHash(t *testing.T) {
	image, base := hostImage(t)
	for _, tag := range []elf.DynTag{elf.DT_HASH, elf.DT_GNU_HASH} {
		b := slices.Clone(image)
		m, err := parse(b)
		if err != nil {
			t.Fatal(err)
		}
		slot, ok := m.dynSlot[tag]
		if !ok {
			continue
		}
		copy(b[m.dynOff+uint64(slot)*dynSize:m.dynOff+uint64(m.dynLen)*dynSize], b[m.dynOff+uint64(slot+1)*dynSize:])
		img, err := Build(b, base, base+0x10000)
		if err != nil {
			t.Errorf("without %v: %v", tag, err)
			continue
		}
		w := walk(t, flat(t, b, img, base, base+0x10000))
		if _, ok := w.bySysV(enterName); !ok {
			t.Errorf("without %v: not found by DT_HASH", tag)
		}
		if _, ok := w.byGNU(enterName); !ok {
			t.Errorf("without %v: not found by DT_GNU_HASH", tag)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	image, base := hostImage(t)
	edit := func(off int, v ...byte) []byte {
		b := slices.Clone(image)
		copy(b[off:], v)
		return b
	}
	for _, tt := range []struct {
		name       string
		image      []byte
		base, page uint64
		want       string
	}{
		{"page not aligned", image, base, base + 0x10010, "not page-aligned"},
		{"empty", nil, base, base + 0x10000, "ELF header"},
		{"no magic", edit(0, 0), base, base + 0x10000, "no ELF magic"},
		{"32-bit", edit(4, 1), base, base + 0x10000, "64-bit"},
		{"other machine", edit(18, 3), base, base + 0x10000, "x86-64"},
		{"no segments", edit(56, 0, 0), base, base + 0x10000, "no PT_LOAD"},
		{"segments outside", edit(32, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), base, base + 0x10000, "reaches out"},
		{"too large", make([]byte, maxImage+1), base, base + 0x10000, "too large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Build(tt.image, tt.base, tt.page)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSites(t *testing.T) {
	image, base := hostImage(t)
	page := base + 0x10000
	for _, tt := range []struct {
		o    Options
		site []byte
	}{
		{Options{}, []byte{0xCD, 0x80, 0x90}},
		{Options{NativeENCLU: true}, []byte{0x0F, 0x01, 0xD7}},
	} {
		img, err := tt.o.Build(image, base, page)
		if err != nil {
			t.Fatal(err)
		}
		if got := img.Page[img.ENCLU-page:][:3]; !bytes.Equal(got, tt.site) {
			t.Errorf("%+v: site % x, want % x", tt.o, got, tt.site)
		}
		if got := img.Page[img.Syscall-page:][:3]; !bytes.Equal(got, []byte{0x0F, 0x05, 0xCC}) {
			t.Errorf("gadget % x", got)
		}
		if len(img.Page)%pageSize != 0 {
			t.Errorf("%d bytes of pages", len(img.Page))
		}
	}
}

func TestHashFunctions(t *testing.T) {
	// Known values: the System V ABI's own example names, and the constants of
	// Go's runtime (vdso_linux_amd64.go).
	for _, tt := range []struct {
		name      string
		sysv, gnu uint32
	}{
		{"__vdso_gettimeofday", 0x315ca59, 0xb01bca00},
		{"__vdso_clock_gettime", 0xd35ec75, 0x6e43a318},
		{"__vdso_getrandom", 0x25425d, 0x84a559bf},
		{"LINUX_2.6", 0x3ae75f6, gnuHash("LINUX_2.6")},
	} {
		if s, g := sysvHash(tt.name), gnuHash(tt.name); s != tt.sysv || g != tt.gnu {
			t.Errorf("%s: %#x %#x, want %#x %#x", tt.name, s, g, tt.sysv, tt.gnu)
		}
	}
}

func FuzzBuild(f *testing.F) {
	image, base := hostImage(f)
	f.Add(image, uint64(0x10000))
	f.Add(image[:ehdrSize], uint64(0x10000))
	f.Fuzz(func(t *testing.T, b []byte, delta uint64) {
		img, err := Build(b, base, base+delta&^(pageSize-1))
		if err != nil {
			return
		}
		for _, p := range img.Patches {
			if p.Addr < base || p.Addr+8 > base+uint64(len(b)) || p.Addr%8 != 0 {
				t.Fatalf("patch at %#x", p.Addr)
			}
		}
		if len(img.Page)%pageSize != 0 || img.Page == nil {
			t.Fatalf("%d bytes of pages", len(img.Page))
		}
	})
}

// TestDump writes the pages and the patched image for a look with objdump, when
// asked to.
func TestDump(t *testing.T) {
	dir := os.Getenv("VDSO_DUMP")
	if dir == "" {
		t.Skip("set VDSO_DUMP to a directory to get page.bin and flat.so")
	}
	image, base := hostImage(t)
	page := base + uint64(len(image))
	img, err := Build(image, base, page)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"page.bin": img.Page, "flat.so": flat(t, image, img, base, page)} {
		w, err := os.Create(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, bytes.NewReader(b)); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}
