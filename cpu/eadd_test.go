package cpu

import (
	"bytes"
	"testing"

	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// eaddCall is a valid EADD that a test spoils.
type eaddCall struct {
	*enclave
	pi  *isa.PAGEINFO
	dst isa.EPCAddr
}

func (x *eaddCall) info() []byte { return x.pi.SECINFO.Bytes }
func (x *eaddCall) src() []byte  { return x.pi.SRCPGE.Bytes }

func TestEADD(t *testing.T) {
	for _, row := range []struct {
		name  string
		flags uint64
		spoil func(*eaddCall)
		want  func(*eaddCall) outcome
	}{
		{"isa 67 RW", flagsRW, nil, nil},
		{"isa 68 RBX misaligned", flagsRW, func(x *eaddCall) { x.pi.Addr += 16 }, isGP},
		{"isa 69 LINADDR misaligned", flagsRW, func(x *eaddCall) { x.pi.LINADDR += 8 }, isGP},
		{"isa 70 SECS misaligned", flagsRW, func(x *eaddCall) { x.pi.SECS += 8 }, isGP},
		{"isa 71 SECINFO misaligned", flagsRW, func(x *eaddCall) { x.pi.SECINFO.Addr += 32 }, isGP},
		{"isa 72 SECS outside EPC", flagsRW, func(x *eaddCall) { x.pi.SECS = outsideEPC }, isSECSPF},
		{"isa 73 SECS is REG", flagsRW, func(x *eaddCall) { x.pi.SECS = x.add(0, flagsR, nil) }, isSECSPF},
		{"isa 74 SECS is free", flagsRW, func(x *eaddCall) { x.pi.SECS = x.page() }, isSECSPF},
		{"isa 75 target valid", flagsRW, func(x *eaddCall) { x.dst = x.add(0, flagsR, nil) }, isTargetPF},
		{"isa 76 target outside EPC", flagsRW, func(x *eaddCall) { x.dst = outsideEPC }, isTargetPF},
		{"isa 77 PT_SECS", 0x000, nil, isGP},
		{"isa 78 PT_VA", 0x300, nil, isGP},
		{"isa 79 PT_TRIM", 0x400, nil, isGP},
		{"isa 80 PT 7", 0x700, nil, isGP},
		{"isa 81 SECINFO reserved", flagsRW, func(x *eaddCall) { x.info()[8] = 1 }, isGP},
		{"isa 82 W without R", 0x202, nil, isGP},
		{"isa 83 X only", flagsX, nil, nil},
		{"isa 84 below ELRANGE", flagsRW, func(x *eaddCall) { x.pi.LINADDR = x.base - 0x1000 }, isGP},
		{"isa 85 above ELRANGE", flagsRW, func(x *eaddCall) { x.pi.LINADDR = x.base + 0x100000 }, isGP},
		{"isa 86 end of ELRANGE", flagsRW, func(x *eaddCall) { x.pi.LINADDR = x.base + 0xFF000 }, nil},
		{"isa 87 initialised", flagsRW, func(x *eaddCall) { x.initialise(plan{}) }, isGP},
		{"isa 88 measurement busy", flagsRW, func(x *eaddCall) { x.state().measuring = true }, isGP},
		{"isa 89 target locked", flagsRW, func(x *eaddCall) { x.holdShared(x.dst) }, isGP},
		{"EADD SECS locked", flagsRW, func(x *eaddCall) { x.holdExclusive(x.secs) }, isGP},
		{"EADD SECS shared", flagsRW, func(x *eaddCall) { x.holdShared(x.secs) }, nil},
		{"EADD PENDING", flagsRW | isa.SECINFO_PENDING, nil, isGP},
		{"EADD short source", flagsRW, func(x *eaddCall) { x.pi.SRCPGE.Bytes = nil },
			func(*eaddCall) outcome { return walkpf(kernel) }},
		{"EADD short TCS", flagsTCS, func(x *eaddCall) { x.pi.SRCPGE.Bytes = nil },
			func(*eaddCall) outcome { return walkpf(kernel) }},
		{"isa 90 TCS byte 100", flagsTCS, func(x *eaddCall) { x.src()[100] = 1 }, isGP},
		{"isa 91 TCS byte 4095", flagsTCS, func(x *eaddCall) { x.src()[4095] = 1 }, isGP},
		{"isa 95 TCS FLAGS bit 5", flagsTCS, func(x *eaddCall) { x.src()[8] = 1 << 5 }, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).create(plan{})
			x := &eaddCall{e, e.pageinfo(0x3000, row.flags, nil), e.page()}
			if row.spoil != nil {
				row.spoil(x)
			}
			want := ok
			if row.want != nil {
				want = row.want(x)
			}
			before, children := x.c.EPCM(x.dst), e.state().children
			expect(t, want, x.c.EADD(x.pi, x.dst))
			if want != ok {
				if x.c.EPCM(x.dst) != before || e.state().children != children {
					t.Fatal("a failure changed the EPCM")
				}
				return
			}
			si := isa.SECINFO{Flags: row.flags}
			got := x.c.EPCM(x.dst)
			if got != (EPCMEntry{Valid: true, RWX: si.RWX(), PT: si.Type(), Addr: x.pi.LINADDR}) {
				t.Fatalf("EPCM %+v", got)
			}
			if x.entry(x.dst).hold != 0 || e.state().measuring {
				t.Fatal("a lock is still held")
			}
		})
	}
}

