package driver

import (
	"bytes"
	"fmt"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

const add = uapi.SGX_IOC_ENCLAVE_ADD_PAGES

// TestAddPagesArguments: what is refused before any page, without writing count.
func TestAddPagesArguments(t *testing.T) {
	reg := isa.NewSECINFO(isa.PT_REG, rw)
	flags := func(f uint64) isa.SECINFO { return isa.SECINFO{Flags: f} }
	type row struct {
		name   string
		si     isa.SECINFO
		change func(a *uapi.EnclaveAddPages)
		want   uapi.Errno
	}
	rows := []row{
		{"driver 100/src", reg, func(a *uapi.EnclaveAddPages) { a.Src++ }, uapi.EINVAL},
		{"driver 101/offset", reg, func(a *uapi.EnclaveAddPages) { a.Offset = 0x800 }, uapi.EINVAL},
		{"driver 102/length 0", reg, func(a *uapi.EnclaveAddPages) { a.Length = 0 }, uapi.EINVAL},
		{"driver 103/length", reg, func(a *uapi.EnclaveAddPages) { a.Length++ }, uapi.EINVAL},
		{"driver 104/wraps", reg, func(a *uapi.EnclaveAddPages) { a.Offset = -a.Length + isa.PageSize }, uapi.EINVAL},
		{"driver 104/wraps to 0", reg, func(a *uapi.EnclaveAddPages) { a.Offset = -a.Length }, uapi.EINVAL},
		{"driver 105/ends beyond", reg, func(a *uapi.EnclaveAddPages) { a.Offset = size - isa.PageSize }, uapi.EINVAL},
		{"driver 105/ends exactly", reg, func(a *uapi.EnclaveAddPages) { a.Offset = size - a.Length }, 0},
		{"driver 106/offset is size", reg, func(a *uapi.EnclaveAddPages) { a.Offset = size }, uapi.EINVAL},
		{"driver 107/SECINFO pointer", reg, func(a *uapi.EnclaveAddPages) { a.SECINFO = 0 }, uapi.EFAULT},
		{"driver 107/after the range", reg, func(a *uapi.EnclaveAddPages) { a.SECINFO = 0; a.Offset = size }, uapi.EINVAL},
		{"driver 108/odd SECINFO", reg, nil, 0},
		{"driver 110/W without R", isa.NewSECINFO(isa.PT_REG, isa.Write), nil, uapi.EINVAL},
		{"driver 111/X only", isa.NewSECINFO(isa.PT_REG, isa.Exec), nil, 0},
		{"driver 111/no rights", isa.NewSECINFO(isa.PT_REG, 0), nil, 0},
		{"driver 112/TCS", isa.NewSECINFO(isa.PT_TCS, 0), nil, 0},
		{"driver 115/unknown flags", reg, func(a *uapi.EnclaveAddPages) { a.Flags = 0xFFFE }, 0},
		{"driver 116/input count ignored", reg, func(a *uapi.EnclaveAddPages) { a.Count = 123 }, 0},
	}
	for pt := range 256 {
		if p := isa.PageType(pt); p != isa.PT_REG && p != isa.PT_TCS {
			rows = append(rows, row{fmt.Sprintf("driver 109/type %d", pt), isa.NewSECINFO(p, 0), nil, uapi.EINVAL})
		}
	}
	for right := isa.Access(1); right <= rwx; right++ {
		rows = append(rows, row{fmt.Sprintf("driver 112/TCS rights %d", right), isa.NewSECINFO(isa.PT_TCS, right), nil, uapi.EINVAL})
	}
	for bit := 3; bit < 64; bit++ {
		if bit < 8 || bit >= 16 {
			rows = append(rows, row{fmt.Sprintf("driver 113/bit %d", bit), flags(reg.Flags | 1<<bit), nil, uapi.EINVAL})
		}
	}
	for i := range reg.Reserved {
		si := reg
		si.Reserved[i] = 0x80
		rows = append(rows, row{fmt.Sprintf("driver 114/reserved %d", i), si, nil, uapi.EINVAL})
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t).created()
			a := m.addArg(0, 2, r.si)
			a.Count = 0xAAAA
			if r.change != nil {
				r.change(a)
			}
			before := *a
			m.want(m.ioctl(add, a), r.want)
			if r.want == 0 {
				if a.Count != a.Length {
					t.Errorf("count %#x", a.Count)
				}
				before.Count = a.Count
			}
			if *a != before { // driver 98, 117 and facts of 2.3
				t.Errorf("argument became %+v", *a)
			}
			if n := m.e.Stats().Pages; r.want != 0 && n != 0 {
				t.Errorf("%d pages added", n)
			}
		})
	}
}

