package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestGates(t *testing.T) {
	noSGX := func(cfg *Config) { cfg.FeatureControl = isa.FEATURE_CONTROL_LOCK }
	for _, row := range []struct {
		name string
		cfg  func(*Config)
		do   func(*rig) error
		want outcome
	}{
		{"isa 4 FEATURE_CONTROL not locked", func(cfg *Config) { cfg.FeatureControl = isa.FEATURE_CONTROL_SGX },
			func(r *rig) error { return r.c.EPA(3, r.page()) }, gp},
		{"isa 5 SGX not enabled", noSGX, func(r *rig) error { return r.c.EPA(3, r.page()) }, gp},
		{"isa 7 EAUG on SGX1", func(cfg *Config) { cfg.SGX2 = false },
			func(r *rig) error { return r.c.EAUG(&isa.PAGEINFO{Addr: kernel}, r.page()) }, gp},
		{"isa 7 EMODPR on SGX1", func(cfg *Config) { cfg.SGX2 = false },
			func(r *rig) error { return r.c.EMODPR(secinfo(flagsR), r.page()) }, gp},
		{"isa 7 EMODT on SGX1", func(cfg *Config) { cfg.SGX2 = false },
			func(r *rig) error { return r.c.EMODT(secinfo(0x400), r.page()) }, gp},
		{"isa 21 WRMSR 8CH, launch control locked", func(cfg *Config) {
			cfg.FeatureControl = isa.FEATURE_CONTROL_LOCK | isa.FEATURE_CONTROL_SGX
		}, func(r *rig) error { return r.c.WRMSR(isa.IA32_SGXLEPUBKEYHASH0, 1) }, gp},
		{"isa 22 WRMSR 3AH", nil, func(r *rig) error { return r.c.WRMSR(isa.IA32_FEATURE_CONTROL, 1) }, gp},
		{"WRMSR of no SGX MSR", nil, func(r *rig) error { return r.c.WRMSR(0x90, 1) }, gp},
		{"RDMSR of no SGX MSR", nil, func(r *rig) error { _, err := r.c.RDMSR(0x90); return err }, gp},
		{"WRMSRLEPubKeyHash 4", nil, func(r *rig) error { return r.c.WRMSRLEPubKeyHash(4, 1) }, gp},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := fullConfig()
			if row.cfg != nil {
				row.cfg(&cfg)
			}
			expect(t, row.want, row.do(newRig(t, cfg)))
		})
	}
}

// TestENCLSDisabled calls every system leaf on a processor without SGX.
func TestENCLSDisabled(t *testing.T) {
	cfg := fullConfig()
	cfg.FeatureControl = isa.FEATURE_CONTROL_LOCK
	c := newRig(t, cfg).c
	var pi isa.PAGEINFO
	var op isa.Operand
	for name, do := range map[string]func() error{
		"ECREATE": func() error { return c.ECREATE(&pi, 0, nil) }, "EADD": func() error { return c.EADD(&pi, 0) },
		"EEXTEND": func() error { return c.EEXTEND(cfg.Base, cfg.Base) },
		"EINIT":   func() error { return c.EINIT(op, 0, op) },
		"EREMOVE": func() error { return c.EREMOVE(0) }, "EPA": func() error { return c.EPA(3, 0) },
		"EBLOCK": func() error { return c.EBLOCK(0) }, "ETRACK": func() error { return c.ETRACK(0) },
		"EWB": func() error { return c.EWB(&pi, 0, 0) }, "ELDB": func() error { return c.ELDB(&pi, 0, 0) },
		"ELDU": func() error { return c.ELDU(&pi, 0, 0) }, "EAUG": func() error { return c.EAUG(&pi, 0) },
		"EMODPR": func() error { return c.EMODPR(op, 0) }, "EMODT": func() error { return c.EMODT(op, 0) },
		"EDBGRD": func() error { _, err := c.EDBGRD(0); return err },
		"EDBGWR": func() error { return c.EDBGWR(0, 0) },
	} {
		t.Run("isa 5 "+name, func(t *testing.T) { expect(t, gp, do()) })
	}
}

