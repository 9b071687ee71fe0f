package cpu

import (
	"bytes"
	"testing"

	"softsgx/isa"
)

// reload does ELDU into another page, which becomes the page of the pager.
func (x *pager) reload() error {
	x.p = x.page()
	pcmd := x.pcmd()
	if pt := pcmd.SECINFO.Type(); pt != isa.PT_SECS && pt != isa.PT_VA {
		x.pi.SECS = x.secs
	}
	return x.c.ELDU(&x.pi, x.p, x.slot)
}

func TestELDU(t *testing.T) {
	const flags = 0 // of PCMD.SECINFO
	pfSlot := outcome{vector: isa.PF, sgx: true, addr: 2}
	pfSECS := outcome{vector: isa.PF, sgx: true, addr: 3}
	badMAC := code(isa.SGX_MAC_COMPARE_FAIL)
	flip := func(i int, v byte) func(*pager) { return func(x *pager) { x.pi.SECINFO.Bytes[i] ^= v } }
	for _, row := range []struct {
		name string
		set  func(*pager)
		want outcome
	}{
		{"isa 220 REG", func(*pager) {}, ok},
		{"isa 223 ciphertext", func(x *pager) { x.pi.SRCPGE.Bytes[4095] ^= 1 }, badMAC},
		{"isa 224 MAC", flip(127, 1), badMAC},
		{"isa 225 LINADDR", func(x *pager) { x.pi.LINADDR += 0x1000 }, badMAC},
		{"isa 226 SECINFO without W", flip(flags, 2), badMAC},
		{"SECINFO with PENDING", flip(flags, 8), badMAC},
		{"SECINFO of a TCS", flip(flags+1, 3), badMAC},
		{"SECINFO of a SECS", flip(flags+1, 2), gp},
		{"SECINFO of type 7", flip(flags+1, 5), gp},
		{"SECINFO of a SECS, no SECS", func(x *pager) { flip(flags+1, 2)(x); x.pi.SECS = 0 }, badMAC},
		{"SECINFO reserved", flip(63, 1), badMAC},
		{"isa 227 PCMD reserved", flip(72, 1), badMAC},
		{"isa 228 PCMD.ENCLAVEID", flip(64, 1), ok},
		{"isa 229 SECS of another enclave", func(x *pager) { x.pi.SECS = x.newEnclave(plan{}).secs }, badMAC},
		{"isa 230 other slot", func(x *pager) { x.slot += 8 }, badMAC},
		{"slot of another page", func(x *pager) {
			x.slot += 8
			o := *x
			o.p, o.pi = x.epc[offData], buffers()
			o.evict()
		}, badMAC},
		{"isa 232 target valid", func(x *pager) { x.p = x.epc[offData] }, pfPage},
		{"target locked", func(x *pager) { x.holdShared(x.p) }, gp},
		{"target misaligned", func(x *pager) { x.p += 8 }, gp},
		{"target outside EPC", func(x *pager) { x.p = outsideEPC }, pfPage},
		{"isa 233 SECS outside EPC", func(x *pager) { x.pi.SECS = outsideEPC }, pfSECS},
		{"SECS is REG", func(x *pager) { x.pi.SECS = x.epc[offData] }, pfSECS},
		{"SECS locked", func(x *pager) { x.holdExclusive(x.secs) }, gp},
		{"isa 234 SECS misaligned", func(x *pager) { x.pi.SECS += 8 }, gp},
		{"isa 236 RDX in REG", func(x *pager) { x.slot = x.epc[offData] }, pfSlot},
		{"RDX in a free page", func(x *pager) { x.slot = x.page() }, pfSlot},
		{"RDX misaligned", func(x *pager) { x.slot += 4 }, gp},
		{"RDX outside EPC", func(x *pager) { x.slot = outsideEPC }, pfSlot},
		{"VA page locked", func(x *pager) { x.holdExclusive(x.slot) }, gp},
		{"slot in use by another leaf", func(x *pager) { *x.c.slot(x.slot) |= slotBusy }, gp},
		{"RBX misaligned", func(x *pager) { x.pi.Addr += 16 }, gp},
		{"PCMD misaligned", func(x *pager) { x.pi.SECINFO.Addr += 64 }, gp},
		{"SRCPGE misaligned", func(x *pager) { x.pi.SRCPGE.Addr += 8 }, gp},
		{"PCMD not readable", func(x *pager) { x.pi.SECINFO.Bytes = nil }, walkpf(kernel)},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newPager(t)
			x.evict()
			x.p, x.pi.SECS = x.page(), x.secs
			good := pager{enclave: x.enclave, p: x.p, slot: x.slot, pi: x.pi}
			good.pi.SRCPGE.Bytes = append([]byte(nil), x.pi.SRCPGE.Bytes...)
			good.pi.SECINFO.Bytes = append([]byte(nil), x.pi.SECINFO.Bytes...)
			row.set(x)
			want := row.want
			switch want {
			case pfPage:
				want = epf(x.p)
			case pfSlot:
				want = epf(x.slot)
			case pfSECS:
				want = epf(x.pi.SECS)
			}
			expect(t, want, x.c.ELDU(&x.pi, x.p, x.slot))
			if want == badMAC {
				// Nothing is lost: the right call still succeeds.
				must(t, good.c.ELDU(&good.pi, good.p, good.slot))
			} else if want != ok {
				return
			}
			if got := x.c.EPCM(good.p); got != (EPCMEntry{Valid: true, RWX: isa.Read | isa.Write, PT: isa.PT_REG, Addr: at(offMore)}) {
				t.Fatalf("EPCM %+v", got)
			}
			if good.version() != 0 || !bytes.Equal(x.peek(offMore, isa.PageSize), fill(0x22)) {
				t.Fatalf("version %#x, or contents", good.version())
			}
		})
	}
}