func TestAddPagesState(t *testing.T) {
	t.Run("driver 98/before CREATE", func(t *testing.T) {
		m := newMachine(t)
		m.want(m.e.Ioctl(m.c, uint32(add), 0), uapi.EINVAL)
	})
	t.Run("driver 98, 167/after INIT", func(t *testing.T) {
		m := newMachine(t).initialized()
		a := m.addArg(0x20000, 1, isa.NewSECINFO(isa.PT_REG, rw))
		a.Count = 5
		m.want(m.ioctl(add, a), uapi.EINVAL)
		if a.Count != 5 {
			t.Error("count written")
		}
	})
	t.Run("driver 99/bad pointer", func(t *testing.T) {
		m := newMachine(t).created()
		m.want(m.e.Ioctl(m.c, uint32(add), 0), uapi.EFAULT)
	})
}

func TestAddPagesMeasure(t *testing.T) {
	rows := []struct {
		name  string
		flags uint64
		want  int
	}{
		{"driver 136/measured", 1, 3},
		{"driver 135/not measured", 0, 0},
		{"driver 115/0xFFFE", 0xFFFE, 0},
		{"driver 115/0xFFFF", 0xFFFF, 3},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t).created()
			a := m.addArg(0x1000, 3, isa.NewSECINFO(isa.PT_REG, rw))
			a.Flags = r.flags
			m.want(m.ioctl(add, a), 0)
			if len(m.cpu.extend) != r.want {
				t.Errorf("%d pages extended", len(m.cpu.extend))
			}
			for i, p := range m.cpu.extend {
				if m.cpu.epc[p].lin != base+0x1000+isa.LinAddr(i)*isa.PageSize {
					t.Errorf("page %d is %#x", i, m.cpu.epc[p].lin)
				}
			}
		})
	}
}

