package cpu

import (
	"bytes"
	"testing"

	"softsgx/isa"
)

func TestEACCEPTCOPY(t *testing.T) {
	mismatch := code(isa.SGX_PAGE_ATTRIBUTES_MISMATCH)
	target := func(p func(*enclaveCall) isa.EPCAddr) func(*enclaveCall) {
		return func(x *enclaveCall) { x.space[x.rcx] = pte{p(x), isa.Read | isa.Write} }
	}
	for _, row := range []struct {
		name  string
		flags uint64
		set   func(*enclaveCall) // before the thread enters; a pending page is at offFree
		want  outcome
	}{
		{"isa 292 R-X", flagsRX, func(*enclaveCall) {}, ok},
		{"rights assigned, not added", flagsR, func(*enclaveCall) {}, ok},
		{"isa 293 target not pending", flagsRX, func(x *enclaveCall) { x.rcx = at(offMore) }, mismatch},
		{"target is a TCS", flagsRX, func(x *enclaveCall) { x.rcx = at(offTCS) }, mismatch},
		{"target of another enclave", flagsRX, target(func(x *enclaveCall) isa.EPCAddr {
			return x.newEnclave(plan{}).aug(offFree)
		}), mismatch},
		{"target is free", flagsRX, target(func(x *enclaveCall) isa.EPCAddr { return x.page() }), mismatch},
		{"target BLOCKED", flagsRX, func(x *enclaveCall) { must(x.t, x.c.EBLOCK(x.epc[offFree])) }, mismatch},
		{"target not EPC", flagsRX, target(func(*enclaveCall) isa.EPCAddr { return 0 }), pf(at(offFree))},
		{"target not mapped", flagsRX, func(x *enclaveCall) { delete(x.space, x.rcx) }, walkpf(at(offFree))},
		{"target PTE read-only", flagsRX, func(x *enclaveCall) {
			x.space[x.rcx] = pte{x.epc[offFree], isa.Read}
		}, walkpf(at(offFree))},
		{"PTEs of SECINFO and source read-only", flagsRX, func(x *enclaveCall) {
			x.space[at(offData)] = pte{x.epc[offData], isa.Read}
			x.space[at(offMore)] = pte{x.epc[offMore], isa.Read}
		}, ok},
		{"SECINFO not mapped", flagsRX, func(x *enclaveCall) { delete(x.space, at(offData)) }, walkpf(at(offData))},
		{"source not mapped", flagsRX, func(x *enclaveCall) { delete(x.space, at(offMore)) }, walkpf(at(offMore))},
		{"target sgx2 lock held", flagsRX, func(x *enclaveCall) { x.holdSGX2(x.epc[offFree]) }, gp},
		{"isa 294 PT_TCS", flagsTCS, func(*enclaveCall) {}, gp},
		{"PT_TRIM", flagsTRIM, func(*enclaveCall) {}, gp},
		{"isa 295 W without R", 0x202, func(*enclaveCall) {}, gp},
		{"SECINFO reserved", flagsRX | 1<<6, func(*enclaveCall) {}, gp},
		{"SECINFO not readable", flagsRX, func(x *enclaveCall) { x.unreadable(); x.rbx = at(offRO) }, pf(at(offRO))},
		{"isa 296 source pending", flagsRX, func(x *enclaveCall) {
			x.aug(offFree + 0x1000)
			x.rdx = at(offFree + 0x1000)
		}, pf(at(offFree + 0x1000))},
		{"isa 297 source is a TCS", flagsRX, func(x *enclaveCall) { x.rdx = at(offTCS) }, pf(at(offTCS))},
		{"source not readable", flagsRX, func(x *enclaveCall) { x.unreadable(); x.rdx = at(offRO) }, pf(at(offRO))},
		{"isa 298 RBX outside ELRANGE", flagsRX, func(x *enclaveCall) { x.rbx = elbase - 64 }, gp},
		{"isa 298 RCX outside ELRANGE", flagsRX, func(x *enclaveCall) { x.rcx = elbase - isa.PageSize }, gp},
		{"isa 298 RDX outside ELRANGE", flagsRX, func(x *enclaveCall) { x.rdx = at(0x100000) }, gp},
		{"RBX misaligned", flagsRX, func(x *enclaveCall) { x.rbx += 32 }, gp},
		{"RCX misaligned", flagsRX, func(x *enclaveCall) { x.rcx += 8 }, gp},
		{"RDX misaligned", flagsRX, func(x *enclaveCall) { x.rdx += 8 }, gp},
		{"isa 299 target at another address", flagsRX, func(x *enclaveCall) {
			x.rcx = at(offFree + 0x1000)
			x.space[x.rcx] = x.space[at(offFree)]
		}, mismatch},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			e.aug(offFree)
			x := &enclaveCall{enclave: e, rbx: at(offData), rcx: at(offFree), rdx: at(offMore)}
			row.set(x)
			x.enter()
			x.info(row.flags)
			p := x.space[x.rcx.Page()].epc
			want := x.c.EPCM(p)
			same(t, row.want, x.enclu(isa.EACCEPTCOPY, x.rbx, x.rcx, x.rdx))
			contents := make([]byte, isa.PageSize)
			if row.want == ok {
				si := isa.SECINFO{Flags: row.flags}
				want.RWX, want.Pending = si.RWX(), false
				contents = fill(0x22)
			}
			if got := x.c.EPCM(p); got != want {
				t.Fatalf("EPCM %+v, want %+v", got, want)
			}
			if !bytes.Equal(x.peek(offFree, isa.PageSize), contents) {
				t.Fatal("wrong contents")
			}
		})
	}
}
