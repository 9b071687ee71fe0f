package insn

// prefixes is a set of mandatory prefixes: those that choose between
// instructions that share an opcode.
type prefixes uint8

// The mandatory prefixes, in the order of VEX.pp and EVEX.pp.
const (
	np prefixes = 1 << iota
	p66
	pF3
	pF2

	all = np | p66 | pF3 | pF2
)

// pp returns the mandatory prefix of an instruction. F2 and F3 go before 66,
// which may stand beside them (SDM vol. 2, "Instruction Prefixes").
func (in *inst) pp() prefixes {
	switch {
	case in.rep == 0xF3:
		return pF3
	case in.rep == 0xF2:
		return pF2
	case in.data16:
		return p66
	}
	return np
}

// allowed gives the opcodes from first to last one set of prefixes.
type allowed struct {
	first, last byte
	prefixes
}

// prefixTable expands rows over base; later rows win.
func prefixTable(base *[256]prefixes, rows []allowed) *[256]prefixes {
	t := *base
	for _, r := range rows {
		for op := int(r.first); op <= int(r.last); op++ {
			t[op] = r.prefixes
		}
	}
	return &t
}

// every is a map in which every opcode takes the same prefixes.
func every(p prefixes) *[256]prefixes {
	return prefixTable(new([256]prefixes), []allowed{{0x00, 0xFF, p}})
}

// mandatory returns the prefixes with which the opcode exists in its map: none
// in maps that nothing defines.
func (in *inst) mandatory() prefixes {
	if in.enc == legacy && in.opmap == mapOne {
		return all
	}
	if tables := &mandatoryTables[in.enc]; int(in.opmap) < len(tables) && tables[in.opmap] != nil {
		return tables[in.opmap][in.op]
	}
	return 0
}

// mandatoryTables holds the sets by encoding and map (SDM vol. 2, appendix A,
// columns "pfx").
var mandatoryTables = [...][7]*[256]prefixes{
	legacy: {map0F: legacy0F, map0F38: legacy38, map0F3A: legacy3A},
	vex:    {map0F: vexPrefixes0F, map0F38: vexPrefixes38, map0F3A: vexPrefixes3A},
	evex: {
		map0F: evexPrefixes0F, map0F38: evexPrefixes38, map0F3A: evexPrefixes3A,
		map5: evexPrefixes5, map6: evexPrefixes6,
	},
}

var legacy0F = prefixTable(every(all), []allowed{
	{0x13, 0x15, np | p66}, {0x16, 0x16, np | p66 | pF3}, {0x17, 0x17, np | p66},
	{0x28, 0x29, np | p66}, {0x2E, 0x2F, np | p66}, {0x50, 0x50, np | p66},
	{0x52, 0x53, np | pF3}, {0x54, 0x57, np | p66}, {0x5B, 0x5B, np | p66 | pF3},
	{0x60, 0x6B, np | p66}, {0x6C, 0x6D, p66}, {0x6E, 0x6E, np | p66}, {0x6F, 0x6F, np | p66 | pF3},
	{0x71, 0x76, np | p66}, {0x77, 0x77, np}, {0x78, 0x79, np | p66 | pF2}, {0x7C, 0x7D, p66 | pF2},
	{0x7E, 0x7F, np | p66 | pF3}, {0xB8, 0xB8, pF3}, {0xC3, 0xC3, np}, {0xC4, 0xC6, np | p66},
	{0xD0, 0xD0, p66 | pF2}, {0xD1, 0xD5, np | p66}, {0xD6, 0xD6, p66 | pF3 | pF2}, {0xD7, 0xE5, np | p66},
	{0xE6, 0xE6, p66 | pF3 | pF2}, {0xE7, 0xEF, np | p66}, {0xF0, 0xF0, pF2}, {0xF1, 0xFE, np | p66},
})

// vexPrefixes0F differs from the legacy map where that has MMX instructions.
var vexPrefixes0F = prefixTable(legacy0F, []allowed{
	{0x2A, 0x2A, pF3 | pF2}, {0x2B, 0x2B, np | p66}, {0x2C, 0x2D, pF3 | pF2},
	{0x41, 0x4B, np | p66}, {0x60, 0x6E, p66}, {0x6F, 0x6F, p66 | pF3}, {0x70, 0x70, p66 | pF3 | pF2},
	{0x71, 0x76, p66}, {0x7E, 0x7F, p66 | pF3}, {0x90, 0x91, np | p66}, {0x92, 0x93, np | p66 | pF2},
	{0x98, 0x99, np | p66}, {0xAE, 0xAE, np}, {0xC4, 0xC5, p66}, {0xD1, 0xE5, p66},
	{0xE6, 0xE6, p66 | pF3 | pF2}, {0xE7, 0xEF, p66}, {0xF1, 0xFE, p66},
})