// TestAddPagesLoop: what happens once the loop has begun; count is always written.
func TestAddPagesLoop(t *testing.T) {
	short := func(_ *machine, cfg *Config) { cfg.ShortCounts = true }
	rows := []struct {
		name   string
		pages  int
		setup  func(m *machine, a *uapi.EnclaveAddPages)
		want   uapi.Errno
		count  uint64
		change []func(*machine, *Config)
	}{
		{name: "driver 118/five pages", pages: 5, count: 0x5000},
		{name: "driver 119/duplicate", pages: 1, want: uapi.EBUSY, setup: func(m *machine, _ *uapi.EnclaveAddPages) {
			m.add(0, 1, isa.PT_REG, rw)
		}},
		{name: "driver 120/duplicate in the middle", pages: 4, want: uapi.EBUSY, count: 0x2000,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.add(0x2000, 1, isa.PT_REG, rw) }},
		{name: "driver 121/source ends", pages: 4, want: uapi.EFAULT, count: 0x2000,
			setup: func(_ *machine, a *uapi.EnclaveAddPages) { a.Src = dataAddr + dataSize - 0x2000 }},
		{name: "driver 121/source ends after many pages", pages: 200, want: uapi.EFAULT, count: 150 * 0x1000,
			setup: func(_ *machine, a *uapi.EnclaveAddPages) { a.Src = dataAddr + dataSize - 150*0x1000 }},
		{name: "driver 122/noexec", pages: 2, want: uapi.EACCES,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.find(dataAddr).noexec = true }},
		{name: "driver 122/second VMA noexec", pages: 4, want: uapi.EACCES, count: 0x1000,
			setup: func(m *machine, a *uapi.EnclaveAddPages) {
				m.c.mmap(dataAddr+dataSize, 0x10000).noexec = true
				a.Src = dataAddr + dataSize - 0x1000
			}},
		{name: "driver 123/two VMAs", pages: 4, count: 0x4000,
			setup: func(m *machine, a *uapi.EnclaveAddPages) {
				m.c.mmap(dataAddr+dataSize, 0x10000)
				a.Src = dataAddr + dataSize - 0x1000
			}},
		{name: "driver 124/hole below a noexec VMA", pages: 1, want: uapi.EACCES,
			setup: func(m *machine, a *uapi.EnclaveAddPages) {
				m.c.mmap(dataAddr+2*dataSize, 0x10000).noexec = true
				a.Src = dataAddr + dataSize
			}},
		{name: "driver 124/hole below another VMA", pages: 1, want: uapi.EFAULT,
			setup: func(m *machine, a *uapi.EnclaveAddPages) {
				m.c.mmap(dataAddr+2*dataSize, 0x10000)
				a.Src = dataAddr + dataSize
			}},
		{name: "driver 124/no VMA above", pages: 1, want: uapi.EFAULT,
			setup: func(_ *machine, a *uapi.EnclaveAddPages) { a.Src = 1 << 40 }},
		{name: "driver 125/PROT_NONE", pages: 1, want: uapi.EFAULT,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.find(dataAddr).protNone = true }},
		{name: "2.3 h/file ends in the first read", pages: 10, want: uapi.EFAULT, count: 0x3000,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.find(dataAddr).eof = dataAddr + 0x3000 }},
		{name: "2.3 h/file ends in a later read", pages: 200, want: uapi.EFAULT, count: 70 * 0x1000,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.find(dataAddr).eof = dataAddr + 70*0x1000 }},
		{name: "2.3 h/file ends before the first page", pages: 10, want: uapi.EFAULT,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.find(dataAddr).eof = dataAddr + 1 }},
		{name: "driver 126/enclave", pages: 1, want: uapi.EFAULT,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.find(dataAddr).enclave = true }},
		{name: "2.3 e before f/duplicate and bad source", pages: 1, want: uapi.EBUSY,
			setup: func(m *machine, a *uapi.EnclaveAddPages) {
				m.add(0, 1, isa.PT_REG, rw)
				a.Src = 1 << 40
			}},
		{name: "driver 128/signal before the first page", pages: 2, want: uapi.ERESTARTSYS,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.signal = signals(1) }},
		{name: "driver 128/signal before checks that it follows", pages: 2, want: uapi.EFAULT,
			setup: func(m *machine, a *uapi.EnclaveAddPages) { m.c.signal = signals(1); a.SECINFO = 0 }},
		{name: "driver 129/signal after two pages", pages: 5, count: 0x2000, change: []func(*machine, *Config){short},
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.signal = signals(3) }},
		{name: "driver 129/signal ignored once begun", pages: 5, count: 0x5000,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.c.signal = signals(2) }},
		{name: "driver 132/EADD #GP", pages: 2, want: uapi.EIO,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.cpu.fail(isa.EADD, isa.GPFault()) }},
		{name: "driver 132/EADD #PF on the second", pages: 3, want: uapi.EIO, count: 0x1000,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.cpu.fail(isa.EADD, nil, pf) }},
		{name: "2.3 j/EEXTEND fails", pages: 3, want: uapi.EIO, count: 0x2000,
			setup: func(m *machine, _ *uapi.EnclaveAddPages) { m.cpu.fail(isa.EEXTEND, nil, nil, isa.GPFault()) }},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t, r.change...).created()
			a := m.addArg(0, r.pages, isa.NewSECINFO(isa.PT_REG, rw))
			a.Count = 0xAAAA
			if r.setup != nil {
				r.setup(m, a)
				m.c.store(t, argAddr+0x3001, ptr(isa.NewSECINFO(isa.PT_REG, rw)))
			}
			had, free := m.e.Stats().Pages, m.free()
			m.want(m.ioctl(add, a), r.want)
			if a.SECINFO == 0 {
				return
			}
			if a.Count != r.count {
				t.Errorf("count %#x, want %#x", a.Count, r.count)
			}
			added := int(r.count / isa.PageSize)
			if n := m.e.Stats().Pages - had; n != added {
				t.Errorf("%d pages, want %d", n, added)
			}
			if n := free - m.free(); n != added {
				t.Errorf("%d EPC pages used, want %d", n, added)
			}
			m.c.repair()
			m.add(size-isa.PageSize, 1, isa.PT_REG, rw) // driver 133
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestAddPagesContents(t *testing.T) {
	m := newMachine(t).created()
	m.add(0x3000, 130, isa.PT_REG, rw)
	for i, pi := range m.cpu.added {
		lin := base + 0x3000 + isa.LinAddr(i)*isa.PageSize
		if pi.LINADDR != lin {
			t.Fatalf("page %d at %#x", i, pi.LINADDR)
		}
		p, _, _ := m.e.Page(lin)
		if want := bytes.Repeat([]byte{byte(i) + 1}, isa.PageSize); !bytes.Equal(m.cpu.data[p], want) {
			t.Fatalf("page %d has the wrong content", i)
		}
	}
	if m.c.copies > 3+3+2 { // arguments and SECINFO; 130 pages in three reads
		t.Errorf("%d copies", m.c.copies)
	}
}

