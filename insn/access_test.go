package insn

import "testing"

// page is a page-aligned address, away from the others in atRegs.
const page = 0x7000_0000

// atRegs is a register file in which every register points to a page of its own:
// number n to page + n*0x10000 + 0x800.
func atRegs() RegFile {
	f := RegFile{RIP: 0x40_0000, FSBase: 0x5000_0000, GSBase: 0x6000_0000}
	for i := range f.R {
		f.R[i] = page + uint64(i)<<16 + 0x800
	}
	return f
}

// of returns the address in atRegs that a register holds.
func of(r Reg) uint64 { return page + uint64(r)<<16 + 0x800 }

func TestAccessAt(t *testing.T) {
	for _, r := range []struct {
		asm, code string
		set       func(*RegFile)
		addr      uint64
		write, ok bool
	}{
		{"mov [rax], ecx", "8908", nil, of(RAX), true, true},
		{"mov ecx, [rax]", "8b08", nil, of(RAX), false, true},
		{"mov ecx, [rax] elsewhere", "8b08", nil, of(RCX), false, false},
		{"mov ecx, [rax] next page", "8b08", nil, of(RAX) + 0x800, false, false},
		{"mov [rax+0x7fe], ecx across pages", "8988fe070000", nil, of(RAX) + 0x800, true, true},
		{"mov ecx, [rax+0x7fc] in one page", "8b88fc070000", nil, of(RAX) + 0x800, false, false},
		{"add [rax], ecx", "0108", nil, of(RAX), true, true},
		{"cmp [rax], ecx", "3908", nil, of(RAX), false, true},
		{"mov [rip+0x1000], cl", "880d00100000", nil, 0x40_1006, true, true},
		{"mov cl, fs:[0x28]", "648a0c2528000000", nil, 0x5000_0028, false, true},
		{"mov gs:[rax], cl", "658808", func(f *RegFile) { f.R[RAX] = 0x3000 }, 0x6000_3000, true, true},
		{"mov [eax], cl", "678808", func(f *RegFile) { f.R[RAX] |= 0xAB << 32 }, of(RAX), true, true},
		{"mov [rax+rcx*8-8], dl", "8854c8f8", func(f *RegFile) { f.R[RAX], f.R[RCX] = 0x9000, 0x1001 }, 0x1_1000, true, true},
		{"movabs [0x1122334455667788], al", "a28877665544332211", nil, 0x1122334455667000, true, true},
		{"xlatb", "d7", func(f *RegFile) { f.R[RAX], f.R[RBX] = 0xFFFF_FF01, 0x8FFF }, 0x9000, false, true},
		{"xlatb other page", "d7", func(f *RegFile) { f.R[RAX], f.R[RBX] = 0xFFFF_FF01, 0x8FFF }, 0x8FFF, false, false},
		{"bts [rax], ecx far up", "0fab08", func(f *RegFile) { f.R[RCX] = 0x1000 * 8 }, of(RAX) + 0x1000, true, true},
		{"bt [rax], rcx far down", "480fa308", func(f *RegFile) { f.R[RCX] = ^uint64(0x1000*8 - 1) }, of(RAX) - 0x1000, false, true},
		{"bts [rax], cx uses 16 bits", "660fab08", func(f *RegFile) { f.R[RCX] = 0x1_0000_0000 }, of(RAX), true, true},
		{"push rax", "50", nil, of(RSP) - 8, true, true},
		{"push rax at a page start", "50", func(f *RegFile) { f.R[RSP] = 0x9000 }, 0x8FF8, true, true},
		{"push rax above the stack", "50", func(f *RegFile) { f.R[RSP] = 0x9000 }, 0x9000, false, false},
		{"pop rax", "58", nil, of(RSP), false, true},
		{"push [rax], operand", "ff30", nil, of(RAX), false, true},
		{"push [rax], stack", "ff30", nil, of(RSP) - 8, true, true},
		{"pop [rsp+0xff8], after the pop", "8f8424f80f0000", func(f *RegFile) { f.R[RSP] = 0x9000 }, 0xA000, true, true},
		{"call", "e800000000", nil, of(RSP) - 8, true, true},
		{"ret", "c3", nil, of(RSP), false, true},
		{"leave", "c9", nil, of(RBP), false, true},
		{"enter 0x2000, 0: the bottom", "c8002000", nil, of(RSP) - 0x2008, true, true},
		{"enter 0, 2: the outer frames", "c8000002", nil, of(RBP) - 8, false, true},
		{"rep movsb, source", "f3a4", nil, of(RSI), false, true},
		{"rep movsb, destination", "f3a4", nil, of(RDI), true, true},
		{"rep movsb in one page", "f3a4", func(f *RegFile) { f.R[RSI] = f.R[RDI] }, of(RDI), true, true},
		{"rep stosq across pages", "f348ab", func(f *RegFile) { f.R[RDI] = 0x8FFC }, 0x9000, true, true},
		{"repe cmpsb", "f3a6", nil, of(RDI), false, true},
		{"movdir64b rax, [rdi], source", "660f38f807", nil, of(RDI), false, true},
		{"movdir64b rax, [rdi], destination", "660f38f807", nil, of(RAX), true, true},
		{"xsave [rax], third page", "0fae20", nil, of(RAX) + 0x2000, true, true},
		{"xrstor [rax], third page", "0fae28", nil, of(RAX) + 0x2000, false, true},
		{"vpgatherdd reads anywhere", "c4e26d90048f", nil, 0x1234_5678, false, true},
		{"vscatterqpd writes anywhere", "62f2fd49a344cf01", nil, 0x1234_5678, true, true},
		{"vmovdqu64 [rdi+1*64], zmm0", "62f1fe487f4701", func(f *RegFile) { f.R[RDI] = 0x8FC0 }, 0x9000, true, true},
		{"lea", "488d08", nil, of(RAX), false, false},
		{"prefetcht0 [rax]", "0f1808", nil, of(RAX), false, false},
		{"nop", "90", nil, of(RAX), false, false},
		{"around the end of memory", "488908", func(f *RegFile) { f.R[RAX] = ^uint64(0) - 3 }, 0, true, true},
		{"cut off", "4889", nil, of(RAX), false, false},
		{"undefined", "06", nil, of(RAX), false, false},
	} {
		t.Run(r.asm, func(t *testing.T) {
			f := atRegs()
			if r.set != nil {
				r.set(&f)
			}
			write, ok := AccessAt(unhex(t, r.code), f, r.addr)
			if write != r.write || ok != r.ok {
				t.Errorf("AccessAt(%s, %#x) = %v, %v, want %v, %v", r.code, r.addr, write, ok, r.write, r.ok)
			}
		})
	}
}
