package driver

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"softsgx/isa"
	"softsgx/uapi"
)

// withAttributes is a CREATED enclave that has these besides MODE64BIT.
func withAttributes(t *testing.T, flags uint64, change ...func(*machine, *Config)) *machine {
	t.Helper()
	m := newMachine(t, change...)
	secs := newSECS()
	secs.ATTRIBUTES.Flags |= flags
	m.want(m.create(secs), 0)
	return m
}

// signerOf is MRSIGNER of who signed s.
func signerOf(s *isa.SIGSTRUCT) [32]byte { return sha256.Sum256(s.MODULUS[:]) }

// enforce is a SIGSTRUCT whose signer insists on these bits.
func enforce(flags, xfrm uint64, misc uint32) *isa.SIGSTRUCT {
	a := isa.ATTRIBUTES{Flags: flags, XFRM: xfrm}
	return &isa.SIGSTRUCT{ATTRIBUTES: a, ATTRIBUTEMASK: a, MISCSELECT: misc, MISCMASK: misc}
}

// TestInitChecks: what is decided before the first EINIT.
func TestInitChecks(t *testing.T) {
	const noGrant = isa.ATTR_PROVISIONKEY
	platformLacks := func(m *machine, _ *Config) {
		m.cpu.cpuid[[2]uint32{0x12, 1}] = [4]uint32{eax: uint32(isa.ATTR_DEBUG | isa.ATTR_MODE64BIT), ecx: 3}
	}
	rows := []struct {
		name   string
		flags  uint64 // of the SECS
		sig    *isa.SIGSTRUCT
		want   uapi.Errno
		change func(*machine, *Config)
	}{
		{name: "driver 145/vendor 0", sig: &isa.SIGSTRUCT{}},
		{name: "driver 145/vendor Intel", sig: &isa.SIGSTRUCT{VENDOR: 0x8086}},
		{name: "driver 145/vendor 1", sig: &isa.SIGSTRUCT{VENDOR: 1}, want: uapi.EINVAL},
		{name: "driver 145/vendor AMD", sig: &isa.SIGSTRUCT{VENDOR: 0x1022}, want: uapi.EINVAL},
		{name: "driver 145/vendor high half", sig: &isa.SIGSTRUCT{VENDOR: 0x8086 << 16}, want: uapi.EINVAL},
		{name: "driver 146/PROVISIONKEY", flags: noGrant, sig: &isa.SIGSTRUCT{}, want: uapi.EACCES},
		{name: "driver 147/EINITTOKEN_KEY", flags: isa.ATTR_EINITTOKEN_KEY, sig: &isa.SIGSTRUCT{}, want: uapi.EACCES},
		{name: "driver 148/KSS, DEBUG", flags: isa.ATTR_KSS | isa.ATTR_DEBUG, sig: &isa.SIGSTRUCT{}},
		{name: "driver 149/AEXNOTIFY", flags: isa.ATTR_AEXNOTIFY, sig: &isa.SIGSTRUCT{}, want: uapi.EACCES},
		{name: "driver 149/AEXNOTIFY, 6.2", flags: isa.ATTR_AEXNOTIFY, sig: enforce(isa.ATTR_AEXNOTIFY, 0, 0),
			change: func(_ *machine, cfg *Config) { cfg.AEXNotify = true }},
		{name: "driver 149/signer enforces AEXNOTIFY", sig: enforce(isa.ATTR_AEXNOTIFY, 0, 0), want: uapi.EINVAL},
		{name: "2.4 row 6/CET", flags: 1 << 6, sig: &isa.SIGSTRUCT{}, want: uapi.EACCES},
		{name: "driver 150/mask as well", flags: noGrant, sig: enforce(1<<3, 0, 0), want: uapi.EACCES},
		{name: "driver 151/vendor as well", flags: noGrant, sig: &isa.SIGSTRUCT{VENDOR: 1}, want: uapi.EINVAL},
		{name: "driver 152/bit 3", sig: enforce(1<<3, 0, 0), want: uapi.EINVAL},
		{name: "driver 152/bit 63", sig: enforce(1<<63, 0, 0), want: uapi.EINVAL},
		{name: "driver 152/KSS unknown to the platform", sig: enforce(isa.ATTR_KSS, 0, 0), want: uapi.EINVAL, change: platformLacks},
		{name: "driver 152/KSS", sig: enforce(isa.ATTR_KSS, 0, 0)},
		{name: "driver 152/bit set, mask clear", sig: &isa.SIGSTRUCT{ATTRIBUTES: isa.ATTRIBUTES{Flags: 1 << 3, XFRM: 1 << 60}}},
		{name: "driver 152/bit clear, mask set", sig: &isa.SIGSTRUCT{
			ATTRIBUTEMASK: isa.ATTRIBUTES{Flags: ^uint64(0), XFRM: ^uint64(0)}, MISCMASK: ^uint32(0)}},
		{name: "driver 153/misc", sig: enforce(0, 0, 1<<1), want: uapi.EINVAL},
		{name: "driver 153/EXINFO", sig: enforce(0, 0, isa.MISC_EXINFO)},
		{name: "driver 153/misc set, mask clear", sig: &isa.SIGSTRUCT{MISCSELECT: ^uint32(0)}},
		{name: "driver 153/xfrm", sig: enforce(0, 1<<3, 0), want: uapi.EINVAL},
		{name: "driver 153/AVX unknown to the platform", sig: enforce(0, 1<<2, 0), want: uapi.EINVAL, change: platformLacks},
		{name: "driver 153/AVX", sig: enforce(0, 7, 0)},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var change []func(*machine, *Config)
			if r.change != nil {
				change = append(change, r.change)
			}
			m := withAttributes(t, r.flags, change...)
			m.want(m.init(r.sig), r.want)
			if called := m.cpu.calls[isa.EINIT] != 0; called != (r.want == 0) {
				t.Errorf("EINIT tried: %v", called)
			}
			if _, _, initialized := m.e.Range(); initialized != (r.want == 0) {
				t.Errorf("initialized: %v", initialized)
			}
		})
	}
}

