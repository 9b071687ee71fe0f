package driver

import (
	"sync"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

// TestFault: pages that exist, and holes. initialized: pages 0..3 RW, 4 R, 5 TCS,
// 6 RX.
func TestFault(t *testing.T) {
	sgx1 := func(_ *machine, cfg *Config) { cfg.SGX2 = false }
	rows := []struct {
		name   string
		state  func(*machine) *machine
		change []func(*machine, *Config)
		at     isa.LinAddr
		vma    isa.Access
		want   FaultResult
		eaug   int
	}{
		{name: "driver 232/RW through RW", at: base, vma: rw, want: Resolved},
		{name: "driver 232/RW through R", at: base + 0x1FFF, vma: isa.Read, want: Resolved},
		{name: "driver 232/TCS", at: base + 0x5000, vma: rw, want: Resolved},
		{name: "driver 232/RX", at: base + 0x6123, vma: rx, want: Resolved},
		{name: "driver 233/R through RW", at: base + 0x4000, vma: rw, want: SIGBUS},
		{name: "driver 233/RW through RWX", at: base, vma: rwx, want: SIGBUS},
		{name: "driver 233/TCS through RX", at: base + 0x5000, vma: rx, want: SIGBUS},
		{name: "3.7/PROT_NONE asks for nothing", at: base + 0x4000, vma: 0, want: Resolved},
		{name: "driver 234/hole without SGX2", change: []func(*machine, *Config){sgx1}, at: base + 0x9000, vma: rw, want: SIGBUS},
		{name: "driver 235/hole before INIT", state: (*machine).created, at: base + 0x9000, vma: rw, want: SIGBUS},
		{name: "driver 235/EMPTY", state: func(m *machine) *machine { return m }, at: base, vma: rw, want: SIGBUS},
		{name: "driver 236, 242/hole", at: base + 0x9000, vma: rw, want: Resolved, eaug: 1},
		{name: "driver 242/hole, read only mapping", at: base + 0x9FFF, vma: isa.Read, want: Resolved, eaug: 1},
		{name: "driver 240/hole, RWX mapping", at: base + 0x9000, vma: rwx, want: Resolved, eaug: 1},
		{name: "driver 240/last page", at: base + isa.LinAddr(size) - 1, vma: rwx, want: Resolved, eaug: 1},
		{name: "driver 30, 239/below ELRANGE", at: base - 1, vma: rw, want: SIGBUS},
		{name: "driver 30, 239/above ELRANGE", at: base + isa.LinAddr(size), vma: rw, want: SIGBUS},
		{name: "driver 239/address 0", at: 0, vma: rw, want: SIGBUS},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t, r.change...)
			if r.state == nil {
				r.state = (*machine).initialized
			}
			r.state(m)
			free := m.free()
			p, got := m.e.Fault(r.at, r.vma)
			if got != r.want {
				t.Fatalf("got %v, want %v", got, r.want)
			}
			if n := m.cpu.calls[isa.EAUG]; n != r.eaug || free-m.free() != r.eaug {
				t.Errorf("%d EAUG, %d EPC pages", n, free-m.free())
			}
			if got != Resolved {
				if p != 0 {
					t.Errorf("page %#x", p)
				}
				return
			}
			if page := m.cpu.epc[p]; page == nil || page.lin != r.at.Page() {
				t.Errorf("page %#x is not that of %#x", p, r.at)
			}
			if again, res := m.e.Fault(r.at, r.vma); again != p || res != Resolved {
				t.Errorf("second fault: %#x, %v", again, res)
			}
		})
	}
}

func TestFaultBeforeInit(t *testing.T) {
	m := newMachine(t).created()
	m.add(0, 1, isa.PT_REG, rw)
	if r := m.fault(base, rw); r != Resolved {
		t.Errorf("driver 249: %v", r)
	}
}