func TestENCLUGates(t *testing.T) {
	outside := func(leaf uint64) func(*enclave) { return func(e *enclave) { e.outside(isa.Leaf(leaf)) } }
	inside := func(leaf uint64) func(*enclave) {
		return func(e *enclave) { e.enter(); e.regs.RAX = leaf; e.regs.RBX = uint64(e.lin(offTCS)) }
	}
	for _, row := range []struct {
		name string
		cfg  func(*Config)
		set  func(*enclave)
		want outcome
	}{
		{"isa 12 leaf 10", nil, inside(10), gp},
		{"isa 12 leaf 10 outside", nil, outside(10), gp},
		{"EVERIFYREPORT2 not enumerated", nil, inside(uint64(isa.EVERIFYREPORT2)), gp},
		{"isa 13 EDECCSSA not enumerated", func(cfg *Config) { cfg.AEXNotify = false }, inside(uint64(isa.EDECCSSA)), gp},
		{"EACCEPT on SGX1", func(cfg *Config) { cfg.SGX2 = false }, inside(uint64(isa.EACCEPT)), gp},
		{"EACCEPTCOPY on SGX1", func(cfg *Config) { cfg.SGX2 = false }, inside(uint64(isa.EACCEPTCOPY)), gp},
		{"EMODPE on SGX1", func(cfg *Config) { cfg.SGX2 = false }, inside(uint64(isa.EMODPE)), gp},
		{"isa 14 EENTER inside", nil, inside(uint64(isa.EENTER)), gp},
		{"isa 15 ERESUME inside", nil, inside(uint64(isa.ERESUME)), gp},
		{"isa 16 EREPORT outside", nil, outside(uint64(isa.EREPORT)), gp},
		{"isa 16 EGETKEY outside", nil, outside(uint64(isa.EGETKEY)), gp},
		{"isa 16 EEXIT outside", nil, outside(uint64(isa.EEXIT)), gp},
		{"isa 16 EACCEPT outside", nil, outside(uint64(isa.EACCEPT)), gp},
		{"isa 16 EMODPE outside", nil, outside(uint64(isa.EMODPE)), gp},
		{"isa 16 EACCEPTCOPY outside", nil, outside(uint64(isa.EACCEPTCOPY)), gp},
		{"isa 16 EDECCSSA outside", nil, outside(uint64(isa.EDECCSSA)), gp},
		{"isa 8 upper half of RAX ignored", nil, outside(0xDEAD_0000_0000_0002), ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := fullConfig()
			if row.cfg != nil {
				row.cfg(&cfg)
			}
			e := newRig(t, cfg).newEnclave(plan{})
			row.set(e)
			if row.want == ok {
				e.regs.RAX = 0xDEAD_0000_0000_0000 | e.regs.RAX
			}
			expect(t, row.want, e.lp.ENCLU(e.ctx()))
		})
	}
	t.Run("isa 11 SGX not enabled", func(t *testing.T) {
		cfg := fullConfig()
		cfg.FeatureControl = isa.FEATURE_CONTROL_LOCK
		lp := newRig(t, cfg).c.NewLP()
		expect(t, gp, lp.ENCLU(&Context{Regs: &Regs{RAX: uint64(isa.EENTER)}, Space: space{}}))
	})
}

