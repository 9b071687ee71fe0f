package driver

import (
	"crypto/sha256"
	"testing"
	"time"

	"softsgx/isa"
	"softsgx/uapi"
)

// TestHardwareCreate: what only ECREATE refuses.
func TestHardwareCreate(t *testing.T) {
	byteAt := func(i int) func(*isa.SECS, []byte) { return func(_ *isa.SECS, b []byte) { b[i] = 1 } }
	field := func(f func(*isa.SECS)) func(*isa.SECS, []byte) {
		return func(s *isa.SECS, b []byte) {
			f(s)
			image, _ := s.MarshalBinary()
			copy(b, image)
		}
	}
	rows := []struct {
		name  string
		spoil func(s *isa.SECS, image []byte)
	}{
		{"driver 83/one page", field(func(s *isa.SECS) { s.SIZE = isa.PageSize })},
		{"driver 84/base", field(func(s *isa.SECS) { s.BASEADDR += isa.LinAddr(size / 2) })},
		{"driver 85/xfrm without x87", field(func(s *isa.SECS) { s.ATTRIBUTES.XFRM = 2 })},
		{"driver 85/xfrm without SSE", field(func(s *isa.SECS) { s.ATTRIBUTES.XFRM = 1 })},
		{"driver 85/xfrm beyond XCR0", field(func(s *isa.SECS) { s.ATTRIBUTES.XFRM = 3 | 1<<9 })},
		{"driver 86/no SSA frame", field(func(s *isa.SECS) { s.SSAFRAMESIZE = 0 })},
		{"driver 87/reserved 33", byteAt(33)},
		{"driver 87/reserved 47", byteAt(47)},
		{"driver 87/reserved 96", byteAt(96)},
		{"driver 87/reserved 160", byteAt(160)},
		{"driver 87/reserved 262", byteAt(262)},
		{"driver 87/reserved 4095", byteAt(4095)},
		{"driver 87/CONFIGID without KSS", byteAt(192)},
		{"driver 88/attribute 8", field(func(s *isa.SECS) { s.ATTRIBUTES.Flags |= 1 << 8 })},
		{"driver 88/CET", field(func(s *isa.SECS) { s.ATTRIBUTES.Flags |= 1 << 6 })},
		{"driver 88/miscselect", field(func(s *isa.SECS) { s.MISCSELECT = 2 })},
		{"driver 89/INIT", field(func(s *isa.SECS) { s.ATTRIBUTES.Flags |= isa.ATTR_INIT })},
		{"driver 90/size above 64-bit maximum", field(func(s *isa.SECS) { s.BASEADDR, s.SIZE = 0, 1<<57 })},
		{"driver 90/32-bit size", field(func(s *isa.SECS) { s.BASEADDR, s.SIZE, s.ATTRIBUTES.Flags = 0, 1<<32, 0 })},
		{"driver 90/32-bit base", field(func(s *isa.SECS) { s.ATTRIBUTES.Flags = 0 })},
	}
	h := newHardware(t, 64)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			h.t = t
			secs := newSECS()
			image, _ := secs.MarshalBinary()
			r.spoil(secs, image)
			copy(h.c.find(dataAddr).b, image)
			free := h.free()
			h.want(h.ioctl(uapi.SGX_IOC_ENCLAVE_CREATE, &uapi.EnclaveCreate{Src: dataAddr}), uapi.EIO)
			if h.free() != free || h.mem.b != nil {
				t.Errorf("%d EPC pages lost", free-h.free())
			}
		})
	}
	t.Run("driver 92, 96/then a good one", func(t *testing.T) {
		h.t = t
		free := h.free()
		h.want(h.create(newSECS()), 0)
		if free-h.free() != 2 {
			t.Errorf("%d EPC pages", free-h.free())
		}
		h.want(h.init(), 0) // driver 168
	})
}

// TestHardwareMeasurement: INIT succeeds exactly if the driver built what the
// test measured.
func TestHardwareMeasurement(t *testing.T) {
	reg := isa.NewSECINFO(isa.PT_REG, rw)
	rows := []struct {
		name  string
		build func(h *hardware)
		want  uapi.Errno
	}{
		{"driver 135/content not measured", func(h *hardware) { h.want(h.add(0, 3, reg, 0), 0) }, 0},
		{"driver 136/content measured", func(h *hardware) { h.want(h.add(0, 130, reg, 1), 0) }, 0},
		{"driver 136/a mixture", (*hardware).populate, 0},
		{"driver 136/content not as measured", func(h *hardware) {
			h.want(h.add(0, 3, reg, 1), 0)
			h.extend(0x3000, make([]byte, isa.PageSize), reg, 1)
			h.want(h.ioctl(add, h.addArg(0x3000, 1, reg)), 0)
		}, uapi.EPERM},
		{"driver 137/other order", func(h *hardware) {
			page := h.c.find(dataAddr).b[:isa.PageSize]
			for _, o := range []uint64{0x1000, 0} {
				h.extend(o, page, reg, 1)
			}
			for _, o := range []uint64{0, 0x1000} {
				h.want(h.ioctl(add, h.addArg(o, 1, reg)), 0)
			}
		}, uapi.EPERM},
		{"driver 133, 136/a failed page is not measured", func(h *hardware) {
			h.want(h.add(0, 2, reg, 1), 0)
			h.want(h.add(0x1000, 2, reg, 1), uapi.EBUSY)
			h.want(h.add(0x2000, 2, reg, 1), 0)
		}, 0},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			h := newHardware(t, 256).created()
			r.build(h)
			h.want(h.init(), r.want)
		})
	}
	t.Run("driver 97/any base", func(t *testing.T) {
		h := newHardware(t, 64)
		secs := newSECS()
		secs.BASEADDR = isa.LinAddr(3 * size)
		h.want(h.create(secs), 0)
		h.want(h.add(0, 3, reg, 1), 0)
		h.want(h.init(), 0)
	})
}

