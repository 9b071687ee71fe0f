package cpu

import (
	"testing"

	"softsgx/isa"
)

// ecreateCall is a valid ECREATE that a test spoils.
type ecreateCall struct {
	*rig
	pi   isa.PAGEINFO
	secs []byte
	info []byte
	dst  isa.EPCAddr
}

func newECREATE(t *testing.T, cfg Config) *ecreateCall {
	x := &ecreateCall{rig: newRig(t, cfg)}
	s := isa.SECS{SIZE: 0x2000, BASEADDR: 0x2000_0000, SSAFRAMESIZE: 1,
		ATTRIBUTES: isa.ATTRIBUTES{Flags: isa.ATTR_MODE64BIT, XFRM: 3}}
	x.secs, _ = s.MarshalBinary()
	x.info = make([]byte, isa.SECINFOSize)
	x.pi = isa.PAGEINFO{Addr: kernel, SRCPGE: operand(x.secs), SECINFO: operand(x.info)}
	x.dst = x.page()
	return x
}

func (x *ecreateCall) do() error { return x.c.ECREATE(&x.pi, x.dst, newMemory()) }

const outsideEPC isa.EPCAddr = 0x1000

func TestECREATE(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*ecreateCall)
		want  outcome
	}{
		{"isa 24 valid SECS", func(*ecreateCall) {}, ok},
		{"isa 25 RBX misaligned", func(x *ecreateCall) { x.pi.Addr += 8 }, gp},
		{"isa 26 RCX misaligned", func(x *ecreateCall) { x.dst += 8 }, gp},
		{"isa 27 RCX outside EPC", func(x *ecreateCall) { x.dst = outsideEPC }, epf(outsideEPC)},
		{"isa 28 SRCPGE misaligned", func(x *ecreateCall) { x.pi.SRCPGE.Addr += 64 }, gp},
		{"isa 29 SECINFO misaligned", func(x *ecreateCall) { x.pi.SECINFO.Addr += 32 }, gp},
		{"isa 30 LINADDR", func(x *ecreateCall) { x.pi.LINADDR = 0x1000 }, gp},
		{"isa 31 SECS", func(x *ecreateCall) { x.pi.SECS = x.page() }, gp},
		{"isa 32 PT_REG", func(x *ecreateCall) { put64(x.info, 0, 0x200) }, gp},
		{"isa 33 SECINFO reserved byte", func(x *ecreateCall) { x.info[63] = 1 }, gp},
		{"isa 34 SECINFO reserved bit", func(x *ecreateCall) { put64(x.info, 0, 1<<6) }, gp},
		{"isa 35 locked", func(x *ecreateCall) { x.holdShared(x.dst) }, gp},
		{"isa 37 alignment before EPC", func(x *ecreateCall) { x.pi.Addr += 8; x.dst = outsideEPC }, gp},
		{"isa 38 XFRM 1", func(x *ecreateCall) { put64(x.secs, 56, 1) }, gp},
		{"isa 39 XFRM 0", func(x *ecreateCall) { put64(x.secs, 56, 0) }, gp},
		{"isa 40 XFRM bit 63", func(x *ecreateCall) { put64(x.secs, 56, 1<<63|3) }, gp},
		{"isa 41 XFRM not enumerated", func(x *ecreateCall) { put64(x.secs, 56, 1<<8|3) }, gp},
		{"isa 42 partial AVX-512", func(x *ecreateCall) { put64(x.secs, 56, 0x27) }, gp},
		{"isa 43 MISCSELECT 0", func(x *ecreateCall) { put32(x.secs, 20, 0) }, ok},
		{"isa 44 MISCSELECT not enumerated", func(x *ecreateCall) { put32(x.secs, 20, 2) }, gp},
		{"isa 45 SSAFRAMESIZE 0", func(x *ecreateCall) { put32(x.secs, 16, 0) }, gp},
		{"isa 46 SSAFRAMESIZE 1", func(x *ecreateCall) { put32(x.secs, 16, 1) }, ok},
		{"isa 47 AVX-512, PKRU, EXINFO in a page", func(x *ecreateCall) {
			put64(x.secs, 56, 0x2E7)
			put32(x.secs, 20, isa.MISC_EXINFO)
		}, ok},
		{"isa 48 TILEDATA in a page", func(x *ecreateCall) { put64(x.secs, 56, 0x60007) }, gp},
		{"isa 49 TILEDATA in three pages", func(x *ecreateCall) {
			put64(x.secs, 56, 0x60007)
			put32(x.secs, 16, 3)
		}, ok},
		{"isa 50 BASEADDR not canonical", func(x *ecreateCall) { put64(x.secs, 8, 1<<47) }, gp},
		{"isa 51 BASEADDR above 4 GiB in 32-bit mode", func(x *ecreateCall) {
			put64(x.secs, 48, 0)
			put64(x.secs, 8, 1<<32)
		}, gp},
		{"isa 51 BASEADDR below 4 GiB in 32-bit mode", func(x *ecreateCall) { put64(x.secs, 48, 0) }, ok},
		{"isa 52 SIZE of a page", func(x *ecreateCall) { put64(x.secs, 0, 0x1000) }, gp},
		{"isa 53 SIZE not a power of two", func(x *ecreateCall) { put64(x.secs, 0, 0x3000) }, gp},
		{"isa 54 SIZE too large", func(x *ecreateCall) {
			put64(x.secs, 0, 1<<(maxSize64+1))
			put64(x.secs, 8, 0)
		}, gp},
		{"isa 54 SIZE too large in 32-bit mode", func(x *ecreateCall) {
			put64(x.secs, 48, 0)
			put64(x.secs, 0, 1<<(maxSize32+1))
			put64(x.secs, 8, 0)
		}, gp},
		{"isa 55 BASEADDR misaligned", func(x *ecreateCall) { put64(x.secs, 8, 0x2000_1000) }, gp},
		{"isa 56 INIT", func(x *ecreateCall) { x.secs[48] |= 1 }, gp},
		{"isa 57 ATTRIBUTES bit 3", func(x *ecreateCall) { x.secs[48] |= 1 << 3 }, gp},
		{"isa 59 PROVISIONKEY", func(x *ecreateCall) { x.secs[48] |= 1 << 4 }, ok},
		{"isa 60 reserved byte 40", func(x *ecreateCall) { x.secs[40] = 1 }, gp},
		{"isa 61 reserved byte 300", func(x *ecreateCall) { x.secs[300] = 1 }, gp},
		{"isa 62 CONFIGID without KSS", func(x *ecreateCall) { x.secs[192] = 1 }, gp},
		{"isa 63 CONFIGSVN without KSS", func(x *ecreateCall) { x.secs[260] = 1 }, gp},
		{"isa 64 CONFIGID with KSS", func(x *ecreateCall) { x.secs[48] |= 1 << 7; x.secs[192] = 1 }, ok},
		{"short SECS", func(x *ecreateCall) { x.pi.SRCPGE.Bytes = x.secs[:100] }, walkpf(kernel)},
		{"short SECINFO", func(x *ecreateCall) { x.pi.SECINFO.Bytes = nil }, walkpf(kernel)},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newECREATE(t, fullConfig())
			row.spoil(x)
			expect(t, row.want, x.do())
			want := EPCMEntry{}
			if row.want == ok {
				want = EPCMEntry{Valid: true, PT: isa.PT_SECS}
			}
			if got := x.c.EPCM(x.dst); got != want {
				t.Fatalf("EPCM %+v, want %+v", got, want)
			}
		})
	}
	t.Run("isa 36 target valid", func(t *testing.T) {
		x := newECREATE(t, fullConfig())
		must(t, x.do())
		expect(t, epf(x.dst), x.do())
	})
	t.Run("isa 58 KSS not enumerated", func(t *testing.T) {
		cfg := fullConfig()
		cfg.KSS = false
		x := newECREATE(t, cfg)
		x.secs[48] |= 1 << 7
		expect(t, gp, x.do())
	})
	t.Run("isa 65 EIDs differ", func(t *testing.T) {
		r := newRig(t, fullConfig())
		a, b := r.create(plan{}), r.create(plan{})
		if a.state().eid == b.state().eid {
			t.Fatal("the same EID twice")
		}
	})
	t.Run("isa 66 not measured", func(t *testing.T) {
		r := newRig(t, fullConfig())
		a := r.create(plan{})
		b := r.create(plan{base: 0x5000_0000, flags: isa.ATTR_DEBUG, misc: isa.MISC_EXINFO})
		if a.state().measurement.Sum() != b.state().measurement.Sum() {
			t.Fatal("measurements differ")
		}
	})
}
