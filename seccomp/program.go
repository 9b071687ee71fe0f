// Package seccomp builds the seccomp-BPF programs that decide which system calls
// of a tracee stop for the supervisor. It makes no system call itself.
package seccomp

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"
)

// Action is what a filter answers (linux/seccomp.h).
type Action uint32

// ForeignData marks the stop of a 32-bit system call.
const ForeignData = 1

// The actions that our filters use.
const (
	Allow Action = 0x7fff0000 // SECCOMP_RET_ALLOW
	Trace Action = 0x7ff00000 // SECCOMP_RET_TRACE: stop for the tracer

	// TraceForeign is Trace for a 32-bit system call; the tracer reads
	// ForeignData as the event message.
	TraceForeign = Trace | ForeignData
)

// Architecture words of struct seccomp_data (linux/audit.h).
const (
	archX86_64 = 0xc000003e
	archI386   = 0x40000003
)

// Offsets in struct seccomp_data.
const (
	offNr   = 0
	offArch = 4
	offIP   = 8
	offArgs = 16
)

// Program is an assembled filter: 8 bytes an instruction, as struct sock_filter.
type Program []bpf.RawInstruction

// Bytes returns the program as the kernel reads it.
func (p Program) Bytes() []byte {
	var b []byte
	for _, i := range p {
		b = binary.LittleEndian.AppendUint16(b, i.Op)
		b = append(b, i.Jt, i.Jf)
		b = binary.LittleEndian.AppendUint32(b, i.K)
	}
	return b
}

// builder assembles a program with labels, because jumps in classic BPF are
// relative and eight bits wide.
type builder struct {
	code   []bpf.Instruction
	labels map[string]int
	jumps  map[int][2]string // index of a JumpIf: labels of true and false
}

func newBuilder() *builder {
	return &builder{labels: map[string]int{}, jumps: map[int][2]string{}}
}

func (b *builder) emit(i bpf.Instruction) { b.code = append(b.code, i) }

func (b *builder) label(name string) { b.labels[name] = len(b.code) }

func (b *builder) load(off uint32) { b.emit(bpf.LoadAbsolute{Off: off, Size: 4}) }

func (b *builder) ret(a Action) { b.emit(bpf.RetConstant{Val: uint32(a)}) }

// jump goes to yes or no by comparing the accumulator with val; an empty label
// is the next instruction.
func (b *builder) jump(cond bpf.JumpTest, val uint32, yes, no string) {
	b.jumps[len(b.code)] = [2]string{yes, no}
	b.emit(bpf.JumpIf{Cond: cond, Val: val})
}

func (b *builder) assemble() (Program, error) {
	for i, to := range b.jumps {
		j := b.code[i].(bpf.JumpIf)
		var err error
		if j.SkipTrue, err = b.skip(i, to[0]); err != nil {
			return nil, err
		}
		if j.SkipFalse, err = b.skip(i, to[1]); err != nil {
			return nil, err
		}
		b.code[i] = j
	}
	return bpf.Assemble(b.code)
}

func (b *builder) skip(from int, label string) (uint8, error) {
	if label == "" {
		return 0, nil
	}
	to, ok := b.labels[label]
	if n := to - from - 1; ok && n >= 0 && n < 256 {
		return uint8(n), nil
	}
	return 0, fmt.Errorf("seccomp: jump at %d to %q is out of reach", from, label)
}
