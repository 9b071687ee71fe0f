package cpu

import (
	"encoding/hex"
	"testing"

	"softsgx/isa"
)

func TestEEXTEND(t *testing.T) {
	type call struct {
		*enclave
		rbx, rcx isa.EPCAddr
	}
	gpf := func(*call) outcome { return gp }
	rbx := func(x *call) outcome { return epf(x.rbx) }
	rcx := func(x *call) outcome { return epf(x.rcx) }
	for _, row := range []struct {
		name  string
		spoil func(*call)
		want  func(*call) outcome
	}{
		{"isa 100 RBX misaligned", func(x *call) { x.rbx += 256 }, gpf},
		{"isa 101 RBX outside EPC", func(x *call) { x.rbx = outsideEPC }, rbx},
		{"isa 102 RCX misaligned", func(x *call) { x.rcx += 128 }, gpf},
		{"isa 103 RCX outside EPC", func(x *call) { x.rcx = outsideEPC }, rcx},
		{"isa 104 RCX free", func(x *call) { x.rcx = x.page() }, rcx},
		{"isa 105 RCX is a SECS", func(x *call) { x.rcx = x.secs }, rcx},
		{"isa 106 RCX is a VA page", func(x *call) { x.rcx = x.va() }, rcx},
		{"isa 107 foreign SECS", func(x *call) { x.rbx = x.create(plan{}).secs }, gpf},
		{"isa 108 initialised", func(x *call) { x.initialise(plan{}) }, gpf},
		{"isa 109 measurement busy", func(x *call) { x.state().measuring = true }, gpf},
		{"EEXTEND target locked", func(x *call) { x.holdExclusive(x.rcx) }, gpf},
		{"EEXTEND target shared", func(x *call) { x.holdShared(x.rcx) }, func(*call) outcome { return ok }},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).create(plan{})
			x := &call{e, e.secs, e.add(0, flagsR, nil)}
			row.spoil(x)
			expect(t, row.want(x), x.c.EEXTEND(x.rbx, x.rcx))
		})
		t.Run(row.name+" (page)", func(t *testing.T) {
			e := newRig(t, fullConfig()).create(plan{})
			x := &call{e, e.secs, e.add(0, flagsR, nil)}
			row.spoil(x)
			expect(t, row.want(x), x.c.EEXTENDPage(x.rbx, x.rcx, nil))
		})
	}
}

func (e *enclave) mrenclave() string {
	m := e.state().measurement.Sum()
	return hex.EncodeToString(m[:])
}

// extend does EEXTEND of chunks of the page at off.
func (e *enclave) extend(off uint64, chunks ...isa.EPCAddr) {
	e.t.Helper()
	for _, i := range chunks {
		must(e.t, e.c.EEXTEND(e.secs, e.epc[off]+256*i))
	}
}

var (
	allChunks     = []isa.EPCAddr{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	reverseChunks = []isa.EPCAddr{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
)

const mrExample = "38e085969dcae1d5a7627486038e23699c5e11a5d97bd84ad288c34f9bd067e6"

func TestMeasurement(t *testing.T) {
	small := plan{size: 0x2000}
	for _, row := range []struct {
		name  string
		build func(*enclave)
		want  string
	}{
		{"ECREATE only", func(*enclave) {}, "9e197c8837c6d65632dbdd59cd7df4f1a25b68d8e4e5eb6ca3b20b05311fecb8"},
		{"isa 113 worked example", func(e *enclave) {
			e.add(0, flagsRX, nil)
			e.extend(0, allChunks...)
		}, mrExample},
		{"isa 113 worked example, whole page", func(e *enclave) {
			e.add(0, flagsRX, nil)
			e.measure(0)
		}, mrExample},
		{"isa 114 without EEXTEND", func(e *enclave) { e.add(0, flagsRX, nil) },
			"3f99cac3ea1b17cb29333f4129e9a658ff85bd679f90fdc4fd92a5e9136f59f2"},
		{"two chunks", func(e *enclave) {
			e.add(0, flagsRX, nil)
			e.extend(0, 0, 1)
		}, "ba5b6b5e7ab4b26613b90cb608cdf956d032e038d1cfaab26bca01ce682b19c2"},
		{"isa 115 RW", func(e *enclave) {
			e.add(0, flagsRW, nil)
			e.measure(0)
		}, "1f2cf80bd03ffd8bfac33f7cba128aff511c3af666b93bb66e7ef718418bdade"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).create(small)
			row.build(e)
			if got := e.mrenclave(); got != row.want {
				t.Fatalf("MRENCLAVE %s", got)
			}
		})
	}
	t.Run("isa 116 three pages", func(t *testing.T) {
		e := newRig(t, fullConfig()).create(plan{size: 0x4000})
		tcs := isa.TCS{OSSA: 0x2000, NSSA: 1, OENTRY: 0x1000, FSLIMIT: 0xFFFFFFFF, GSLIMIT: 0xFFFFFFFF}
		b, _ := tcs.MarshalBinary()
		e.add(0, flagsTCS, b)
		e.measure(0)
		code := make([]byte, isa.PageSize)
		copy(code, "\x0F\x01\xD7")
		e.add(0x1000, flagsRX, code)
		e.measure(0x1000)
		e.add(0x2000, flagsRW, nil)
		e.measure(0x2000)
		if got := e.mrenclave(); got != "a4d5d7478ae34682e318dc82a0e00a6f0520e0b5ec570f2c1024fb47ec9b3651" {
			t.Fatalf("MRENCLAVE %s", got)
		}
	})
}

func TestMeasurementOrder(t *testing.T) {
	build := func(chunks ...isa.EPCAddr) string {
		e := newRig(t, fullConfig()).create(plan{})
		e.add(0x3000, flagsRX, fill(9))
		e.extend(0x3000, chunks...)
		return e.mrenclave()
	}
	once := build(15)
	t.Run("isa 110 offset of a chunk", func(t *testing.T) {
		si := isa.SECINFO{Flags: flagsRX}
		want := blocks(1, 0x100000, func(m *sgxMeasurement) {
			m.EADD(0x3000, &si)
			m.EEXTEND(0x3F00, (*[256]byte)(fill(9)))
		})
		if once != hex.EncodeToString(want[:]) {
			t.Fatal("differs")
		}
	})
	t.Run("isa 111 a chunk twice", func(t *testing.T) {
		if build(15, 15) == once {
			t.Fatal("the second time did not count")
		}
	})
	t.Run("isa 112 reverse order", func(t *testing.T) {
		if build(allChunks...) == build(reverseChunks...) {
			t.Fatal("the order did not count")
		}
	})
	t.Run("isa 118 EREMOVE does not roll back", func(t *testing.T) {
		e := newRig(t, fullConfig()).create(plan{})
		e.add(0, flagsR, nil)
		first := e.mrenclave()
		must(t, e.c.EREMOVE(e.epc[0]))
		if e.mrenclave() != first {
			t.Fatal("EREMOVE changed the measurement")
		}
		e.add(0, flagsR, nil)
		if e.mrenclave() == first {
			t.Fatal("the second EADD did not count")
		}
	})
}
