package isa

import (
	"fmt"
	"testing"
)

func TestNames(t *testing.T) {
	for _, r := range []struct {
		got  any
		want string
	}{
		{SGX_INVALID_EINITTOKEN, "SGX_INVALID_EINITTOKEN"},
		{Code(99), "SGX error 99"},
		{EDECCSSA, "EDECCSSA"},
		{Leaf(10), "ENCLU[0xa]"},
		{Leaf(1 << 31), "ENCLU[0x80000000]"},
		{EMODT, "EMODT"},
		{EUPDATESVN, "EUPDATESVN"},
		{SystemLeaf(0x14), "ENCLS[0x14]"},
		{SystemLeaf(0x19), "ENCLS[0x19]"},
		{PT_SS_REST, "PT_SS_REST"},
		{PageType(7), "page type 7"},
		{GPFault(), "#GP(0)"},
		{&Fault{Vector: UD}, "#UD"},
		{&Fault{Vector: NM}, "#NM"},
		{VectorName(99), "exception 99"},
		{SGXPageFault(0x1008, Write), "#PF(0x8007) at 0x1008"},
	} {
		t.Run(r.want, func(t *testing.T) {
			if got := fmt.Sprint(r.got); got != r.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestCodeNumbers(t *testing.T) {
	for _, r := range []struct {
		number uint32
		code   Code
	}{
		{7, SGX_EPC_PAGE_CONFLICT}, {16, SGX_INVALID_EINITTOKEN}, {17, SGX_PREV_TRK_INCMPL},
		{21, SGX_PAGE_NOT_DEBUGGABLE}, {25, SGX_INVALID_COUNTER}, {29, SGX_INSUFFICIENT_ENTROPY},
		{32, SGX_INVALID_CPUSVN}, {64, SGX_INVALID_ISVSVN}, {128, SGX_UNMASKED_EVENT}, {256, SGX_INVALID_KEYNAME},
	} {
		t.Run(fmt.Sprintf("isa 1.18 code %d", r.number), func(t *testing.T) {
			if uint32(r.code) != r.number {
				t.Errorf("%v is %d", r.code, uint32(r.code))
			}
		})
	}
	if len(codeNames) != 33 {
		t.Errorf("isa 1.18: %d codes", len(codeNames))
	}
}

func TestPageFaultErrorCodes(t *testing.T) {
	for _, r := range []struct {
		name   string
		access Access
		want   uint32
	}{
		{"isa 424 write", Write, 0x8007},
		{"isa 425 read", Read, 0x8005},
		{"isa 2.2 fetch", Exec, 0x8015},
	} {
		t.Run(r.name, func(t *testing.T) {
			if f := SGXPageFault(0, r.access); f.Vector != PF || f.ErrorCode != r.want {
				t.Errorf("vector %d, error code %#x", f.Vector, f.ErrorCode)
			}
		})
	}
}

func TestPage(t *testing.T) {
	if got := LinAddr(0x7FFF12345FFF).Page(); got != 0x7FFF12345000 {
		t.Errorf("%#x", uint64(got))
	}
}
