package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestEMODT(t *testing.T) {
	conflict := code(isa.SGX_EPC_PAGE_CONFLICT)
	tcs := func(x *pageCall) { x.p = x.epc[offTCS] }
	for _, row := range []struct {
		pageRow
		flags uint64
	}{
		{pageRow{"isa 259 REG to TCS", func(*pageCall) {}, ok}, flagsTCS},
		{pageRow{"rights in SECINFO ignored", func(*pageCall) {}, ok}, flagsTCS | 7},
		{pageRow{"isa 260 REG to TRIM", func(*pageCall) {}, ok}, flagsTRIM},
		{pageRow{"isa 261 TCS to TRIM", tcs, ok}, flagsTRIM},
		{pageRow{"isa 262 TCS to TCS", tcs, pfPage}, flagsTCS},
		{pageRow{"isa 263 TRIM to TRIM", func(x *pageCall) { x.trim(offData) }, pfPage}, flagsTRIM},
		{pageRow{"isa 264 to REG", func(*pageCall) {}, gp}, flagsRW},
		{pageRow{"to SECS", func(*pageCall) {}, gp}, 0},
		{pageRow{"to VA", func(*pageCall) {}, gp}, 0x300},
		{pageRow{"SECINFO reserved", func(x *pageCall) { x.si.Bytes[8] = 1 }, gp}, flagsTRIM},
		{pageRow{"RBX misaligned", func(x *pageCall) { x.si.Addr += 32 }, gp}, flagsTRIM},
		{pageRow{"RCX misaligned", func(x *pageCall) { x.p += 8 }, gp}, flagsTRIM},
		{pageRow{"RCX outside EPC", func(x *pageCall) { x.p = outsideEPC }, pfPage}, flagsTRIM},
		{pageRow{"isa 265 PENDING", func(x *pageCall) { x.p = x.aug(offFree) }, code(isa.SGX_PAGE_NOT_MODIFIABLE)}, flagsTRIM},
		{pageRow{"TCS not accepted", func(x *pageCall) { must(x.t, x.c.EMODT(secinfo(flagsTCS), x.p)) },
			code(isa.SGX_PAGE_NOT_MODIFIABLE)}, flagsTRIM},
		{pageRow{"isa 266 PR to TRIM", func(x *pageCall) { must(x.t, x.c.EMODPR(secinfo(flagsR), x.p)) }, ok}, flagsTRIM},
		{pageRow{"isa 267 shared", func(x *pageCall) { x.holdShared(x.p) }, conflict}, flagsTRIM},
		{pageRow{"isa 267 sgx2 lock held", func(x *pageCall) { x.holdSGX2(x.p) }, conflict}, flagsTRIM},
		{pageRow{"isa 268 uninitialised", func(x *pageCall) { x.p = x.create(plan{}).add(0, flagsRW, nil) }, gp}, flagsTRIM},
		{pageRow{"isa 269 free page", func(x *pageCall) { x.p = x.page() }, pfPage}, flagsTRIM},
		{pageRow{"SECS", func(x *pageCall) { x.p = x.secs }, pfPage}, flagsTRIM},
		{pageRow{"VA page", func(x *pageCall) { x.p = x.va() }, pfPage}, flagsTRIM},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newPageCall(t)
			x.si = secinfo(row.flags)
			row.set(x)
			want := x.c.EPCM(x.p)
			expect(t, x.resolve(row.want), x.c.EMODT(x.si, x.p))
			if row.want == ok {
				want.PT, want.RWX, want.Modified, want.PR = isa.PageType(row.flags>>8), 0, true, false
			}
			if got := x.c.EPCM(x.p); got != want {
				t.Fatalf("EPCM %+v, want %+v", got, want)
			}
		})
	}
}
