package driver

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

// TestSourceOfSeveralVMAs: reading ahead stops where a VMA ends, wherever that is.
func TestSourceOfSeveralVMAs(t *testing.T) {
	for _, first := range []uint64{1, 63, 64, 65, 100, 128} {
		m := newMachine(t).created()
		next := m.c.mmap(dataAddr+dataSize, 200*isa.PageSize)
		for i := range next.b {
			next.b[i] = byte(i>>12) + 101
		}
		a := m.addArg(0, 200, isa.NewSECINFO(isa.PT_REG, rw))
		a.Src = dataAddr + dataSize - uapi.UserPtr(first*isa.PageSize)
		m.want(m.ioctl(add, a), 0)
		for n := range uint64(200) {
			want := byte(dataSize/isa.PageSize-first+n) + 1
			if n >= first {
				want = byte(n-first) + 101
			}
			if got := m.cpu.data[m.page(base+isa.LinAddr(n*isa.PageSize))]; got[0] != want || got[isa.PageSize-1] != want {
				t.Fatalf("%d pages in the first VMA: page %d is %d, want %d", first, n, got[0], want)
			}
		}
	}
}

// slowCaller notes copies in progress.
type slowCaller struct {
	*fakeCaller
	copying atomic.Int32
	t       *testing.T
}

func (c *slowCaller) CopyIn(p uapi.UserPtr, b []byte) error {
	if c.copying.Add(1) != 1 {
		c.t.Error("two copies at once")
	}
	defer c.copying.Add(-1)
	for range 50 {
		runtime.Gosched()
	}
	return c.fakeCaller.CopyIn(p, b)
}

// TestSourceLeavesNothingBehind: however the call ends, nobody reads the caller's
// memory afterwards.
func TestSourceLeavesNothingBehind(t *testing.T) {
	rows := []struct {
		name  string
		setup func(m *machine)
		want  uapi.Errno
	}{
		{"success", func(*machine) {}, 0},
		{"2.3 i/EADD fails", func(m *machine) { m.cpu.fail(isa.EADD, nil, pf) }, uapi.EIO},
		{"driver 120/duplicate", func(m *machine) { m.add(3*isa.PageSize, 1, isa.PT_REG, rw) }, uapi.EBUSY},
		{"driver 129/signal", func(m *machine) { m.c.signal = signals(5) }, 0},
		{"driver 121/source ends", func(m *machine) { m.c.find(dataAddr).eof = dataAddr + 70*isa.PageSize }, uapi.EFAULT},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t, func(_ *machine, cfg *Config) { cfg.ShortCounts = true }).created()
			r.setup(m)
			c := &slowCaller{fakeCaller: m.c, t: t}
			m.c.store(t, argAddr, m.addArg(0, 200, isa.NewSECINFO(isa.PT_REG, rw)))
			m.want(m.e.Ioctl(c, uint32(add), argAddr), r.want)
			if c.copying.Load() != 0 {
				t.Error("a copy goes on")
			}
		})
	}
}

// prefilledMemory keeps what is written ahead.
type prefilledMemory struct {
	fakeMemory
	pages    []isa.LinAddr
	released []isa.LinAddr
}

func (m *prefilledMemory) Prefill(lin isa.LinAddr, content []byte) {
	for ; len(content) > 0; content = content[isa.PageSize:] {
		m.pages = append(m.pages, lin)
		lin += isa.PageSize
	}
}

func (m *prefilledMemory) Release(lin isa.LinAddr) { m.released = append(m.released, lin) }

// linears are the addresses of pages [first, end) but for those in not.
func linears(first, end int, not map[int]bool) (all []isa.LinAddr) {
	for n := first; n < end; n++ {
		if !not[n] {
			all = append(all, base+isa.LinAddr(n)*isa.PageSize)
		}
	}
	return all
}

// TestPrefill: pages are written ahead, but for zero pages and for pages that exist;
// those that are not added after all are released, and no others.
func TestPrefill(t *testing.T) {
	m := newMachine(t)
	mem := &prefilledMemory{}
	m.e = m.d.Open(mem)
	m.created()
	data := m.c.find(dataAddr).b
	zero := map[int]bool{64: true, 70: true, 71: true, 127: true, 150: true}
	for n := range zero {
		clear(data[n*isa.PageSize:][:isa.PageSize])
	}
	m.add(180*isa.PageSize, 1, isa.PT_REG, rw)
	mem.pages = nil
	m.want(m.ioctl(add, m.addArg(0, 200, isa.NewSECINFO(isa.PT_REG, rw))), uapi.EBUSY)
	zero[180] = true
	if want := linears(0, 200, zero); !slices.Equal(mem.pages, want) {
		t.Errorf("written ahead: %#x, want %#x", mem.pages, want)
	}
	if want := linears(181, 200, nil); !slices.Equal(mem.released, want) {
		t.Errorf("released: %#x, want %#x", mem.released, want)
	}
}
