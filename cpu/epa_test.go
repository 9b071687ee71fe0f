package cpu

import (
	"testing"

	"softsgx/isa"
)

func TestEPA(t *testing.T) {
	for _, row := range []struct {
		pageRow
		rbx uint64
	}{
		{pageRow{"isa 181 free page", func(*pageCall) {}, ok}, 3},
		{pageRow{"isa 182 RBX 2", func(*pageCall) {}, gp}, 2},
		{pageRow{"misaligned", func(x *pageCall) { x.p += 8 }, gp}, 3},
		{pageRow{"outside EPC", func(x *pageCall) { x.p = outsideEPC }, pfPage}, 3},
		{pageRow{"isa 183 valid page", func(x *pageCall) { x.p = x.epc[offData] }, pfPage}, 3},
		{pageRow{"isa 184 locked", func(x *pageCall) { x.holdShared(x.p) }, gp}, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newPageCall(t)
			x.p = x.page()
			row.set(x)
			expect(t, x.resolve(row.want), x.c.EPA(row.rbx, x.p))
			if row.want != ok {
				return
			}
			if got := x.c.EPCM(x.p); got != (EPCMEntry{Valid: true, PT: isa.PT_VA}) {
				t.Fatalf("EPCM %+v", got)
			}
			for off := isa.EPCAddr(0); off < isa.PageSize; off += 8 {
				if v, err := x.c.EDBGRD(x.p + off); v != 0 || err != nil {
					t.Fatalf("slot %d: %#x, %v", off/8, v, err)
				}
			}
		})
	}
}