func TestCPUID(t *testing.T) {
	sgx1 := fullConfig()
	sgx1.SGX2, sgx1.KSS, sgx1.EXINFO, sgx1.AEXNotify = false, false, false, false
	off := fullConfig()
	off.FeatureControl = isa.FEATURE_CONTROL_LOCK
	native := [4]uint32{1, 2, 3, 4}
	for _, row := range []struct {
		name          string
		cfg           Config
		leaf, subleaf uint32
		want          [4]uint32
	}{
		{"isa 17 12H.0 with SGX1 only", sgx1, 0x12, 0, [4]uint32{1, 0, 0, 0x381F}},
		{"12H.0 with everything", fullConfig(), 0x12, 0, [4]uint32{0x803, 1, 0, 0x381F}},
		{"isa 18 12H.2", fullConfig(), 0x12, 2, [4]uint32{1, 1, 0x200001, 0}},
		{"isa 18 12H.3", fullConfig(), 0x12, 3, [4]uint32{}},
		{"isa 19 12H.1", fullConfig(), 0x12, 1, [4]uint32{0x4B6, 0, 0x602FF, 0}},
		{"isa 19 12H.1 with SGX1 only", sgx1, 0x12, 1, [4]uint32{0x36, 0, 0x602FF, 0}},
		{"12H without SGX", off, 0x12, 0, [4]uint32{}},
		{"highest leaf and vendor", fullConfig(), 0, 0, [4]uint32{0x12, 0x756e6547, 0x6c65746e, 0x49656e69}},
		{"7.0", fullConfig(), 7, 0, [4]uint32{1, 2 | 1<<2, 3 | 1<<30, 4}},
		{"7.1 is native", fullConfig(), 7, 1, native},
		{"1 is native", fullConfig(), 1, 0, native},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := newRig(t, row.cfg).c.CPUID(row.leaf, row.subleaf, native); got != row.want {
				t.Fatalf("%#x, want %#x", got, row.want)
			}
		})
	}
}

func TestMSR(t *testing.T) {
	r := newRig(t, fullConfig())
	t.Run("isa 23 reset values", func(t *testing.T) {
		for i, want := range isa.SGXLEPUBKEYHASHReset {
			if v, err := r.c.RDMSR(isa.IA32_SGXLEPUBKEYHASH0 + uint32(i)); err != nil || v != want {
				t.Fatalf("MSR %d: %#x, %v", i, v, err)
			}
		}
	})
	t.Run("isa 20 written and read", func(t *testing.T) {
		must(t, r.c.WRMSR(isa.IA32_SGXLEPUBKEYHASH0+2, 0x1234))
		if v, err := r.c.RDMSR(isa.IA32_SGXLEPUBKEYHASH0 + 2); err != nil || v != 0x1234 {
			t.Fatalf("%#x, %v", v, err)
		}
	})
	t.Run("3AH", func(t *testing.T) {
		if v, err := r.c.RDMSR(isa.IA32_FEATURE_CONTROL); err != nil || v != 0x60001 {
			t.Fatalf("%#x, %v", v, err)
		}
	})
}

func TestNew(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*Config)
	}{
		{"misaligned base", func(cfg *Config) { cfg.Base = 0x1008 }},
		{"no pages", func(cfg *Config) { cfg.Pages = 0 }},
		{"no SSE", func(cfg *Config) { cfg.XLayout.XCR0 = 1 }},
		{"no entropy", func(cfg *Config) { cfg.Entropy = noEntropy{} }},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := fullConfig()
			row.spoil(&cfg)
			if _, err := New(cfg); err == nil {
				t.Fatal("accepted")
			}
		})
	}
}

type noEntropy struct{}

func (noEntropy) Read([]byte) (int, error) { return 0, errDead }

func TestGrow(t *testing.T) {
	cfg := fullConfig()
	cfg.Pages = 2
	c := newRig(t, cfg).c
	c.Grow(10)
	if s := c.Sections(); len(s) != 1 || s[0] != (Section{cfg.Base, 2}) {
		t.Fatalf("a fixed EPC grew: %v", s)
	}
	cfg.Elastic = true
	c = newRig(t, cfg).c
	last := cfg.Base + (2+5000-1)*isa.PageSize
	expect(t, epf(last), c.EPA(3, last))
	c.Grow(5000)
	must(t, c.EPA(3, last))
	expect(t, epf(last+isa.PageSize), c.EPA(3, last+isa.PageSize))
	if s := c.Sections(); len(s) != 2 || s[1] != (Section{cfg.Base + 2*isa.PageSize, 5000}) {
		t.Fatalf("%v", s)
	}
	if r := c.CPUID(0x12, 2, [4]uint32{}); r[2] != 0x2001 {
		t.Fatalf("CPUID shows %#x", r)
	}
}