// TestHardwareShortCounts: driver 129, 130: a signal in a big run, and on from the
// count, give the enclave of one uninterrupted call.
func TestHardwareShortCounts(t *testing.T) {
	const pages = 240
	reg := isa.NewSECINFO(isa.PT_REG, rw)
	for name, short := range map[string]bool{"driver 129, 130/Linux 6.1": true, "driver 128/never short": false} {
		t.Run(name, func(t *testing.T) {
			h := newHardware(t, 512, func(_ *hardware, cfg *Config) { cfg.ShortCounts = short })
			h.created()
			calls := 0
			for a := h.addArg(0, pages, reg); a.Length > 0; calls++ {
				h.c.signal = signals(72) // after 71 pages
				h.want(h.ioctl(add, a), 0)
				a.Src, a.Offset, a.Length = a.Src+uapi.UserPtr(a.Count), a.Offset+a.Count, a.Length-a.Count
			}
			if want := map[bool]int{true: 4, false: 1}[short]; calls != want {
				t.Errorf("%d calls, want %d", calls, want)
			}
			for i := uint64(0); i < pages*isa.PageSize; i += isa.PageSize {
				h.extend(i, h.c.find(dataAddr).b[i:][:isa.PageSize], reg, 1)
			}
			h.c.repair()
			h.want(h.init(), 0)
		})
	}
}

func TestHardwareBadTCS(t *testing.T) {
	h := newHardware(t, 64).created()
	page := h.c.find(dataAddr).b
	copy(page, tcsPage(t, offSSA))
	page[100] = 1
	free := h.free()
	h.want(h.add(offTCS, 1, isa.NewSECINFO(isa.PT_TCS, 0), 1), uapi.EIO) // driver 132
	if h.free() != free {
		t.Errorf("%d EPC pages lost", free-h.free())
	}
	h.want(h.addTCS(offTCS, offSSA), 0) // driver 133
	h.want(h.init(), 0)
}

// TestHardwareBigRun: driver 140: one call adds 64 MiB.
func TestHardwareBigRun(t *testing.T) {
	const length = 64 << 20
	h := newHardware(t, length/isa.PageSize+100)
	secs := newSECS()
	secs.SIZE = 2 * length
	h.want(h.create(secs), 0)
	a := h.addArg(0, length/isa.PageSize, isa.NewSECINFO(isa.PT_REG, rw))
	a.Src, a.Flags = 1<<32, 0
	h.c.mmap(a.Src, length)
	h.want(h.ioctl(add, a), 0)
	if a.Count != length || h.e.Stats().Pages != length/isa.PageSize {
		t.Errorf("count %#x, %+v", a.Count, h.e.Stats())
	}
	if va := h.e.Stats().EPCPages - h.e.Stats().Pages - 1; va != length/isa.PageSize/vaSlots+1 {
		t.Errorf("driver 139: %d VA pages", va)
	}
	h.e.Put()
	if total, free := h.d.EPC(); total != free {
		t.Errorf("driver 19: %d EPC pages lost", total-free)
	}
}

// TestHardwareElastic: an EPC that grows looks to the driver as if it had always
// been that large.
func TestHardwareElastic(t *testing.T) {
	x := hardwareConfig(16)
	x.Elastic = true
	h := newHardwareOn(t, x).created()
	reg := isa.NewSECINFO(isa.PT_REG, rw)
	for n := range uint64(4) {
		h.want(h.add(n*200*isa.PageSize, 200, reg, 1), 0)
	}
	h.want(h.init(), 0)
	h.e.Put()
	if total, free := h.d.EPC(); total != 16+growPages || free != total {
		t.Errorf("EPC %d, free %d", total, free)
	}
}

// TestHardwareEvents: driver 161: EINIT sees an event 30 times, then none.
func TestHardwareEvents(t *testing.T) {
	x := hardwareConfig(64)
	left, rounds := 30, 0
	x.EventPending = func() bool { left--; return left >= 0 }
	h := newHardwareOn(t, x, func(_ *hardware, cfg *Config) { cfg.Sleep = func(time.Duration) { rounds++ } }).built()
	h.want(h.init(), 0)
	if left != -1 || rounds != 1 {
		t.Errorf("%d events left, %d rounds", left, rounds)
	}
}

