package insn

// encoding is how the opcode is introduced.
type encoding uint8

const (
	legacy encoding = iota
	vex
	xop
	evex
)

// Opcode maps, in the numbering of VEX and EVEX. One-byte opcodes are map 0.
const (
	mapOne  = 0
	map0F   = 1
	map0F38 = 2
	map0F3A = 3
	map4    = 4 // legacy instructions promoted by APX
	map5    = 5 // AVX512-FP16
	map6    = 6
)

// inst is an instruction taken apart.
type inst struct {
	len int

	enc    encoding
	opmap  uint8
	op     byte
	rep    byte // 0, 0xF2 or 0xF3: the last one given, or the VEX equivalent
	data16 bool // 66, or the VEX equivalent
	addr32 bool
	lock   bool
	seg    Segment
	w      bool // REX.W, VEX.W
	r      byte // 0 or 8: extensions of ModRM.reg, SIB.index, ModRM.rm
	x      byte
	b      byte
	vlen   uint64 // vector length in bytes: 16, 32, 64
	bcast  bool   // EVEX.b

	hasModRM bool
	mod      byte
	reg      byte // three bits
	rm       byte // three bits
	mem      MemRef
	disp8    bool // the displacement is one byte, scaled by the operand in EVEX

	spec spec
}

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

// prefixes reads legacy prefixes and REX, and returns the first byte that is
// neither. A REX that is not the last of them has no effect.
func (in *inst) prefixes(r *reader) (c byte, rex byte, ok bool) {
	for {
		if c, ok = r.next(); !ok {
			return 0, 0, false
		}
		switch {
		case c == 0x66:
			in.data16 = true
		case c == 0x67:
			in.addr32 = true
		case c == 0xF2, c == 0xF3:
			in.rep = c
		case c == 0xF0:
			in.lock = true
		case c == 0x64:
			in.seg = FS
		case c == 0x65:
			in.seg = GS
		case c == 0x26, c == 0x2E, c == 0x36, c == 0x3E:
			// No effect in 64-bit mode beyond hints; FS and GS stay.
		case c&0xF0 == 0x40:
			rex = c
			continue
		default:
			return c, rex, true
		}
		rex = 0
	}
}

// opcode reads everything up to and including the opcode byte.
func (in *inst) opcode(r *reader) error {
	c, rex, ok := in.prefixes(r)
	if !ok {
		return r.end()
	}
	switch {
	case c == 0xC5, c == 0xC4, c == 0x62, c == 0x8F && xopFollows(r):
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
	in.opmap = map0F
	if in.op, ok = r.next(); !ok {
		return r.end()
	}
	switch in.op {
	case 0x38:
		in.opmap = map0F38
	case 0x3A:
		in.opmap = map0F3A
	default:
		return nil
	}
	if in.op, ok = r.next(); !ok {
		return r.end()
	}
	return nil
}

// xopFollows tells XOP from POP r/m64: in POP the bits of the map field are
// ModRM.reg = 0 and a low rm, so that map values are below 8.
func xopFollows(r *reader) bool { return r.n < len(r.code) && r.code[r.n]&0x1F >= 8 }

// vector reads a VEX, XOP or EVEX prefix and the opcode (SDM vol. 2, "VEX
// Prefix", "EVEX Encoding"; AMD APM vol. 3, "XOP Prefix").
func (in *inst) vector(c byte, r *reader) error {
	var p [3]byte
	n := map[byte]int{0xC5: 1, 0xC4: 2, 0x8F: 2, 0x62: 3}[c]
	for i := range n {
		var ok bool
		if p[i], ok = r.next(); !ok {
			return r.end()
		}
	}
	in.vlen = 16
	last := p[n-1] // the byte with pp
	switch c {
	case 0xC5:
		in.enc, in.opmap = vex, map0F
		in.r = ^p[0] >> 4 & 8
	case 0xC4, 0x8F:
		in.enc, in.opmap = vex, p[0]&0x1F
		if c == 0x8F {
			in.enc = xop
		}
		in.r, in.x, in.b = ^p[0]>>4&8, ^p[0]>>3&8, ^p[0]>>2&8
		in.w = p[1]&0x80 != 0
	case 0x62:
		if p[0]&8 != 0 || p[1]&4 == 0 {
			return ErrUndefined
		}
		in.enc, in.opmap = evex, p[0]&7
		in.r, in.x, in.b = ^p[0]>>4&8, ^p[0]>>3&8, ^p[0]>>2&8
		in.w = p[1]&0x80 != 0
		in.bcast = p[2]&0x10 != 0
		in.vlen = 16 << (p[2] >> 5 & 3)
		last = p[1]
	}
	if c != 0x62 && last&4 != 0 {
		in.vlen = 32
	}
	switch last & 3 {
	case 1:
		in.data16 = true
	case 2:
		in.rep = 0xF3
	case 3:
		in.rep = 0xF2
	}
	var ok bool
	if in.op, ok = r.next(); !ok {
		return r.end()
	}
	return nil
}