func TestInitState(t *testing.T) {
	const cmd = uint32(uapi.SGX_IOC_ENCLAVE_INIT)
	t.Run("driver 142/before CREATE", func(t *testing.T) {
		m := newMachine(t)
		m.want(m.e.Ioctl(m.c, cmd, 0), uapi.EINVAL)
	})
	t.Run("driver 142/after INIT", func(t *testing.T) {
		m := newMachine(t).initialized()
		m.want(m.e.Ioctl(m.c, cmd, 0), uapi.EINVAL)
	})
	t.Run("driver 143/argument", func(t *testing.T) {
		m := newMachine(t).created()
		m.want(m.e.Ioctl(m.c, cmd, 0), uapi.EFAULT)
	})
	t.Run("driver 143/SIGSTRUCT partly mapped", func(t *testing.T) {
		m := newMachine(t).created()
		m.want(m.ioctl(uapi.SGX_IOC_ENCLAVE_INIT, &uapi.EnclaveInit{SIGSTRUCT: dataAddr + dataSize - 1807}), uapi.EFAULT)
		m.want(m.init(&isa.SIGSTRUCT{}), 0)
	})
	t.Run("driver 144, 168/odd SIGSTRUCT, no page, no mapping", func(t *testing.T) {
		m := newMachine(t).created()
		m.want(m.init(&isa.SIGSTRUCT{}), 0)
	})
	t.Run("driver 146/grant after EACCES", func(t *testing.T) {
		m := withAttributes(t, isa.ATTR_PROVISIONKEY)
		m.want(m.init(&isa.SIGSTRUCT{}), uapi.EACCES)
		m.want(m.provision(7), 0)
		m.want(m.init(enforce(isa.ATTR_PROVISIONKEY, 0, 0)), 0)
	})
	t.Run("driver 147/no grant helps EINITTOKEN_KEY", func(t *testing.T) {
		m := withAttributes(t, isa.ATTR_EINITTOKEN_KEY)
		m.want(m.provision(7), 0)
		m.want(m.init(&isa.SIGSTRUCT{}), uapi.EACCES)
	})
	t.Run("driver 150/before the signature", func(t *testing.T) {
		m := withAttributes(t, isa.ATTR_PROVISIONKEY)
		m.cpu.fail(isa.EINIT, isa.SGX_INVALID_SIGNATURE)
		m.want(m.init(&isa.SIGSTRUCT{}), uapi.EACCES)
	})
	t.Run("driver 159/more pages and another INIT after EPERM", func(t *testing.T) {
		m := newMachine(t).created()
		m.cpu.fail(isa.EINIT, isa.SGX_INVALID_MEASUREMENT)
		m.want(m.init(&isa.SIGSTRUCT{}), uapi.EPERM)
		m.add(0, 1, isa.PT_REG, rw)
		m.want(m.init(&isa.SIGSTRUCT{}), 0)
	})
}

