// Package codesite finds the instructions in program text that an SGX machine
// answers differently from this one, ENCLU and CPUID, so that a supervisor can
// replace them before they run.
//
// Text is a stream of instructions of unknown alignment with data in between. Two
// or three bytes are therefore evidence, not proof: Scan accepts a place only where
// disassembly from almost every starting point nearby arrives at it, and where what
// follows reads like a program.
package codesite

import (
	"bytes"

	"softsgx/insn"
)

// Kind is the instruction at a Site.
type Kind uint8

const (
	// ENCLU is 0F 01 D7 (SDM vol. 3D, ENCLU).
	ENCLU Kind = iota + 1
	// CPUID is 0F A2 (SDM vol. 2, CPUID).
	CPUID
)

// String returns the mnemonic.
func (k Kind) String() string {
	switch k {
	case ENCLU:
		return "ENCLU"
	case CPUID:
		return "CPUID"
	}
	return "no instruction"
}

// Site is the address of the first byte of an instruction.
type Site struct {
	Addr uint64
	Kind Kind
}

// encodings are the bytes of each kind. Neither instruction takes operands.
var encodings = [...]struct {
	kind Kind
	code []byte
}{
	{ENCLU, []byte{0x0f, 0x01, 0xd7}},
	{CPUID, []byte{0x0f, 0xa2}},
}

// Scan returns the sites in text, whose first byte has the address addr, by kind
// and then by address. It reads every byte once and disassembles only around
// candidates.
func Scan(text []byte, addr uint64) []Site {
	var sites []Site
	for _, e := range encodings {
		for at := 0; ; at += len(e.code) {
			i := bytes.Index(text[at:], e.code)
			if i < 0 {
				break
			}
			at += i
			if reached(text, at) && continues(text, at+len(e.code)) {
				sites = append(sites, Site{Addr: addr + uint64(at), Kind: e.kind})
			}
		}
	}
	return sites
}

const (
	// approach is how far before a candidate disassembly begins, and settled how
	// far before it the last walk begins. Walks that begin out of step fall into
	// step within a few instructions; immediates full of zeros take the longest.
	approach = 64
	settled  = 16
	// sequel is how many instructions after a candidate must make sense.
	sequel = 6
)

// reached tells whether the instruction stream passes through at: of the walks
// from each of the bytes before it that get so far, two of three arrive at it (zeros
// in immediates lead walks astray for long), and of all walks one in six (a function
// may begin just before it, after padding or cold code).
func reached(text []byte, at int) bool {
	var hits, misses, losses int
	for from := max(0, at-approach); from < max(1, at-settled); from++ {
		switch walk(text, from, at) {
		case arrived:
			hits++
		case stepped:
			misses++
		case lost:
			losses++
		}
	}
	return hits >= 2*misses && 6*hits >= hits+misses+losses
}

// outcome is how a walk through the instructions before a candidate ended.
type outcome uint8

const (
	lost    outcome = iota // at bytes that no program executes
	arrived                // at the candidate
	stepped                // over it
)

// walk disassembles from one place to another.
func walk(text []byte, from, to int) outcome {
	for from < to {
		n, ok := insn.Len(text[from:])
		if !ok || unlikely(text[from]) {
			return lost
		}
		from += n
	}
	if from > to {
		return stepped
	}
	return arrived
}

// continues tells whether what follows a candidate reads like the continuation of
// a program: instructions that user code executes, up to one that ends the run.
func continues(text []byte, at int) bool {
	for range sequel {
		if at >= len(text) {
			return true
		}
		n, ok := insn.Len(text[at:])
		if !ok || unlikely(text[at]) {
			return false
		}
		if ends(text[at]) {
			return true
		}
		at += n
	}
	return true
}

// ends tells whether control never passes beyond an instruction with the opcode:
// RET, JMP, INT3, HLT, UD2's first byte is told apart by Len.
func ends(op byte) bool {
	switch op {
	case 0xc3, 0xc2, 0xeb, 0xe9, 0xcc:
		return true
	}
	return false
}

// unlikely tells whether the opcode is one that user code does not execute: port
// input and output, flags of interrupts, HLT, IRET, far returns. Data reads so.
func unlikely(op byte) bool {
	switch op {
	case 0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef,
		0xf4, 0xfa, 0xfb, 0xca, 0xcb, 0xcf:
		return true
	}
	return false
}