func isGP(*eaddCall) outcome         { return gp }
func isSECSPF(x *eaddCall) outcome   { return epf(x.pi.SECS) }
func isTargetPF(x *eaddCall) outcome { return epf(x.dst) }

func TestEADDTCS(t *testing.T) {
	measured := func(t *testing.T, e *enclave, page []byte) {
		t.Helper()
		si := isa.NewSECINFO(isa.PT_TCS, 0)
		want := blocks(1, 0x100000, func(m *sgxcrypto.Measurement) {
			m.EADD(0, &si)
			for i := range uint64(16) {
				m.EEXTEND(i*256, (*[256]byte)(page[i*256:]))
			}
		})
		e.measure(0)
		if e.state().measurement.Sum() != want {
			t.Fatal("measurement differs")
		}
	}
	t.Run("isa 92 RWX ignored", func(t *testing.T) {
		e := newRig(t, fullConfig()).create(plan{})
		e.add(0, 0x107, nil)
		if got := e.epcm(0); got.RWX != 0 || got.PT != isa.PT_TCS {
			t.Fatalf("EPCM %+v", got)
		}
		measured(t, e, make([]byte, isa.PageSize))
	})
	t.Run("isa 93 DBGOPTIN cleared", func(t *testing.T) {
		e := newRig(t, fullConfig()).create(plan{})
		src := make([]byte, isa.PageSize)
		src[8] = 1
		e.add(0, flagsTCS, src)
		if e.peek(8, 1)[0] != 0 {
			t.Fatal("DBGOPTIN is set")
		}
		measured(t, e, make([]byte, isa.PageSize))
	})
	t.Run("isa 94 STATE, CSSA, AEP cleared", func(t *testing.T) {
		e := newRig(t, fullConfig()).create(plan{})
		src := make([]byte, isa.PageSize)
		put64(src, isa.TCSOffsetSTATE, 1)
		put32(src, isa.TCSOffsetCSSA, 5)
		put64(src, isa.TCSOffsetAEP, 0x1234)
		put64(src, isa.TCSOffsetOSSA, 0x4000)
		e.add(0, flagsTCS, src)
		want := make([]byte, isa.PageSize)
		put64(want, isa.TCSOffsetOSSA, 0x4000)
		if !bytes.Equal(e.peek(0, isa.PageSize), want) {
			t.Fatal("EPC copy differs")
		}
		// What is measured is the TCS, not what somebody wrote over its bytes.
		e.poke(0, []byte{1})
		measured(t, e, want)
	})
	for _, row := range []struct {
		name   string
		fs, gs uint32
		want   outcome
	}{
		{"isa 96 FSLIMIT 0 in 32-bit enclave", 0, 0xFFFFFFFF, gp},
		{"isa 96 GSLIMIT 0 in 32-bit enclave", 0xFFFFFFFF, 0, gp},
		{"isa 97 limits in 32-bit enclave", 0xFFFFFFFF, 0xFFFFFFFF, ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).create(plan{mode32: true, base: 0x1000_0000})
			src := make([]byte, isa.PageSize)
			put32(src, 64, row.fs)
			put32(src, 68, row.gs)
			expect(t, row.want, e.c.EADD(e.pageinfo(0, flagsTCS, src), e.page()))
		})
	}
}

func TestEADDContents(t *testing.T) {
	t.Run("isa 98 same LINADDR twice", func(t *testing.T) {
		e := newRig(t, fullConfig()).create(plan{flags: isa.ATTR_DEBUG})
		a := e.add(0, flagsRW, fill(1))
		b := e.add(0, flagsRW, fill(2))
		for p, want := range map[isa.EPCAddr]uint64{a: 0x0101010101010101, b: 0x0202020202020202} {
			if v, err := e.c.EDBGRD(p); err != nil || v != want {
				t.Fatalf("page %#x: %#x, %v", uint64(p), v, err)
			}
		}
		must(t, e.c.EREMOVE(b))
		if len(e.mem.released) != 0 || e.peek(0, 1)[0] != 1 {
			t.Fatal("the first page went with the second")
		}
		must(t, e.c.EREMOVE(a))
		if len(e.mem.released) != 1 {
			t.Fatal("memory not released")
		}
	})
	t.Run("isa 99 copied exactly", func(t *testing.T) {
		e := newRig(t, fullConfig()).create(plan{})
		src := make([]byte, isa.PageSize)
		for i := range src {
			src[i] = byte(i * 7)
		}
		e.add(0, flagsR, src)
		if !bytes.Equal(e.peek(0, isa.PageSize), src) {
			t.Fatal("contents differ")
		}
	})
	t.Run("zero source touches no memory", func(t *testing.T) {
		e := newRig(t, fullConfig()).create(plan{})
		e.add(0x5000, flagsRW, nil)
		e.mem.pages = nil // any access would panic
		e.mem.pages = map[isa.LinAddr]*[isa.PageSize]byte{}
		e.measure(0x5000)
		if len(e.mem.pages) != 0 {
			t.Fatal("EEXTEND touched a zero page")
		}
	})
}
