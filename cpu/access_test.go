package cpu

import (
	"errors"
	"testing"

	"softsgx/isa"
)

func TestAccess(t *testing.T) {
	maps := func(off uint64, p func(*enclave) isa.EPCAddr, rights isa.Access) func(*enclave) {
		return func(e *enclave) { e.space[at(off)] = pte{p(e), rights} }
	}
	sgx := func(a isa.Access) uint32 { return isa.PFEC(a) | isa.PFECPresent | isa.PFECSGX }
	all := isa.Read | isa.Write | isa.Exec
	for _, row := range []struct {
		name string
		set  func(*enclave) // before the thread enters
		lin  isa.LinAddr
		a    isa.Access
		pfec uint32 // of the #PF; 0: allowed
	}{
		{"isa 423 read of own page", nil, at(offData + 5), isa.Read, 0},
		{"write of own page", nil, at(offData + 5), isa.Write, 0},
		{"fetch of own page", nil, at(offCode), isa.Exec, 0},
		{"fetch of a page without X", nil, at(offData), isa.Exec, sgx(isa.Exec)},
		{"isa 424 write to R page", nil, at(offRO + 8), isa.Write, 0x8007},
		{"isa 424 write to a restricted page", func(e *enclave) { e.restrict(offData) }, at(offData), isa.Write, 0x8007},
		{"isa 425 read of TRIM", func(e *enclave) { e.trim(offData) }, at(offData), isa.Read, 0x8005},
		{"isa 425 read of TRIM accepted", func(e *enclave) { e.trimAccepted(offData); e.exit() }, at(offData), isa.Read, 0x8005},
		{"isa 426 write to PENDING", func(e *enclave) { e.aug(offFree) }, at(offFree), isa.Write, 0x8007},
		{"isa 427 PTE read-only", func(e *enclave) { e.space[at(offData)] = pte{e.epc[offData], isa.Read} },
			at(offData), isa.Write, 0x0007},
		{"not mapped", nil, at(offFree), isa.Read, 0x0004},
		{"isa 428 at another address", maps(offFree, func(e *enclave) isa.EPCAddr { return e.epc[offData] }, all),
			at(offFree), isa.Read, 0x8005},
		{"isa 429 page of another enclave", maps(offData, func(e *enclave) isa.EPCAddr {
			return e.newEnclave(plan{}).epc[offData]
		}, all), at(offData), isa.Read, 0x8005},
		{"isa 430 ELRANGE mapped to other memory", maps(offFree, func(*enclave) isa.EPCAddr { return 0 }, all),
			at(offFree), isa.Read, 0x8005},
		{"free page", maps(offFree, func(e *enclave) isa.EPCAddr { return e.page() }, all), at(offFree), isa.Read, 0x8005},
		{"TCS", nil, at(offTCS), isa.Read, 0x8005},
		{"isa 431 BLOCKED", func(e *enclave) { must(e.t, e.c.EBLOCK(e.epc[offData])) }, at(offData), isa.Read, 0x8005},
		{"isa 434 read of ordinary memory", nil, outRIP, isa.Read, 0},
		{"isa 434 write below ELRANGE", nil, elbase - 1, isa.Write, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			if row.set != nil {
				row.set(e)
			}
			e.enter()
			err := e.lp.Access(e.space, row.lin, row.a)
			if row.pfec == 0 {
				must(t, err)
				return
			}
			var f *isa.Fault
			if !errors.As(err, &f) || f.Vector != isa.PF || f.Addr != row.lin || f.ErrorCode != row.pfec {
				t.Fatalf("%v, want %#x", err, row.pfec)
			}
		})
	}
	t.Run("isa 433 fetch outside ELRANGE", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		e.enter()
		expect(t, gp, e.lp.Access(e.space, outRIP, isa.Exec))
		expect(t, gp, e.lp.Access(e.space, at(0x100000), isa.Exec))
	})
	t.Run("outside an enclave", func(t *testing.T) {
		e := newRig(t, fullConfig()).newEnclave(plan{})
		must(t, e.lp.Access(e.space, outRIP, isa.Exec))
	})
}
