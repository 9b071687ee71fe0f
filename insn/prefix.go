package insn

// reader walks over the bytes of one instruction.
type reader struct {
	code []byte
	n    int
}

// next returns the next byte. It reports false at the end of the code or beyond
// the length limit.
func (r *reader) next() (byte, bool) {
	if r.n >= len(r.code) || r.n >= MaxLen {
		return 0, false
	}
	r.n++
	return r.code[r.n-1], true
}

// skip passes n bytes.
func (r *reader) skip(n int) bool {
	r.n += n
	return r.n <= len(r.code) && r.n <= MaxLen
}

// end says why next or skip failed.
func (r *reader) end() error {
	if len(r.code) >= MaxLen {
		return ErrUndefined
	}
	return ErrTruncated
}

// legacyPrefixes reads legacy prefixes and REX, and returns the first byte that
// is neither. A REX that is not the last of them has no effect.
func (in *inst) legacyPrefixes(r *reader) (c byte, rex byte, ok bool) {
	for {
		if c, ok = r.next(); !ok {
			return 0, 0, false
		}
		switch c {
		case 0x66:
			in.data16 = true
		case 0x67:
			in.addr32 = true
		case 0xF2, 0xF3:
			in.rep = c
		case 0xF0:
			in.lock = true
		case 0x64:
			in.seg = FS
		case 0x65:
			in.seg = GS
		case 0x26, 0x2E, 0x36, 0x3E:
			// No effect in 64-bit mode beyond hints; FS and GS stay.
		default:
			if c&0xF0 != 0x40 {
				return c, rex, true
			}
			rex = c
			continue
		}
		rex = 0
	}
}

// opcode reads everything up to and including the opcode byte.
func (in *inst) opcode(r *reader) error {
	c, rex, ok := in.legacyPrefixes(r)
	if !ok {
		return r.end()
	}
	switch c {
	case 0xC5, 0xC4, 0x62:
		if rex != 0 || in.data16 || in.rep != 0 || in.lock {
			return ErrUndefined
		}
		return in.vector(c, r)
	}
	in.w, in.r, in.x, in.b = rex&8 != 0, rex<<1&8, rex<<2&8, rex<<3&8
	in.vlen = 16
	if c != 0x0F {
		in.op = c
		return nil
	}
	return in.escape(r)
}

// escape reads the opcode after 0F, 0F 38 or 0F 3A.
func (in *inst) escape(r *reader) error {
	var ok bool
	if in.op, ok = r.next(); !ok {
		return r.end()
	}
	switch in.op {
	case 0x38:
		in.opmap = map0F38
	case 0x3A:
		in.opmap = map0F3A
	default:
		in.opmap = map0F
		return nil
	}
	if in.op, ok = r.next(); !ok {
		return r.end()
	}
	return nil
}
