package isa

import "testing"

func TestSECINFOEncodings(t *testing.T) {
	for _, r := range []struct {
		name  string
		typ   PageType
		rwx   Access
		flags uint64
	}{
		{"isa 1.7 SECS", PT_SECS, 0, 0x000},
		{"isa 1.7 TCS", PT_TCS, 0, 0x100},
		{"isa 1.7 REG R--", PT_REG, Read, 0x201},
		{"isa 1.7 REG RW-", PT_REG, Read | Write, 0x203},
		{"isa 1.7 REG R-X", PT_REG, Read | Exec, 0x205},
		{"isa 1.7 REG RWX", PT_REG, Read | Write | Exec, 0x207},
		{"isa 1.7 TRIM", PT_TRIM, 0, 0x400},
	} {
		t.Run(r.name, func(t *testing.T) {
			s := NewSECINFO(r.typ, r.rwx)
			if s.Flags != r.flags {
				t.Errorf("flags %#x, want %#x", s.Flags, r.flags)
			}
			s.Flags |= SECINFO_PENDING | SECINFO_MODIFIED | SECINFO_PR
			if s.Type() != r.typ || s.RWX() != r.rwx || !s.ReservedZero() {
				t.Errorf("%v %v, reserved zero %v", s.Type(), s.RWX(), s.ReservedZero())
			}
		})
	}
}
