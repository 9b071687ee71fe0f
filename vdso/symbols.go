package vdso

import (
	"debug/elf"
	"encoding/binary"
	"slices"
)

// withEnter returns the symbols with the function among them, and the string
// table that they need. Old strings keep their offsets: version definitions and
// DT_SONAME go on using them.
func (m *image) withEnter(value, size uint64) ([]byte, []symbol) {
	strtab, symbols := slices.Clone(m.strtab), slices.Clone(m.symbols)
	enter := symbol{
		name:    enterName,
		info:    elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC),
		shndx:   sectionText,
		value:   value,
		size:    size,
		version: m.version,
	}
	if i := slices.IndexFunc(symbols, func(s symbol) bool { return s.name == enterName }); i > 0 {
		enter.nameOff = symbols[i].nameOff
		symbols[i] = enter
	} else {
		enter.nameOff = uint32(len(strtab))
		strtab = append(append(strtab, enterName...), 0)
		symbols = append(symbols, enter)
	}
	for i, s := range symbols {
		if s.shndx != elf.SHN_UNDEF && s.shndx < elf.SHN_LORESERVE {
			symbols[i].shndx = sectionText // the section table is ours, and short
		}
	}
	return strtab, symbols
}

// symbolTable encodes DT_SYMTAB.
func symbolTable(symbols []symbol) []byte {
	var b []byte
	le := binary.LittleEndian
	for _, s := range symbols {
		b = le.AppendUint32(b, s.nameOff)
		b = append(b, s.info, s.other)
		b = le.AppendUint16(b, uint16(s.shndx))
		b = le.AppendUint64(b, s.value)
		b = le.AppendUint64(b, s.size)
	}
	return b
}

// versionTable encodes DT_VERSYM.
func versionTable(symbols []symbol) []byte {
	var b []byte
	for _, s := range symbols {
		b = binary.LittleEndian.AppendUint16(b, s.version)
	}
	return b
}
