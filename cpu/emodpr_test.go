package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestEMODPR(t *testing.T) {
	const notModifiable = isa.SGX_PAGE_NOT_MODIFIABLE
	for _, row := range []struct {
		pageRow
		flags uint64
		rwx   isa.Access // after success
	}{
		{pageRow{"isa 247 RW to R", func(*pageCall) {}, ok}, flagsR, isa.Read},
		{pageRow{"type in SECINFO ignored", func(*pageCall) {}, ok}, 0x101, isa.Read},
		{pageRow{"to nothing", func(*pageCall) {}, ok}, flagsNone, 0},
		{pageRow{"RBX misaligned", func(x *pageCall) { x.si.Addr += 32 }, gp}, flagsR, 0},
		{pageRow{"RCX misaligned", func(x *pageCall) { x.p += 8 }, gp}, flagsR, 0},
		{pageRow{"RCX outside EPC", func(x *pageCall) { x.p = outsideEPC }, pfPage}, flagsR, 0},
		{pageRow{"isa 248 W without R", func(*pageCall) {}, gp}, 0x202, 0},
		{pageRow{"isa 249 SECINFO reserved", func(x *pageCall) { x.si.Bytes[63] = 1 }, gp}, flagsR, 0},
		{pageRow{"isa 249 SECINFO flags bit 6", func(*pageCall) {}, gp}, flagsR | 1<<6, 0},
		{pageRow{"in use", func(x *pageCall) { x.holdExclusive(x.p) }, gp}, flagsR, 0},
		{pageRow{"shared", func(x *pageCall) { x.holdShared(x.p) }, ok}, flagsR, isa.Read},
		{pageRow{"isa 250 PENDING", func(x *pageCall) { x.p = x.aug(offFree) }, code(notModifiable)}, flagsR, 0},
		{pageRow{"isa 251 TRIM not accepted", func(x *pageCall) { x.trim(offData) }, code(notModifiable)}, flagsR, 0},
		{pageRow{"isa 252 TRIM accepted", func(x *pageCall) { x.trimAccepted(offData) }, pfPage}, flagsR, 0},
		{pageRow{"isa 253 TCS", func(x *pageCall) { x.p = x.epc[offTCS] }, pfPage}, flagsR, 0},
		{pageRow{"SECS", func(x *pageCall) { x.p = x.secs }, pfPage}, flagsR, 0},
		{pageRow{"VA page", func(x *pageCall) { x.p = x.va() }, pfPage}, flagsR, 0},
		{pageRow{"isa 254 uninitialised", func(x *pageCall) { x.p = x.create(plan{}).add(0, flagsRW, nil) }, gp}, flagsR, 0},
		{pageRow{"isa 255 free page", func(x *pageCall) { x.p = x.page() }, pfPage}, flagsR, 0},
		{pageRow{"isa 256 rights not held", func(*pageCall) {}, ok}, flagsRX, isa.Read},
		{pageRow{"isa 257 sgx2 lock held", func(x *pageCall) { x.holdSGX2(x.p) }, code(isa.SGX_EPC_PAGE_CONFLICT)}, flagsR, 0},
		{pageRow{"isa 258 twice", func(x *pageCall) { must(x.t, x.c.EMODPR(x.si, x.p)) }, ok}, flagsR, isa.Read},
		{pageRow{"thread inside", func(x *pageCall) { x.enter() }, ok}, flagsR, isa.Read},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newPageCall(t)
			x.si = secinfo(row.flags)
			row.set(x)
			want := x.c.EPCM(x.p)
			expect(t, x.resolve(row.want), x.c.EMODPR(x.si, x.p))
			if row.want == ok {
				want.RWX, want.PR = row.rwx, true
			}
			if got := x.c.EPCM(x.p); got != want {
				t.Fatalf("EPCM %+v, want %+v", got, want)
			}
		})
	}
}
