package driver

import (
	"bytes"
	"encoding"
	"slices"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

// seed adds structures to a corpus.
func seed(f *testing.F, args ...encoding.BinaryMarshaler) {
	f.Helper()
	for _, a := range args {
		b, err := a.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// fuzzed is an ioctl with any bytes as its argument, cut or filled to size.
func fuzzed(t *testing.T, m *machine, cmd uapi.Cmd, b []byte, allowed ...uapi.Errno) (arg []byte, err error) {
	t.Helper()
	arg, _ = m.c.bytes(argAddr, cmd.Size(), true)
	clear(arg)
	copy(arg, b)
	err = m.e.Ioctl(m.c, uint32(cmd), argAddr)
	if errno, ok := err.(uapi.Errno); err != nil && (!ok || !slices.Contains(allowed, errno)) {
		t.Fatalf("%v: %v", cmd, err)
	}
	return arg, err
}

// balanced checks that the driver, the CPU and the enclave agree on what is in
// use, and that release gives everything back.
func (m *machine) balanced(t *testing.T) {
	t.Helper()
	total, free := m.d.EPC()
	if s := m.e.Stats(); s.EPCPages != total-free || s.EPCPages != len(m.cpu.epc) {
		t.Fatalf("%+v, %d of %d EPC pages free, the CPU has %d", s, free, total, len(m.cpu.epc))
	}
	m.e.Put()
	if _, free := m.d.EPC(); free != total || len(m.cpu.epc) != 0 {
		t.Fatalf("%d of %d EPC pages after release", free, total)
	}
}

// progress checks count, the last word of an argument.
func progress(t *testing.T, count, length uint64, err error) {
	t.Helper()
	if count%isa.PageSize != 0 || count > length || err == nil && count != length {
		t.Fatalf("count %#x of %#x with %v", count, length, err)
	}
}

// patched puts a valid structure at dataAddr and overwrites a part of it.
func (m *machine) patched(v encoding.BinaryMarshaler, size int, at uint16, patch []byte) {
	m.c.store(m.t, dataAddr, v)
	image, _ := m.c.bytes(dataAddr, size, true)
	copy(image[int(at)%size:], patch)
}

func FuzzCreate(f *testing.F) {
	f.Add(uint16(0), []byte{0, 0, 0, 0, 0, 0, 0, 0x80})    // size
	f.Add(uint16(0), []byte{1, 0, 0, 0, 0, 0, 0, 0, 0xFF}) // size and base
	f.Add(uint16(48), []byte{0xFF})                        // attributes
	f.Add(uint16(4095), []byte{1})                         // reserved
	f.Fuzz(func(t *testing.T, at uint16, patch []byte) {
		m := newMachine(t)
		m.patched(newSECS(), isa.SECSSize, at, patch)
		err := m.ioctl(uapi.SGX_IOC_ENCLAVE_CREATE, &uapi.EnclaveCreate{Src: dataAddr})
		if err != nil && err != uapi.EINVAL {
			t.Fatal(err)
		}
		b, s, _ := m.e.Range()
		if created := s != 0; created != (err == nil) || s&(s-1) != 0 || b != m.mem.base || s != m.mem.size {
			t.Fatalf("range %#x+%#x, memory %#x+%#x, %v", b, s, m.mem.base, m.mem.size, err)
		}
		m.balanced(t)
	})
}

func FuzzCreateArgument(f *testing.F) {
	seed(f, &uapi.EnclaveCreate{Src: dataAddr}, &uapi.EnclaveCreate{Src: ^uapi.UserPtr(0)})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMachine(t)
		fuzzed(t, m, uapi.SGX_IOC_ENCLAVE_CREATE, b, uapi.EFAULT, uapi.EINVAL)
		m.balanced(t)
	})
}

func FuzzAddPages(f *testing.F) {
	good := uapi.EnclaveAddPages{Src: dataAddr, Offset: 0x1000, Length: 0x3000, SECINFO: argAddr + 0x100, Flags: 1}
	far, wraps := good, good
	far.Offset, far.Length = size-0x1000, 0x1000
	wraps.Length, wraps.Src = ^uint64(0xFFF), ^uapi.UserPtr(0xFFF)
	seed(f, &good, &far, &wraps, &uapi.EnclaveAddPages{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMachine(t).created()
		m.c.store(t, argAddr+0x100, ptr(isa.NewSECINFO(isa.PT_REG, rw)))
		arg, err := fuzzed(t, m, add, b, uapi.EFAULT, uapi.EINVAL, uapi.EBUSY)
		var a, before uapi.EnclaveAddPages
		unmarshal(t, arg, &a)
		unmarshal(t, append(slices.Clone(b), make([]byte, len(arg))...)[:len(arg)], &before)
		if n := m.e.Stats().Pages; n != 0 {
			progress(t, a.Count, a.Length, err)
			if uint64(n) != a.Count/isa.PageSize {
				t.Fatalf("%d pages, count %#x", n, a.Count)
			}
		}
		before.Count = a.Count
		if a != before {
			t.Fatalf("%+v became %+v", before, a)
		}
		m.balanced(t)
	})
}

func FuzzAddPagesSECINFO(f *testing.F) {
	seed(f, ptr(isa.NewSECINFO(isa.PT_REG, rwx)), ptr(isa.NewSECINFO(isa.PT_TCS, 0)), ptr(isa.NewSECINFO(isa.PT_TRIM, rw)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMachine(t).created()
		var si isa.SECINFO
		unmarshal(t, append(slices.Clone(b), make([]byte, isa.SECINFOSize)...)[:isa.SECINFOSize], &si)
		a := m.addArg(0, 2, si)
		err := m.ioctl(add, a)
		if err != nil && err != uapi.EINVAL {
			t.Fatal(err)
		}
		if _, ceiling, ok := m.e.Page(base); ok != (err == nil) || ceiling&^rwx != 0 || ceiling&isa.Write != 0 && ceiling&isa.Read == 0 {
			t.Fatalf("ceiling %v for %+v", ceiling, si)
		}
		m.balanced(t)
	})
}

func FuzzInit(f *testing.F) {
	f.Add(uint16(16), []byte{0x86, 0x80})     // vendor
	f.Add(uint16(900), []byte{2, 0, 0, 0, 2}) // miscselect and its mask
	f.Add(uint16(928), bytes.Repeat([]byte{8}, 32))
	f.Fuzz(func(t *testing.T, at uint16, patch []byte) {
		m := newMachine(t).created()
		m.patched(&isa.SIGSTRUCT{}, isa.SIGSTRUCTSize, at, patch)
		err := m.ioctl(uapi.SGX_IOC_ENCLAVE_INIT, &uapi.EnclaveInit{SIGSTRUCT: dataAddr})
		if err != nil && err != uapi.EINVAL {
			t.Fatal(err)
		}
		if _, _, initialized := m.e.Range(); initialized != (err == nil) {
			t.Fatal("state and result differ")
		}
		m.balanced(t)
	})
}

func FuzzInitArgument(f *testing.F) {
	seed(f, &uapi.EnclaveInit{SIGSTRUCT: argAddr + 1}, &uapi.EnclaveInit{SIGSTRUCT: ^uapi.UserPtr(0)})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMachine(t).created()
		fuzzed(t, m, uapi.SGX_IOC_ENCLAVE_INIT, b, uapi.EFAULT, uapi.EINVAL)
		m.balanced(t)
	})
}