// TestHardwareInit: what only EINIT refuses, all of which is EPERM and leaves the
// enclave CREATED.
func TestHardwareInit(t *testing.T) {
	rows := []struct {
		name   string
		before func(s *isa.SIGSTRUCT) // signing
		after  func(s *isa.SIGSTRUCT)
	}{
		{"driver 154/signature", nil, func(s *isa.SIGSTRUCT) { s.SIGNATURE[5] ^= 1 }},
		{"driver 154/modulus", nil, func(s *isa.SIGSTRUCT) { s.MODULUS[5] ^= 1 }},
		{"driver 154/q1", nil, func(s *isa.SIGSTRUCT) { s.Q1[5] ^= 1 }},
		{"driver 154/q2", nil, func(s *isa.SIGSTRUCT) { s.Q2[5] ^= 1 }},
		{"driver 154/not signed again", nil, func(s *isa.SIGSTRUCT) { s.ISVSVN++ }},
		{"driver 155/MRENCLAVE", func(s *isa.SIGSTRUCT) { s.ENCLAVEHASH[0] ^= 1 }, nil},
		{"driver 156/attributes", func(s *isa.SIGSTRUCT) { s.ATTRIBUTES.Flags ^= isa.ATTR_MODE64BIT }, nil},
		{"driver 156/xfrm", func(s *isa.SIGSTRUCT) { s.ATTRIBUTES.XFRM = 7 }, nil},
		{"driver 156/miscselect", func(s *isa.SIGSTRUCT) { s.MISCSELECT = isa.MISC_EXINFO; s.MISCMASK = isa.MISC_EXINFO }, nil},
		{"driver 157/header", func(s *isa.SIGSTRUCT) { s.HEADER[0]++ }, nil},
		{"driver 157/header 2", func(s *isa.SIGSTRUCT) { s.HEADER2[15]++ }, nil},
		{"driver 157/exponent", nil, func(s *isa.SIGSTRUCT) { s.EXPONENT = 65537 }},
		{"driver 157/reserved", func(s *isa.SIGSTRUCT) { s.Reserved44[83] = 1 }, nil},
		{"driver 157/reserved after the body", nil, func(s *isa.SIGSTRUCT) { s.Reserved1028[0] = 1 }},
		{"driver 157/ISVFAMILYID without KSS", func(s *isa.SIGSTRUCT) { s.ISVFAMILYID[0] = 1 }, nil},
	}
	h := newHardware(t, 64).built()
	good := h.sig
	good.ENCLAVEHASH = h.measured.Sum()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			h.t, h.sig = t, good
			if r.before != nil {
				r.before(&h.sig)
			}
			h.sign()
			if r.after != nil {
				r.after(&h.sig)
			}
			h.want(h.machine.init(&h.sig), uapi.EPERM)
			if _, _, initialized := h.e.Range(); initialized {
				t.Error("initialized")
			}
		})
	}
	h.t, h.sig = t, good
	h.want(h.init(), 0) // driver 158, 159
}

func TestHardwareReport(t *testing.T) {
	h := newHardware(t, 64).built()
	if _, ok := h.e.Identity(); ok {
		t.Error("identity before INIT")
	}
	h.sig.ISVPRODID, h.sig.ISVSVN = 3, 4
	h.want(h.init(), 0)
	th := h.enter(offTCS)
	report := func() (r isa.REPORT) {
		page := h.mem.Page(base + offData + 0x1000)
		clear(page[:1024]) // TARGETINFO, REPORTDATA
		if _, err := th.enclu(isa.EREPORT, base+offData+0x1000, base+offData+0x1200, base+offData+0x1400); err != nil {
			t.Fatal(err)
		}
		if err := r.UnmarshalBinary(page[0x400:]); err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := report()
	if before.MRENCLAVE != h.measured.Sum() {
		t.Error("driver 136: MRENCLAVE")
	}
	if before.MRSIGNER != sha256.Sum256(h.sig.MODULUS[:]) {
		t.Error("driver 166: MRSIGNER")
	}
	id, ok := h.e.Identity()
	want := Identity{MRENCLAVE: before.MRENCLAVE, MRSIGNER: before.MRSIGNER,
		ISVPRODID: before.ISVPRODID, ISVSVN: before.ISVSVN, ATTRIBUTES: before.ATTRIBUTES.Flags &^ isa.ATTR_INIT}
	if !ok || id != want {
		t.Errorf("identity %+v, want %+v", id, want)
	}
	h.trim(offRO, 1, false)
	th.accept(offRO, acceptTrim, isa.SGX_SUCCESS)
	_, err := h.remove(offRO, 1)
	h.want(err, 0)
	if report() != before {
		t.Error("driver 231: the REPORT changed")
	}
}