func TestAugmentedPage(t *testing.T) {
	m := newMachine(t).initialized()
	const lin = base + 0x9000
	m.fault(lin, isa.Read)
	if _, ceiling, ok := m.e.Page(lin); !ok || ceiling != rwx {
		t.Errorf("driver 240: ceiling %v", ceiling)
	}
	m.want(m.e.MayProtect(lin, lin+0x1000, rwx, false), 0)
	if page := m.cpu.at(lin); page.pt != isa.PT_REG || !page.pending || page.rwx != rw {
		t.Errorf("driver 241: %+v", page)
	}
	if pi := m.cpu.rights(m.page(lin)); pi != 0 {
		t.Errorf("driver 236: native rights %v before EACCEPT", pi)
	}
}

func TestAugmentFails(t *testing.T) {
	rows := []struct {
		name string
		leaf isa.SystemLeaf
		err  error
		fill int // pages added before, so that a VA page is due
	}{
		{"driver 239/EAUG #GP", isa.EAUG, isa.GPFault(), 0},
		{"3.7 EAUG 7/#PF", isa.EAUG, pf, 0},
		{"3.7 EAUG 5/EPA", isa.EPA, pf, 511},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t).created()
			for i := range r.fill {
				m.add(uint64(i)*isa.PageSize, 1, isa.PT_REG, rw)
			}
			m.want(m.init(&isa.SIGSTRUCT{}), 0)
			free, stats := m.free(), m.e.Stats()
			m.cpu.fail(r.leaf, r.err)
			const lin = base + 0x80_0000
			if got := m.fault(lin, rw); got != SIGBUS {
				t.Fatal(got)
			}
			if m.free() != free || m.e.Stats() != stats {
				t.Errorf("cost %d EPC pages, %+v became %+v", free-m.free(), stats, m.e.Stats())
			}
			if got := m.fault(lin, rw); got != Resolved {
				t.Errorf("second fault: %v", got)
			}
		})
	}
}

// TestAugmentRace: many threads touch one hole. The hook is the place at which the
// threads meet: all have found the hole, none has filled it.
func TestAugmentRace(t *testing.T) {
	const threads = 8
	rows := []struct {
		name   string
		sigbus bool
		losers FaultResult
	}{
		{"driver 243/6.1", true, SIGBUS},
		{"driver 243/later", false, Resolved},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			meet := new(sync.WaitGroup)
			meet.Add(threads)
			m := newMachine(t, func(_ *machine, cfg *Config) {
				cfg.AugmentRaceSIGBUS = r.sigbus
				cfg.Hooks = &fakeHooks{during: func() { meet.Done(); meet.Wait() }, only: "Augment"}
			}).initialized()
			results := make(chan FaultResult, threads)
			for range threads {
				go func() { results <- m.fault(base+0x9000, rw) }()
			}
			count := map[FaultResult]int{}
			for range threads {
				count[<-results]++
			}
			want := map[FaultResult]int{Resolved: 1}
			want[r.losers] += threads - 1
			if count[Resolved] != want[Resolved] || count[SIGBUS] != want[SIGBUS] {
				t.Errorf("%v, want %v", count, want)
			}
			if m.cpu.calls[isa.EAUG] != 1 || m.e.Stats().Pages != 8 {
				t.Errorf("%d EAUG, %+v", m.cpu.calls[isa.EAUG], m.e.Stats())
			}
		})
	}
	t.Run("driver 243/the loser's mapping counts", func(t *testing.T) {
		m := newMachine(t).created()
		m.add(0, 1, isa.PT_REG, rw)
		m.want(m.init(&isa.SIGSTRUCT{}), 0)
		if _, r := m.e.augment(base, rwx); r != SIGBUS { // as if it had been a hole just before
			t.Error(r)
		}
	})
}

func TestFaultAfterRelease(t *testing.T) {
	m := newMachine(t).initialized()
	m.e.Put()
	for _, lin := range []isa.LinAddr{base, base + 0x9000} {
		if r := m.fault(lin, rw); r != SIGBUS {
			t.Errorf("%#x: %v", lin, r)
		}
	}
	if m.cpu.calls[isa.EAUG] != 0 {
		t.Error("EAUG into a released enclave")
	}
	m.want(m.e.MayMap(base, base+0x1000, rw, false), 0)
	m.want(m.ioctl(add, m.addArg(0, 1, isa.NewSECINFO(isa.PT_REG, rw))), uapi.EINVAL)
}
