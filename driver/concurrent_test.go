package driver

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

// crowd runs workers, each over and over until the first one is done.
func crowd(first func(), others ...func()) {
	var done atomic.Bool
	var wg sync.WaitGroup
	for _, w := range others {
		wg.Go(func() {
			for !done.Load() {
				w()
				runtime.Gosched()
			}
		})
	}
	first()
	done.Store(true)
	wg.Wait()
}

// watchers look at an enclave in every way that asks nothing of its state.
func watchers(e *Enclave) []func() {
	return []func(){
		func() { e.Get(); e.Stats(); e.Range(); e.Put() },
		func() { e.Runs(base, base+isa.LinAddr(size), func(_, _ isa.LinAddr, _ isa.Access) {}) },
		func() { e.Page(base + offData); e.MayMap(base, base+isa.LinAddr(size), 0, false) },
		func() {
			e.Fault(base+offData, rw)
			e.Fault(base+offRO, isa.Read)
			e.MayProtect(base, base+0x1000, rw, false)
		},
		func() { e.Ioctl(nil, 0xA4FF, 0) },
	}
}

// patient repeats a call while another one holds the enclave.
func patient(call func() error) error {
	for {
		if err := call(); err != uapi.EBUSY {
			return err
		}
		runtime.Gosched()
	}
}

// TestConcurrentBuild: an enclave is built under the eyes of others. EBUSY of a
// page that exists does not occur here, so EBUSY is the flag.
func TestConcurrentBuild(t *testing.T) {
	h := newHardware(t, 1024)
	reg := isa.NewSECINFO(isa.PT_REG, rw)
	crowd(func() {
		h.want(patient(func() error { return h.create(newSECS()) }), 0)
		for n := range uint64(8) {
			a := h.addArg(offHole+n*0x10000, 16, reg)
			h.want(patient(func() error { return h.ioctl(add, a) }), 0)
			for o := uint64(0); o < a.Length; o += isa.PageSize {
				h.extend(a.Offset+o, h.c.find(dataAddr).b[o:][:isa.PageSize], reg, 1)
			}
		}
		h.sig.ENCLAVEHASH = h.measured.Sum()
		h.sign()
		h.want(patient(func() error { return h.machine.init(&h.sig) }), 0)
	}, watchers(h.e)...)
	if _, _, initialized := h.e.Range(); !initialized {
		t.Error("not initialized")
	}
}

// TestConcurrentSGX2: pages come and go while others use them.
func TestConcurrentSGX2(t *testing.T) {
	h := newHardware(t, 1024).initialized()
	th := h.enter(offTCS)
	rounds := 60
	others := append(watchers(h.e),
		func() { h.e.Fault(base+offHole, rw); h.e.Fault(base+offHole+0x8000, rwx) },
		func() { h.e.Fault(base+offHole+0x1000, isa.Read) },
	)
	crowd(func() {
		for range rounds {
			for page := range uint64(4) {
				th.accept(offHole+page*isa.PageSize, acceptNew, isa.SGX_SUCCESS)
			}
			h.settled(restrict, readOnly(offHole, 4))
			for page := range uint64(4) {
				th.accept(offHole+page*isa.PageSize, acceptRO, isa.SGX_SUCCESS)
			}
			h.settled(modify, modifyArg(offHole, 4, isa.PT_TRIM))
			for page := range uint64(4) {
				th.accept(offHole+page*isa.PageSize, acceptTrim, isa.SGX_SUCCESS)
			}
			h.settled(uapi.SGX_IOC_ENCLAVE_REMOVE_PAGES, &uapi.EnclaveRemovePages{Offset: offHole, Length: 0x4000})
		}
	}, others...)
	th.exit()
	h.e.Put()
	if total, free := h.d.EPC(); total != free {
		t.Errorf("%d EPC pages lost", total-free)
	}
}

// settled makes an SGX2 call that must work once the enclave is not busy.
func (h *hardware) settled(cmd uapi.Cmd, a argument) {
	h.t.Helper()
	h.want(patient(func() error { return h.ioctl(cmd, a) }), 0)
}

// TestConcurrentEnclaves: enclaves of one driver share its EPC and the launch key
// hash, and each INIT must see its own.
func TestConcurrentEnclaves(t *testing.T) {
	h := newHardware(t, 1024)
	h.created()
	h.want(h.add(offData, 2, isa.NewSECINFO(isa.PT_REG, rw), 1), 0)
	h.sig.ENCLAVEHASH = h.measured.Sum()
	h.sign()
	h.e.Put()
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 5 {
				one := &hardware{cpu: h.cpu, mem: &pageMemory{}, machine: &machine{t: t, d: h.d, c: newFakeCaller()}}
				one.e = h.d.Open(one.mem)
				if err := one.create(newSECS()); err != nil {
					t.Error(err)
				}
				if err := one.add(offData, 2, isa.NewSECINFO(isa.PT_REG, rw), 1); err != nil {
					t.Error(err)
				}
				if err := one.machine.init(&h.sig); err != nil {
					t.Error(err)
				}
				one.e.Put()
			}
		})
	}
	wg.Wait()
	if total, free := h.d.EPC(); total != free {
		t.Errorf("%d EPC pages lost", total-free)
	}
}

// TestConcurrentReferences: the last of many Puts releases, once.
func TestConcurrentReferences(t *testing.T) {
	m := newMachine(t).initialized()
	removed := m.cpu.calls[isa.EREMOVE]
	pages := m.e.Stats().EPCPages
	var wg sync.WaitGroup
	for range 16 {
		m.e.Get()
		wg.Go(m.e.Put)
	}
	m.e.Put()
	wg.Wait()
	if n := m.cpu.calls[isa.EREMOVE] - removed; n != pages {
		t.Errorf("%d EREMOVE for %d pages", n, pages)
	}
}