// TestInitOutcomes: the errno of each outcome of EINIT, and the reason beside it.
func TestInitOutcomes(t *testing.T) {
	type row struct {
		name    string
		outcome error
		want    uapi.Errno
	}
	rows := []row{
		{"driver 164/#GP", isa.GPFault(), uapi.EIO},
		{"driver 164/#PF", pf, uapi.EIO},
	}
	for code := isa.Code(1); code <= 256; code++ {
		if code != isa.SGX_UNMASKED_EVENT {
			rows = append(rows, row{fmt.Sprintf("driver 160/code %d", code), code, uapi.EPERM})
		}
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t).created()
			m.cpu.fail(isa.EINIT, r.outcome)
			m.want(m.init(&isa.SIGSTRUCT{}), r.want)
			if n := m.cpu.calls[isa.EINIT]; n != 1 || m.slept != 0 {
				t.Errorf("%d attempts, slept %v", n, m.slept)
			}
			var leaf *LeafError
			if len(m.reasons) != 1 || !errors.As(m.reasons[0], &leaf) || leaf.Leaf != isa.EINIT || !errors.Is(leaf, r.outcome) {
				t.Fatalf("reasons %v", m.reasons)
			}
			if text := leaf.Error(); !strings.Contains(text, "EINIT") || !strings.Contains(text, r.want.Error()) {
				t.Error(text)
			}
			m.want(m.init(&isa.SIGSTRUCT{}), 0)
		})
	}
}

func TestInitEventStorm(t *testing.T) {
	storm := func(n int) []error {
		s := make([]error, n)
		for i := range s {
			s[i] = isa.SGX_UNMASKED_EVENT
		}
		return s
	}
	rows := []struct {
		name     string
		events   int
		signal   func() bool
		want     uapi.Errno
		attempts int
		rounds   int // that end in a sleep
	}{
		{name: "driver 161/one", events: 1, attempts: 2},
		{name: "driver 161/19", events: 19, attempts: 20},
		{name: "driver 161/20", events: 20, attempts: 21, rounds: 1},
		{name: "driver 161/999", events: 999, attempts: 1000, rounds: 49},
		{name: "driver 161/1000", events: 1000, want: uapi.EPERM, attempts: 1000, rounds: 50},
		{name: "driver 161/for ever", events: 5000, want: uapi.EPERM, attempts: 1000, rounds: 50},
		{name: "driver 162/signal", events: 5000, signal: signals(1), want: uapi.ERESTARTSYS, attempts: 20, rounds: 1},
		{name: "driver 162/signal in the third round", events: 5000, signal: signals(3), want: uapi.ERESTARTSYS, attempts: 60, rounds: 3},
		{name: "driver 162/signal without storm", events: 19, signal: signals(1), attempts: 20},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := newMachine(t).created()
			m.cpu.fail(isa.EINIT, storm(r.events)...)
			if r.signal != nil {
				m.c.signal = r.signal
			}
			m.want(m.init(&isa.SIGSTRUCT{}), r.want)
			if n := m.cpu.calls[isa.EINIT]; n != r.attempts {
				t.Errorf("%d attempts, want %d", n, r.attempts)
			}
			if want := time.Duration(r.rounds) * 20 * time.Millisecond; m.slept != want {
				t.Errorf("slept %v, want %v", m.slept, want)
			}
			if n := len(m.cpu.msrs); n != 4*r.attempts {
				t.Errorf("driver 165: %d MSR writes for %d attempts", n, r.attempts)
			}
			if r.want != 0 { // driver 163
				m.cpu.fail(isa.EINIT)
				m.c.repair()
				m.want(m.init(&isa.SIGSTRUCT{}), 0)
			}
		})
	}
}

func TestInitOperands(t *testing.T) {
	m := newMachine(t).created()
	s := &isa.SIGSTRUCT{ISVSVN: 9, Reserved44: [84]byte{1, 2, 3}}
	for i := range s.MODULUS {
		s.MODULUS[i] = byte(i)
	}
	m.want(m.init(s), 0)
	signer := signerOf(s)
	for i := range uint64(4) { // driver 165
		if want := [2]uint64{i, binary.LittleEndian.Uint64(signer[8*i:])}; m.cpu.msrs[i] != want {
			t.Errorf("MSR write %d is %#x, want %#x", i, m.cpu.msrs[i], want)
		}
	}
	image, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	sig, token := m.cpu.einit[0], m.cpu.einit[1]
	if !bytes.Equal(sig.Bytes, image) || sig.Addr%isa.SIGSTRUCTAlign != 0 {
		t.Errorf("SIGSTRUCT at %#x changed on the way", sig.Addr)
	}
	if !bytes.Equal(token.Bytes, make([]byte, 304)) || token.Addr%isa.EINITTOKENAlign != 0 {
		t.Errorf("token at %#x of %d bytes", token.Addr, len(token.Bytes))
	}
}

// lockedCPU refuses writes of the launch key hash.
type lockedCPU struct{ *fakeCPU }

func (lockedCPU) WRMSRLEPubKeyHash(int, uint64) error { return isa.GPFault() }

func TestInitLockedHash(t *testing.T) {
	m := newMachine(t, func(m *machine, cfg *Config) { cfg.CPU = lockedCPU{m.cpu} }).created()
	m.want(m.init(&isa.SIGSTRUCT{}), uapi.EIO)
	if m.cpu.calls[isa.EINIT] != 0 {
		t.Error("EINIT with the hash of somebody else")
	}
}
