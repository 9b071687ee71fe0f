package vdso

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// Indices of the section headers.
const (
	sectionDynsym = iota + 1
	sectionDynstr
	sectionText
	sectionShstrtab
	sectionCount
)

// sections appends the section headers and what only they need. They come last:
// Open Enclave takes the end of the header table for the end of the file and
// refuses sections that reach beyond it.
func (l *layout) sections(dynsym, dynstr span) {
	names := "\x00.dynsym\x00.dynstr\x00.text\x00.shstrtab\x00"
	name := func(s string) uint32 { return uint32(bytes.Index([]byte(names), []byte(s+"\x00"))) }
	shstrtab := l.place(1, []byte(names))
	l.padForHeaders()

	headers := [sectionCount]elf.Section64{
		sectionDynsym: {
			Name: name(".dynsym"), Type: uint32(elf.SHT_DYNSYM), Flags: uint64(elf.SHF_ALLOC),
			Addr: l.pointer(dynsym), Off: l.offset(dynsym), Size: dynsym.size,
			Link: sectionDynstr, Info: 1, Addralign: 8, Entsize: symSize,
		},
		sectionDynstr: {
			Name: name(".dynstr"), Type: uint32(elf.SHT_STRTAB), Flags: uint64(elf.SHF_ALLOC),
			Addr: l.pointer(dynstr), Off: l.offset(dynstr), Size: dynstr.size, Addralign: 1,
		},
		sectionText: {
			Name: name(".text"), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR),
			Addr: l.m.text.off + l.m.bias, Off: l.m.text.off, Size: l.m.text.size, Addralign: 16,
		},
		sectionShstrtab: {
			Name: name(".shstrtab"), Type: uint32(elf.SHT_STRTAB),
			Off: l.offset(shstrtab), Size: shstrtab.size, Addralign: 1,
		},
	}
	var b []byte
	for _, h := range headers {
		b = appendSection(b, h)
	}
	table := l.place(8, b)
	l.patch(ehdrShoff, l.offset(table))
	old := binary.LittleEndian.Uint64(l.m.bytes[ehdrShWord:])
	l.patch(ehdrShWord, old&0xFFFF|shdrSize<<16|sectionCount<<32|sectionShstrtab<<48)
}

// padForHeaders leaves just the room for the section headers in the last page.
func (l *layout) padForHeaders() {
	for (len(l.out)+sectionCount*shdrSize)%pageSize != 0 {
		l.out = append(l.out, 0)
	}
}

// appendSection encodes a section header.
func appendSection(b []byte, h elf.Section64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, h.Name)
	b = le.AppendUint32(b, h.Type)
	b = le.AppendUint64(b, h.Flags)
	b = le.AppendUint64(b, h.Addr)
	b = le.AppendUint64(b, h.Off)
	b = le.AppendUint64(b, h.Size)
	b = le.AppendUint32(b, h.Link)
	b = le.AppendUint32(b, h.Info)
	b = le.AppendUint64(b, h.Addralign)
	return le.AppendUint64(b, h.Entsize)
}
