package insn

// row gives the opcodes from first to last one spec.
type row struct {
	first, last byte
	spec
}

// table expands rows. Opcodes in no row are undefined.
func table(rows []row) *[256]spec {
	var t [256]spec
	for _, r := range rows {
		for op := int(r.first); op <= int(r.last); op++ {
			t[op] = r.spec
		}
	}
	return &t
}

// op is an instruction without ModRM.
func op(i imm) spec { return spec{form: valid, imm: i} }

// opAlso is one that uses memory without naming it.
func opAlso(a implied, z size, i imm) spec {
	return spec{form: valid, imm: i, size: z, also: a}
}

// rm is an instruction with ModRM whose r/m operand is accessed so.
func rm(a access, z size) spec { return spec{form: valid | modRM, rm: a, size: z} }

// rmImm is rm with an immediate.
func rmImm(a access, z size, i imm) spec {
	return spec{form: valid | modRM, rm: a, size: z, imm: i}
}

// mem is rm for instructions that have no register form.
func mem(a access, z size) spec { return spec{form: valid | modRM | memOnly, rm: a, size: z} }

// reg is an instruction with ModRM that has only a register form.
func reg(i imm) spec { return spec{form: valid | modRM | regOnly, imm: i} }

// with returns s with a use of memory that it does not name.
func (s spec) with(a implied) spec {
	s.also = a
	return s
}

// lookup finds the spec of the opcode. Where ModRM.reg has a say, group corrects
// it later.
func (in *inst) lookup() spec {
	switch in.enc {
	case vex:
		return in.vexSpec()
	case evex:
		return in.evexSpec()
	}
	switch in.opmap {
	case map0F:
		return in.twoByteSpec()
	case map0F38:
		return in.map38Spec()
	case map0F3A:
		return map3A[in.op]
	}
	return oneByte[in.op]
}