var evexPrefixes0F = prefixTable(vexPrefixes0F, []allowed{
	{0x6F, 0x6F, p66 | pF3 | pF2}, {0x78, 0x79, all}, {0x7A, 0x7B, p66 | pF3 | pF2}, {0x7F, 0x7F, p66 | pF3 | pF2},
})

var legacy38 = prefixTable(every(p66), []allowed{
	{0x00, 0x0B, np | p66}, {0x1C, 0x1E, np | p66}, {0xC8, 0xCD, np}, {0xD8, 0xD8, pF3}, {0xDC, 0xDF, p66 | pF3},
	{0xF0, 0xF1, np | p66 | pF2}, {0xF6, 0xF6, np | p66 | pF3}, {0xF8, 0xF8, p66 | pF3 | pF2},
	{0xF9, 0xF9, np}, {0xFA, 0xFB, pF3}, {0xFC, 0xFC, all},
})

var vexPrefixes38 = prefixTable(every(p66), []allowed{
	{0x49, 0x49, np | p66 | pF2}, {0x4B, 0x4B, p66 | pF3 | pF2}, {0x50, 0x51, all}, {0x5C, 0x5C, pF3 | pF2},
	{0x5E, 0x5E, all}, {0x6C, 0x6C, np | p66}, {0x72, 0x72, pF3}, {0xB0, 0xB0, all}, {0xB1, 0xB1, p66 | pF3},
	{0xCB, 0xCD, pF2}, {0xD2, 0xD3, np | p66 | pF3}, {0xDA, 0xDA, all}, {0xF2, 0xF3, np},
	{0xF5, 0xF5, np | pF3 | pF2}, {0xF6, 0xF6, pF2}, {0xF7, 0xF7, all},
})

var evexPrefixes38 = prefixTable(every(p66), []allowed{
	{0x10, 0x15, p66 | pF3}, {0x20, 0x2A, p66 | pF3}, {0x2B, 0x2D, p66}, {0x30, 0x35, p66 | pF3}, {0x38, 0x3A, p66 | pF3},
	{0x52, 0x52, p66 | pF3 | pF2}, {0x53, 0x53, p66 | pF2}, {0x68, 0x68, pF2}, {0x72, 0x72, p66 | pF3 | pF2},
	{0x9A, 0x9B, p66 | pF2}, {0xAA, 0xAB, p66 | pF2},
})

var (
	legacy3A      = prefixTable(every(p66), []allowed{{0x0F, 0x0F, np | p66}, {0xCC, 0xCC, np}, {0xF0, 0xF0, pF3}})
	vexPrefixes3A = prefixTable(every(p66), []allowed{{0xF0, 0xF0, pF2}})
)

var evexPrefixes3A = prefixTable(every(p66), []allowed{
	{0x08, 0x08, np | p66}, {0x0A, 0x0A, np | p66}, {0x26, 0x27, np | p66}, {0x56, 0x57, np | p66},
	{0x66, 0x67, np | p66}, {0xC2, 0xC2, np | pF3},
})

var evexPrefixes5 = prefixTable(every(p66), []allowed{
	{0x10, 0x11, pF3}, {0x1D, 0x1D, np | p66}, {0x2A, 0x2D, pF3}, {0x2E, 0x2F, np}, {0x51, 0x51, np | pF3},
	{0x58, 0x59, np | pF3}, {0x5A, 0x5A, all}, {0x5B, 0x5B, np | p66 | pF3}, {0x5C, 0x5F, np | pF3},
	{0x78, 0x79, np | p66 | pF3}, {0x7A, 0x7A, p66 | pF2}, {0x7B, 0x7B, p66 | pF3}, {0x7C, 0x7C, np | p66},
	{0x7D, 0x7D, all},
})

var evexPrefixes6 = prefixTable(every(p66), []allowed{
	{0x13, 0x13, np | p66}, {0x56, 0x57, pF3 | pF2}, {0xD6, 0xD7, pF3 | pF2},
})
