package insn

// vector reads the rest of a VEX or EVEX prefix that begins with c, and the
// opcode (SDM vol. 2, "VEX Prefix", "EVEX Encoding").
func (in *inst) vector(c byte, r *reader) error {
	at, n := r.n, 1
	switch c {
	case 0xC4:
		n = 2
	case 0x62:
		n = 3
	}
	if !r.skip(n) {
		return r.end()
	}
	switch p := r.code[at:r.n]; c {
	case 0xC5:
		in.enc, in.opmap = vex, map0F
		in.r = ^p[0] >> 4 & 8 // its bit 7; W is not in this form
		in.payload(p[0] &^ 0x80)
		in.vlen = 16 << (p[0] >> 2 & 1)
	case 0xC4:
		in.enc, in.opmap = vex, p[0]&0x1F
		in.extensions(p[0])
		in.payload(p[1])
		in.vlen = 16 << (p[1] >> 2 & 1)
	case 0x62:
		if p[0]&8 != 0 || p[1]&4 == 0 { // reserved bits
			return ErrUndefined
		}
		in.enc, in.opmap = evex, p[0]&7
		in.extensions(p[0])
		in.payload(p[1])
		in.bcast = p[2]&0x10 != 0
		in.vlen = 16 << (p[2] >> 5 & 3)
	}
	var ok bool
	if in.op, ok = r.next(); !ok {
		return r.end()
	}
	return nil
}

// extensions takes R, X and B, which are inverted.
func (in *inst) extensions(c byte) {
	in.r, in.x, in.b = ^c>>4&8, ^c>>3&8, ^c>>2&8
}

// payload takes W and pp.
func (in *inst) payload(c byte) {
	in.w = c&0x80 != 0
	switch c & 3 {
	case 1:
		in.data16 = true
	case 2:
		in.rep = 0xF3
	case 3:
		in.rep = 0xF2
	}
}