func FuzzProvision(f *testing.F) {
	seed(f, &uapi.EnclaveProvision{FD: 7}, &uapi.EnclaveProvision{FD: ^uint64(0)})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMachine(t).created()
		arg, err := fuzzed(t, m, uapi.SGX_IOC_ENCLAVE_PROVISION, b, uapi.EINVAL)
		if good := arg[0] == 7 && arg[1]|arg[2]|arg[3] == 0; good != (err == nil) {
			t.Fatalf("% x: %v", arg, err)
		}
		m.balanced(t)
	})
}

// fuzzSGX2 is the target of one of the SGX2 calls on an enclave that has pages of
// all sorts.
func fuzzSGX2(f *testing.F, c *sgx2Call) {
	seed(f, c.arg(0, 0x4000), c.arg(holes, 0x3000), c.arg(size-0x1000, 0x1000), c.arg(0, ^uint64(0xFFF)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMachine(t).initialized()
		c.ready(m, holes, 2)
		arg, err := fuzzed(t, m, c.cmd, b, uapi.EFAULT, uapi.EINVAL, uapi.EPERM)
		a := c.arg(0, 0)
		unmarshal(t, arg, a)
		length := *c.length(a)
		before := append(slices.Clone(b), make([]byte, len(arg))...)[:len(arg)]
		if slices.Equal(arg, before) { // refused at once, or for its first page
			if err == nil && length != 0 {
				t.Fatal("success without count")
			}
		} else {
			progress(t, *last(c.outputs(a)), length, err)
		}
		m.balanced(t)
	})
}

func FuzzRestrictPermissions(f *testing.F) { fuzzSGX2(f, &sgx2Calls[0]) }
func FuzzModifyTypes(f *testing.F)         { fuzzSGX2(f, &sgx2Calls[1]) }
func FuzzRemovePages(f *testing.F)         { fuzzSGX2(f, &sgx2Calls[2]) }

// FuzzCommand: any command word, in any state.
func FuzzCommand(f *testing.F) {
	for cmd := range ioctls {
		f.Add(uint32(cmd), uint64(argAddr), uint8(0))
		f.Add(uint32(cmd), uint64(dataAddr), uint8(1))
		f.Add(uint32(cmd), uint64(0), uint8(2))
	}
	f.Fuzz(func(t *testing.T, cmd uint32, arg uint64, state uint8) {
		m := newMachine(t)
		switch state % 3 {
		case 1:
			m.created()
		case 2:
			m.initialized()
		}
		err := m.e.Ioctl(m.c, cmd, uapi.UserPtr(arg))
		if _, known := ioctls[uapi.Cmd(cmd)]; known == (err == uapi.ENOTTY) {
			t.Fatalf("%v: %v", uapi.Cmd(cmd), err)
		}
		m.balanced(t)
	})
}

func unmarshal(t *testing.T, b []byte, v encoding.BinaryUnmarshaler) {
	t.Helper()
	if err := v.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
}
