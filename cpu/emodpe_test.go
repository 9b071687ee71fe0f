package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestEMODPE(t *testing.T) {
	nothing := func(*enclaveCall) {}
	for _, row := range []struct {
		name  string
		flags uint64
		set   func(*enclaveCall) // before the thread enters; the target is at offRO
		want  outcome
		rwx   isa.Access // after success
	}{
		{"isa 300 R plus W", flagsRW, nothing, ok, isa.Read | isa.Write},
		{"W alone, R is there", 0x202, nothing, ok, isa.Read | isa.Write},
		{"nothing new", flagsNone, nothing, ok, isa.Read},
		{"type in SECINFO ignored", flagsTCS | 3, nothing, ok, isa.Read | isa.Write},
		{"isa 301 PENDING", flagsRW, func(x *enclaveCall) { x.aug(offFree); x.rcx = at(offFree) }, pf(at(offFree)), 0},
		{"isa 302 TCS", flagsRW, func(x *enclaveCall) { x.rcx = at(offTCS) }, pf(at(offTCS)), 0},
		{"MODIFIED", flagsRW, func(x *enclaveCall) { x.trim(offRO) }, pf(at(offRO)), 0},
		{"BLOCKED", flagsRW, func(x *enclaveCall) { must(x.t, x.c.EBLOCK(x.epc[offRO])) }, pf(at(offRO)), 0},
		{"of another enclave", flagsRW, func(x *enclaveCall) {
			x.space[at(offRO)] = pte{x.newEnclave(plan{}).epc[offRO], isa.Read}
		}, pf(at(offRO)), 0},
		{"free page", flagsRW, func(x *enclaveCall) { x.space[at(offRO)] = pte{x.page(), isa.Read} }, pf(at(offRO)), 0},
		{"not EPC", flagsRW, func(x *enclaveCall) { x.space[at(offRO)] = pte{0, isa.Read} }, pf(at(offRO)), 0},
		{"not mapped", flagsRW, func(x *enclaveCall) { delete(x.space, at(offRO)) }, walkpf(at(offRO)), 0},
		{"PTEs read-only", flagsRW, func(x *enclaveCall) {
			x.space[at(offData)] = pte{x.epc[offData], isa.Read}
			x.space[at(offRO)] = pte{x.epc[offRO], isa.Read}
		}, ok, isa.Read | isa.Write},
		{"SECINFO not mapped", flagsRW, func(x *enclaveCall) { delete(x.space, at(offData)) }, walkpf(at(offData)), 0},
		{"at another address", flagsRW, func(x *enclaveCall) {
			x.rcx = at(offFree)
			x.space[x.rcx] = x.space[at(offRO)]
		}, pf(at(offFree)), 0},
		{"isa 303 W on a page without rights", 0x202, func(x *enclaveCall) { x.unreadable() }, gp, 0},
		{"RW on a page without rights", flagsRW, func(x *enclaveCall) { x.unreadable() }, ok, isa.Read | isa.Write},
		{"isa 304 SECINFO reserved", flagsRW | 1<<16, nothing, gp, 0},
		{"SECINFO not readable", flagsRW, func(x *enclaveCall) { x.unreadable(); x.rbx = at(offRO) }, pf(at(offRO)), 0},
		{"isa 305 RCX outside ELRANGE", flagsRW, func(x *enclaveCall) { x.rcx = at(0x100000) }, gp, 0},
		{"RBX outside ELRANGE", flagsRW, func(x *enclaveCall) { x.rbx = at(0x100000) }, gp, 0},
		{"RBX misaligned", flagsRW, func(x *enclaveCall) { x.rbx += 32 }, gp, 0},
		{"RCX misaligned", flagsRW, func(x *enclaveCall) { x.rcx += 64 }, gp, 0},
		{"isa 306 PR stays", flagsRWX, func(x *enclaveCall) { x.restrict(offRO) }, ok, isa.Read | isa.Write | isa.Exec},
		{"sgx2 lock held", flagsRW, func(x *enclaveCall) { x.holdSGX2(x.epc[offRO]) }, gp, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			x := &enclaveCall{enclave: e, rbx: at(offData), rcx: at(offRO)}
			row.set(x)
			x.enter()
			x.info(row.flags)
			p := x.space[x.rcx.Page()].epc
			want := x.c.EPCM(p)
			same(t, row.want, x.enclu(isa.EMODPE, x.rbx, x.rcx, 0))
			if row.want == ok {
				want.RWX = row.rwx
			}
			if got := x.c.EPCM(p); got != want {
				t.Fatalf("EPCM %+v, want %+v", got, want)
			}
		})
	}
}
