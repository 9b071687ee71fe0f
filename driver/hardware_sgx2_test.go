package driver

import (
	"bytes"
	"errors"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

func readOnly(offset, pages uint64) *uapi.EnclaveRestrictPermissions {
	return &uapi.EnclaveRestrictPermissions{Offset: offset, Length: pages * isa.PageSize, Permissions: isa.SECINFO_R}
}

func TestHardwareAugment(t *testing.T) {
	h := newHardware(t, 64).initialized()
	th := h.enter(offTCS)
	t.Run("driver 237/EACCEPT of a hole is transparent", func(t *testing.T) {
		h.t = t
		th.accept(offHole, acceptNew, isa.SGX_SUCCESS)
		if x := h.epcm(offHole); x.Pending || x.RWX != rw || h.rights(h.page(base+offHole)) != rw {
			t.Errorf("%+v", x)
		}
	})
	t.Run("driver 236/pending until then", func(t *testing.T) {
		if r := h.fault(base+offHole+0x1000, rwx); r != Resolved {
			t.Fatal(r)
		}
		if rights := h.rights(h.page(base + offHole + 0x1000)); rights != 0 {
			t.Errorf("native rights %v", rights)
		}
	})
	t.Run("driver 200, 241/RESTRICT of a pending page", func(t *testing.T) {
		h.t = t
		a := readOnly(offHole, 2)
		h.want(h.ioctl(restrict, a), uapi.EFAULT)
		if a.Result != 20 || a.Count != 0x1000 {
			t.Errorf("result %d, count %#x", a.Result, a.Count)
		}
	})
	t.Run("driver 239/outside ELRANGE", func(t *testing.T) {
		if r := h.fault(base+isa.LinAddr(size), rwx); r != SIGBUS {
			t.Error(r)
		}
	})
}

func TestHardwareWithoutEAUG(t *testing.T) {
	h := newHardware(t, 64, func(_ *hardware, cfg *Config) { cfg.SGX2 = false }).initialized()
	th := h.enter(offTCS)
	_, err := th.enclu(isa.EACCEPT, th.secinfo(acceptNew), base+offHole, 0)
	var fault *isa.Fault
	if !errors.As(err, &fault) || fault.Vector != isa.PF || fault.ErrorCode&isa.PFECSGX != 0 || fault.Addr.Page() != base+offHole {
		t.Errorf("driver 238: EACCEPT of a hole: %v", err)
	}
}

func TestHardwareRestrict(t *testing.T) {
	h := newHardware(t, 64).initialized()
	th := h.enter(offTCS)
	const page = offData + 0x1000
	t.Run("driver 196/RW to R", func(t *testing.T) {
		h.t = t
		h.want(h.ioctl(restrict, readOnly(page, 1)), 0)
		if x := h.epcm(page); x.RWX != isa.Read || !x.PR {
			t.Errorf("%+v", x)
		}
		if runs := h.runs(base+page, base+page+0x1000); len(runs) != 1 || runs[0].rights != isa.Read {
			t.Errorf("runs %v", runs)
		}
	})
	t.Run("driver 197/EACCEPT", func(t *testing.T) {
		h.t = t
		th.accept(page, acceptRO, isa.SGX_SUCCESS)
		if h.epcm(page).PR {
			t.Error("PR is still set")
		}
	})
	t.Run("driver 198/EMODPE", func(t *testing.T) {
		h.t = t
		if _, err := th.enclu(isa.EMODPE, th.secinfo(isa.NewSECINFO(isa.PT_REG, rw).Flags), base+page, 0); err != nil {
			t.Fatal(err)
		}
		if x := h.epcm(page); x.RWX != rw {
			t.Errorf("%+v", x)
		}
	})
	t.Run("driver 199/RESTRICT never extends", func(t *testing.T) {
		h.t = t
		a := readOnly(offRO, 1)
		a.Permissions = isa.SECINFO_R | isa.SECINFO_W
		h.want(h.ioctl(restrict, a), 0)
		if x := h.epcm(offRO); x.RWX != isa.Read {
			t.Errorf("%+v", x)
		}
	})
	t.Run("driver 194/TCS", func(t *testing.T) {
		h.t = t
		h.want(h.ioctl(restrict, readOnly(offTCS2, 1)), uapi.EINVAL)
	})
}

// TestHardwareTracking: a thread that was inside before counts until it has left.
func TestHardwareTracking(t *testing.T) {
	t.Run("2.7/IPI", func(t *testing.T) {
		h := newHardware(t, 64).initialized()
		th, other := h.enter(offTCS), h.enter(offTCS2)
		for range 3 {
			h.want(h.ioctl(restrict, readOnly(offData+0x1000, 1)), 0)
			th.accept(offData+0x1000, acceptRO, isa.SGX_SUCCESS)
		}
		other.exit()
	})
	t.Run("driver 203/no IPI", func(t *testing.T) {
		h := newHardware(t, 64, func(_ *hardware, cfg *Config) { cfg.IPI = nil }).initialized()
		th := h.enter(offTCS)
		h.want(h.ioctl(restrict, readOnly(offData+0x1000, 1)), 0)
		th.accept(offData+0x1000, acceptRO, isa.SGX_NOT_TRACKED)
		a := readOnly(offRO, 1)
		h.want(h.ioctl(restrict, a), uapi.EFAULT)
		if a.Result != 0 || a.Count != 0 {
			t.Errorf("result %d, count %#x", a.Result, a.Count)
		}
		th.exit()
		h.want(h.ioctl(restrict, readOnly(offRO, 1)), 0)
		h.enter(offTCS).accept(offData+0x1000, acceptRO, isa.SGX_SUCCESS)
	})
}

func TestHardwareTCS(t *testing.T) {
	h := newHardware(t, 64).initialized()
	th := h.enter(offTCS)
	th.accept(offHole, acceptNew, isa.SGX_SUCCESS)
	t.Run("driver 219/content that is no TCS", func(t *testing.T) {
		h.t = t
		th.accept(offHole+0x1000, acceptNew, isa.SGX_SUCCESS)
		copy(h.mem.Page(base+offHole+0x1000), bytes.Repeat([]byte{0xFF}, isa.PageSize))
		h.want(h.ioctl(modify, modifyArg(offHole+0x1000, 1, isa.PT_TCS)), 0)
		_, err := th.enclu(isa.EACCEPT, th.secinfo(acceptTCS), base+offHole+0x1000, 0)
		var fault *isa.Fault
		if !errors.As(err, &fault) || fault.Vector != isa.GP {
			t.Errorf("EACCEPT: %v", err)
		}
	})
	t.Run("driver 207/REG to TCS", func(t *testing.T) {
		h.t = t
		copy(h.mem.Page(base+offHole), tcsPage(t, offSSA2))
		h.want(h.ioctl(modify, modifyArg(offHole, 1, isa.PT_TCS)), 0)
		th.accept(offHole, acceptTCS, isa.SGX_SUCCESS)
		h.enter(offHole).exit()
	})
	t.Run("driver 209, 224/TCS to TRIM, removed", func(t *testing.T) {
		h.t = t
		h.want(h.ioctl(modify, modifyArg(offHole, 1, isa.PT_TRIM)), 0)
		th.accept(offHole, acceptTrim, isa.SGX_SUCCESS)
		_, err := h.remove(offHole, 1)
		h.want(err, 0)
	})
}

func TestHardwareRemove(t *testing.T) {
	h := newHardware(t, 64).initialized()
	th := h.enter(offTCS)
	const page = offData + 0x1000
	copy(h.mem.Page(base+page), "secret")
	t.Run("driver 220, 223/TRIM not accepted", func(t *testing.T) {
		h.t = t
		h.trim(page, 1, false)
		_, err := h.remove(page, 1)
		h.want(err, uapi.EPERM)
	})
	t.Run("driver 215/no rights", func(t *testing.T) {
		if rights := h.rights(h.page(base + page)); rights != 0 {
			t.Errorf("native rights %v", rights)
		}
	})
	t.Run("driver 224, 229/accepted, a thread inside", func(t *testing.T) {
		h.t = t
		th.accept(page, acceptTrim, isa.SGX_SUCCESS)
		free := h.free()
		count, err := h.remove(page, 1)
		h.want(err, 0)
		if count != 0x1000 || h.free() != free+1 {
			t.Errorf("count %#x, %d EPC pages came back", count, h.free()-free)
		}
	})
	t.Run("driver 216, 227/a hole", func(t *testing.T) {
		if runs := h.runs(base+page, base+page+0x1000); len(runs) != 1 || runs[0].rights != 0 {
			t.Errorf("runs %v", runs)
		}
	})
	t.Run("driver 228/augmented again, zero", func(t *testing.T) {
		h.t = t
		th.accept(page, acceptNew, isa.SGX_SUCCESS)
		if !bytes.Equal(h.mem.Page(base+page), make([]byte, isa.PageSize)) {
			t.Error("the old content is there")
		}
	})
	t.Run("driver 19/release", func(t *testing.T) {
		th.lp.Abandon()
		h.e.Put()
		if total, free := h.d.EPC(); total != free {
			t.Errorf("%d EPC pages lost", total-free)
		}
	})
}

// TestHardwareLostEPC: driver 278: after the EPC is lost the enclave cannot be
// built any more, a new one can.
func TestHardwareLostEPC(t *testing.T) {
	h := newHardware(t, 64).built()
	secs := h.e.secs.addr()
	for off := uint64(0); off < 0x10000; off += isa.PageSize {
		if p, _, ok := h.e.Page(base + isa.LinAddr(off)); ok {
			if err := h.cpu.EREMOVE(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := h.cpu.EREMOVE(secs); err != nil {
		t.Fatal(err)
	}
	h.want(h.add(offHole, 1, isa.NewSECINFO(isa.PT_REG, rw), 1), uapi.EIO)
	h.want(h.init(), uapi.EIO)
	h.e.Put()
	h.e = h.d.Open(h.mem)
	h.initialized()
}