// TestAddPagesUnreadable: a stretch that cannot be read as a whole is read page by
// page, each page once.
func TestAddPagesUnreadable(t *testing.T) {
	m := newMachine(t).created()
	m.c.find(dataAddr).eof = dataAddr + 100*isa.PageSize
	m.want(m.ioctl(add, m.addArg(0, 200, isa.NewSECINFO(isa.PT_REG, rw))), uapi.EFAULT)
	const good = 100
	if want := 2 + 2 + 1 + good/readAhead + good%readAhead + 1; m.c.copies != want { // CREATE, arguments, stretches, pages, the bad one
		t.Errorf("%d copies, want %d", m.c.copies, want)
	}
}

// TestAddPagesOfAnotherTask: driver 15, 127: the memory is that of the task that
// calls, whoever made the enclave.
func TestAddPagesOfAnotherTask(t *testing.T) {
	m := newMachine(t).created()
	m.add(0, 1, isa.PT_REG, rw)
	m.c = newFakeCaller()
	copy(m.c.find(dataAddr).b, "other")
	m.add(0x1000, 1, isa.PT_REG, rw)
	for lin, want := range map[isa.LinAddr]string{base: "\x01\x01\x01\x01\x01", base + 0x1000: "other"} {
		if got := string(m.cpu.data[m.page(lin)][:5]); got != want {
			t.Errorf("%#x: %q", lin, got)
		}
	}
}

func TestAddPagesResume(t *testing.T) {
	// driver 130: the same EADDs in the same order as in one call.
	m := newMachine(t, func(_ *machine, cfg *Config) { cfg.ShortCounts = true }).created()
	a := m.addArg(0, 5, isa.NewSECINFO(isa.PT_REG, rw))
	m.c.signal = signals(3)
	m.want(m.ioctl(add, a), 0)
	m.c.signal = func() bool { return false }
	a.Src, a.Offset, a.Length = a.Src+uapi.UserPtr(a.Count), a.Offset+a.Count, a.Length-a.Count
	m.want(m.ioctl(add, a), 0)
	for i, pi := range m.cpu.added {
		if pi.LINADDR != base+isa.LinAddr(i)*isa.PageSize || m.cpu.data[m.page(pi.LINADDR)][0] != byte(i)+1 {
			t.Errorf("page %d: %#x", i, pi.LINADDR)
		}
	}
	if len(m.cpu.added) != 5 || len(m.cpu.extend) != 5 {
		t.Errorf("%d added, %d extended", len(m.cpu.added), len(m.cpu.extend))
	}
}