// TestELDStates takes pages in every state on a round trip.
func TestELDStates(t *testing.T) {
	become := func(off uint64) func(*pager) { return func(x *pager) { x.p = x.epc[off] } }
	for _, row := range []struct {
		name string
		set  func(*pager)
	}{
		{"isa 220 REG R", become(offRO)},
		{"isa 220 zero REG", become(offData)},
		{"isa 220 PENDING", func(x *pager) { x.p = x.aug(offFree) }},
		{"isa 220 PR", func(x *pager) { x.restrict(offMore) }},
		{"isa 220 TRIM MODIFIED", func(x *pager) { x.trim(offMore) }},
		{"isa 220 TRIM accepted", func(x *pager) { x.trimAccepted(offData); x.exit(); become(offData)(x) }},
		{"isa 220 TCS MODIFIED", func(x *pager) { x.become(offMore, newTCS) }},
		{"isa 220 TCS", become(offTCS)},
		{"isa 222 VA page", func(x *pager) { x.p = x.va(); *x.c.slot(x.p + 8) = 16 }},
		{"isa 222 SECS", func(x *pager) { x.p = x.create(plan{}).secs }},
	} {
		for _, blocked := range []bool{false, true} {
			name := row.name + " ELDU"
			if blocked {
				name = row.name + " ELDB"
			}
			t.Run(name, func(t *testing.T) {
				x := newPager(t)
				row.set(x)
				want := x.c.EPCM(x.p)
				contents := x.peek(uint64(want.Addr-elbase), isa.PageSize)
				x.evict()
				load := x.c.ELDU
				if blocked {
					load = x.c.ELDB
				}
				x.p = x.page()
				if want.PT != isa.PT_SECS && want.PT != isa.PT_VA {
					x.pi.SECS, want.Blocked = x.secs, blocked // isa 221
				}
				must(t, load(&x.pi, x.p, x.slot))
				if got := x.c.EPCM(x.p); got != want {
					t.Fatalf("EPCM %+v, want %+v", got, want)
				}
				if !bytes.Equal(x.peek(uint64(want.Addr-elbase), isa.PageSize), contents) {
					t.Fatal("contents differ")
				}
				if want.PT == isa.PT_VA && *x.c.slot(x.p + 8) != 16 {
					t.Fatal("a slot is lost")
				}
				expect(t, code(isa.SGX_MAC_COMPARE_FAIL), x.c.ELDU(&x.pi, x.page(), x.slot)) // isa 231
			})
		}
	}
}

func TestELDEnclave(t *testing.T) {
	t.Run("isa 235 SECS of a SECS", func(t *testing.T) {
		x := newPager(t)
		x.p = x.create(plan{}).secs
		must(t, x.ewb())
		x.pi.SECS = x.secs
		expect(t, gp, x.c.ELDU(&x.pi, x.page(), x.slot))
	})
	t.Run("isa 237 SECS to another page, then children", func(t *testing.T) {
		x := newPager(t)
		o := x.create(plan{})
		child := pager{enclave: o, p: o.add(offMore, flagsRW, fill(3)), pi: buffers(), slot: x.slot + 8}
		child.evict()
		x.p = o.secs
		x.evict()
		must(t, x.reload())
		if x.p == o.secs {
			t.Fatal("the same page")
		}
		o.secs = x.p
		must(t, child.reload())
		if !bytes.Equal(o.peek(offMore, isa.PageSize), fill(3)) {
			t.Fatal("contents differ")
		}
		must(t, o.c.EEXTENDPage(o.secs, child.p, nil))
	})
	t.Run("isa 220 a TCS in use before and after", func(t *testing.T) {
		x := newPager(t)
		x.enter()
		in := x.inside()
		must(t, x.lp.AEX(x.ctx(), Event{}))
		x.p = x.epc[offTCS]
		x.evict()
		x.outside(isa.ERESUME)
		expect(t, pf(at(offTCS)), x.lp.ENCLU(x.ctx()))
		must(t, x.reload())
		x.mapPage(offTCS, x.p)
		must(t, x.resume())
		if x.regs != in {
			t.Fatalf("%+v", x.regs)
		}
	})
	t.Run("isa 238 after reset", func(t *testing.T) {
		x := newPager(t)
		x.evict()
		cfg := fullConfig()
		other := counter(7)
		cfg.Entropy = &other
		e := newRig(t, cfg).newEnclave(plan{})
		slot := e.va()
		*e.c.slot(slot) = x.version()
		x.pi.SECS = e.secs
		expect(t, code(isa.SGX_MAC_COMPARE_FAIL), e.c.ELDU(&x.pi, e.page(), slot))
	})
	t.Run("a VA page removed with the version of a SECS", func(t *testing.T) {
		x := newPager(t)
		x.p = x.create(plan{}).secs
		x.evict()
		must(t, x.c.EREMOVE(pageOf(x.slot)))
		if len(x.c.evicted) != 0 {
			t.Fatal("the SECS is kept")
		}
	})
}

// TestELDURace loads one version twice at once: only one page may come of it.
func TestELDURace(t *testing.T) {
	for range 50 {
		x := newPager(t)
		x.evict()
		errs := make(chan error)
		for range 2 {
			pi, p := x.pi, x.page()
			pi.SECS = x.secs
			go func() { errs <- x.c.ELDU(&pi, p, x.slot) }()
		}
		a, b := <-errs, <-errs
		if (a == nil) == (b == nil) {
			t.Fatalf("%v and %v", a, b)
		}
	}
}
