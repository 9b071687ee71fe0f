package driver

import (
	"math/rand/v2"
	"slices"
	"testing"

	"softsgx/isa"
)

// run is what Runs calls its function with.
type run struct {
	start, end isa.LinAddr
	rights     isa.Access
}

func (m *machine) runs(start, end isa.LinAddr) (runs []run) {
	m.e.Runs(start, end, func(s, e isa.LinAddr, r isa.Access) { runs = append(runs, run{s, e, r}) })
	return runs
}

// slowRuns is Runs page by page.
func (m *machine) slowRuns(start, end isa.LinAddr) (runs []run) {
	for at := start; at < end; at += isa.PageSize {
		var rights isa.Access
		if p, _, ok := m.e.Page(at); ok {
			rights = m.cpu.rights(p)
		}
		if n := len(runs); n > 0 && runs[n-1].rights == rights {
			runs[n-1].end += isa.PageSize
			continue
		}
		runs = append(runs, run{at, at + isa.PageSize, rights})
	}
	return runs
}

func TestRuns(t *testing.T) {
	const end = base + isa.LinAddr(size)
	m := newMachine(t).initialized() // pages 0..3 RW, 4 R, 5 TCS, 6 RX
	m.fault(base+0x7000, rw)         // pending
	m.augment(0x8000, 2)
	rows := []struct {
		name       string
		start, end isa.LinAddr
		want       []run
	}{
		{"all", base, end, []run{
			{base, base + 0x4000, rw}, {base + 0x4000, base + 0x5000, isa.Read}, {base + 0x5000, base + 0x6000, 0},
			{base + 0x6000, base + 0x7000, rx}, {base + 0x7000, base + 0x8000, 0}, {base + 0x8000, base + 0xA000, rw},
			{base + 0xA000, end, 0},
		}},
		{"part of a run", base + 0x1000, base + 0x3000, []run{{base + 0x1000, base + 0x3000, rw}}},
		{"TCS", base + 0x5000, base + 0x6000, []run{{base + 0x5000, base + 0x6000, 0}}},
		{"hole", base + 0x10_0000, base + 0x20_0000, []run{{base + 0x10_0000, base + 0x20_0000, 0}}},
		{"around ELRANGE", base - 0x2000, base + 0x1000, []run{{base - 0x2000, base, 0}, {base, base + 0x1000, rw}}},
		{"below", base - 0x2000, base - 0x1000, []run{{base - 0x2000, base - 0x1000, 0}}},
		{"above", end, end + 0x1000, []run{{end, end + 0x1000, 0}}},
		{"empty", base, base, nil},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if got := m.runs(r.start, r.end); !slices.Equal(got, r.want) {
				t.Errorf("got %#x, want %#x", got, r.want)
			}
		})
	}
}

// TestRunsAreMaximal compares Runs with asking page by page, in enclaves of
// random pages.
func TestRunsAreMaximal(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rights := []isa.Access{0, isa.Read, rw, rw, rw, rx}
	for range 20 {
		m := newMachine(t).created()
		for n := 0; n < 200; n += 1 + random.IntN(3)*random.IntN(8) {
			m.add(uint64(n)*isa.PageSize, 1, isa.PT_REG, rights[random.IntN(len(rights))])
		}
		for range 50 {
			start := base + isa.LinAddr(random.IntN(220))*isa.PageSize - 0x5000
			end := start + isa.LinAddr(random.IntN(100))*isa.PageSize
			if got, want := m.runs(start, end), m.slowRuns(start, end); !slices.Equal(got, want) {
				t.Fatalf("[%#x, %#x): got %#x, want %#x", start, end, got, want)
			}
		}
	}
}

// TestLongRun: the lock is let go of within a run, which stays one.
func TestLongRun(t *testing.T) {
	const pages = runPages + 300
	m := newMachine(t, func(m *machine, cfg *Config) {
		m.cpu = newFakeCPU(2 * pages)
		cfg.CPU, cfg.Rights = m.cpu, m.cpu.rights
	})
	secs := newSECS()
	secs.SIZE = 4 * size
	m.want(m.create(secs), 0)
	for n := 0; n < pages; n += 100 {
		m.add(uint64(n)*isa.PageSize, min(100, pages-n), isa.PT_REG, rw)
	}
	const end = base + pages*isa.PageSize
	want := []run{{base, end, rw}, {end, base + isa.LinAddr(4*size), 0}}
	if got := m.runs(base, base+isa.LinAddr(4*size)); !slices.Equal(got, want) {
		t.Errorf("got %#x, want %#x", got, want)
	}
}