func (m *machine) page(lin isa.LinAddr) isa.EPCAddr {
	p, _, _ := m.e.Page(lin)
	return p
}

func TestAddPagesUnwritableArgument(t *testing.T) {
	// driver 134: pages added, EFAULT returned, also in place of another error.
	m := newMachine(t).created()
	m.c.store(t, argAddr, m.addArg(0, 2, isa.NewSECINFO(isa.PT_REG, rw)))
	m.c.find(argAddr).readOnly = true
	m.want(m.e.Ioctl(m.c, uint32(add), argAddr), uapi.EFAULT)
	if n := m.e.Stats().Pages; n != 2 {
		t.Errorf("%d pages", n)
	}
	m.want(m.e.Ioctl(m.c, uint32(add), argAddr), uapi.EFAULT) // not EBUSY
}

func TestVersionArrays(t *testing.T) {
	m := newMachine(t).created()
	free := m.free()
	m.add(0, 200, isa.PT_REG, rw)
	m.add(200*isa.PageSize, 200, isa.PT_REG, rw)
	m.add(400*isa.PageSize, 111, isa.PT_REG, rw)
	if used := free - m.free(); used != 511 {
		t.Fatalf("driver 139: %d EPC pages for 511", used)
	}
	m.add(511*isa.PageSize, 1, isa.PT_REG, rw)
	if used := free - m.free(); used != 513 {
		t.Errorf("driver 139: %d EPC pages for 512, want one VA more", used)
	}
	m.cpu.fail(isa.EPA, nil)
	if m.cpu.calls[isa.EPA] != 2 {
		t.Errorf("%d EPA", m.cpu.calls[isa.EPA])
	}
}

func TestVersionArrayFails(t *testing.T) {
	m := newMachine(t).created()
	m.add(0, 255, isa.PT_REG, rw)
	m.add(255*isa.PageSize, 255, isa.PT_REG, rw)
	m.add(510*isa.PageSize, 1, isa.PT_REG, rw)
	free := m.free()
	m.cpu.fail(isa.EPA, pf)
	a := m.addArg(511*isa.PageSize, 1, isa.NewSECINFO(isa.PT_REG, rw))
	m.want(m.ioctl(add, a), uapi.EFAULT)
	m.cpu.fail(isa.EADD, isa.GPFault())
	m.want(m.ioctl(add, a), uapi.EIO)
	if m.free() != free {
		t.Errorf("%d EPC pages lost", free-m.free())
	}
}

func TestAddPagesAllocations(t *testing.T) {
	m := newMachine(t).created()
	m.cpu = nil
	fast := &countingCPU{}
	m.d.cfg.CPU, m.d.epc.cpu = fast, fast
	offset := uint64(0)
	a := m.addArg(0, 128, isa.NewSECINFO(isa.PT_REG, rw))
	n := testing.AllocsPerRun(10, func() {
		a.Offset = offset
		offset += a.Length
		m.want(m.ioctl(add, a), 0)
	})
	if n > 40 {
		t.Errorf("%v allocations for 128 pages", n)
	}
}

// countingCPU accepts everything.
type countingCPU struct{ ENCLS }

func (countingCPU) EADD(*isa.PAGEINFO, isa.EPCAddr) error              { return nil }
func (countingCPU) EEXTENDPage(isa.EPCAddr, isa.EPCAddr, []byte) error { return nil }
func (countingCPU) EPA(uint64, isa.EPCAddr) error                      { return nil }
