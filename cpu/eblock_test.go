package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestEBLOCK(t *testing.T) {
	for _, row := range []pageRow{
		{"isa 185 REG", func(*pageCall) {}, ok},
		{"isa 185 uninitialised enclave", func(x *pageCall) { x.p = x.create(plan{}).add(0, flagsRW, nil) }, ok},
		{"isa 186 twice", func(x *pageCall) { must(x.t, x.c.EBLOCK(x.p)) }, code(isa.SGX_BLKSTATE)},
		{"isa 187 SECS", func(x *pageCall) { x.p = x.secs }, code(isa.SGX_PG_IS_SECS)},
		{"isa 188 VA page", func(x *pageCall) { x.p = x.va() }, code(isa.SGX_NOTBLOCKABLE)},
		{"isa 189 free page", func(x *pageCall) { x.p = x.page() }, code(isa.SGX_PG_INVLD)},
		{"isa 190 locked", func(x *pageCall) { x.holdExclusive(x.p) }, code(isa.SGX_EPC_PAGE_CONFLICT)},
		{"shared", func(x *pageCall) { x.holdShared(x.p) }, ok},
		{"isa 191 misaligned", func(x *pageCall) { x.p += 8 }, gp},
		{"isa 192 outside EPC", func(x *pageCall) { x.p = outsideEPC }, pfPage},
		{"isa 193 TRIM", func(x *pageCall) { x.trim(offData) }, ok},
		{"isa 194 PENDING", func(x *pageCall) { x.p = x.aug(offFree) }, ok},
		{"TCS", func(x *pageCall) { x.p = x.epc[offTCS] }, ok},
		{"ETRACK busy", func(x *pageCall) { x.state().tracking = true }, code(isa.SGX_ENTRYEPOCH_LOCKED)},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newPageCall(t)
			row.set(x)
			want := x.c.EPCM(x.p)
			expect(t, x.resolve(row.want), x.c.EBLOCK(x.p))
			if row.want == ok {
				want.Blocked = true
			}
			if got := x.c.EPCM(x.p); got != want {
				t.Fatalf("EPCM %+v, want %+v", got, want)
			}
		})
	}
}

func TestETRACK(t *testing.T) {
	for _, row := range []pageRow{
		{"isa 195 no thread inside", func(*pageCall) {}, ok},
		{"thread inside", func(x *pageCall) { x.enter() }, ok},
		{"isa 196 thread inside since before the last ETRACK", func(x *pageCall) { x.enter(); x.track() },
			code(isa.SGX_PREV_TRK_INCMPL)},
		{"isa 197 after that thread exits", func(x *pageCall) { x.enter(); x.track(); x.exit() }, ok},
		{"isa 197 after it comes back", func(x *pageCall) { x.enter(); x.track(); x.exit(); x.enter() }, ok},
		{"isa 198 REG", func(x *pageCall) { x.p = x.epc[offData] }, pfPage},
		{"VA page", func(x *pageCall) { x.p = x.va() }, pfPage},
		{"isa 199 free page", func(x *pageCall) { x.p = x.page() }, pfPage},
		{"isa 200 misaligned", func(x *pageCall) { x.p += 8 }, gp},
		{"outside EPC", func(x *pageCall) { x.p = outsideEPC }, pfPage},
		{"busy", func(x *pageCall) { x.state().tracking = true }, gp},
		{"locked", func(x *pageCall) { x.holdExclusive(x.p) }, gp},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newPageCall(t)
			x.p = x.secs
			row.set(x)
			epoch := x.state().epoch
			expect(t, x.resolve(row.want), x.c.ETRACK(x.p))
			if row.want == ok {
				epoch++
			}
			if x.state().epoch != epoch {
				t.Fatalf("epoch %d", x.state().epoch)
			}
		})
	}
}
