package vdso

import "fmt"

// assembler collects machine code. Branches name labels and are resolved by
// finish; all of them are short, because the code is.
type assembler struct {
	code   []byte
	labels map[string]int
	shorts []branch
	err    error
}

// branch is an 8-bit displacement still to be filled in.
type branch struct {
	at     int // index of the displacement byte
	target string
}

// emit appends the bytes of one instruction.
func (a *assembler) emit(b ...byte) { a.code = append(a.code, b...) }

// label gives the next instruction a name.
func (a *assembler) label(name string) {
	if a.labels == nil {
		a.labels = make(map[string]int)
	}
	if _, dup := a.labels[name]; dup {
		a.err = fmt.Errorf("label %s defined twice", name)
	}
	a.labels[name] = len(a.code)
}

// short appends an instruction that ends in an 8-bit displacement to target.
func (a *assembler) short(target string, opcode ...byte) {
	a.emit(opcode...)
	a.shorts = append(a.shorts, branch{at: len(a.code), target: target})
	a.emit(0)
}

// align pads with INT3 up to a multiple of n.
func (a *assembler) align(n int) {
	for len(a.code)%n != 0 {
		a.emit(0xCC)
	}
}

// finish resolves the branches and returns the code.
func (a *assembler) finish() ([]byte, error) {
	for _, b := range a.shorts {
		to, ok := a.labels[b.target]
		if !ok {
			return nil, fmt.Errorf("label %s is not defined", b.target)
		}
		d := to - (b.at + 1)
		if d != int(int8(d)) {
			return nil, fmt.Errorf("label %s is %d bytes away, too far for a short branch", b.target, d)
		}
		a.code[b.at] = byte(int8(d))
	}
	return a.code, a.err
}
