package isa

import "testing"

func TestAttributes(t *testing.T) {
	a := ATTRIBUTES{ATTR_INIT | ATTR_MODE64BIT | ATTR_KSS, 0xE7}
	if !a.Has(ATTR_INIT|ATTR_KSS) || a.Has(ATTR_INIT|ATTR_DEBUG) {
		t.Errorf("Has of %+v", a)
	}
	if got := a.And(ATTRIBUTES{^ATTR_KSS, XFRM_LEGACY}); got != (ATTRIBUTES{ATTR_INIT | ATTR_MODE64BIT, 3}) {
		t.Errorf("And = %+v", got)
	}
}

// TestFlagMasks compares the bits with masks seen on processors.
func TestFlagMasks(t *testing.T) {
	sgx1 := ATTR_DEBUG | ATTR_MODE64BIT | ATTR_PROVISIONKEY | ATTR_EINITTOKEN_KEY
	for _, r := range []struct {
		name      string
		got, want uint64
	}{
		{"isa 1.2 SGX1", sgx1, 0x36},
		{"isa 1.2 KSS", sgx1 | ATTR_KSS, 0xB6},
		{"isa 1.2 AEXNOTIFY", sgx1 | ATTR_AEXNOTIFY, 0x436},
		{"isa 1.2 both", sgx1 | ATTR_KSS | ATTR_AEXNOTIFY, 0x4B6},
	} {
		t.Run(r.name, func(t *testing.T) {
			if r.got != r.want {
				t.Errorf("%#x, want %#x", r.got, r.want)
			}
		})
	}
}
