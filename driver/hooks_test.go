package driver

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"softsgx/isa"
	"softsgx/uapi"
)

// fakeHooks notes every event and answers err.
type fakeHooks struct {
	only   string // the hook that answers err and runs during; "": all
	err    error
	during func()
	events []any
}

func (h *fakeHooks) ask(name string, ev any) error {
	if h.only != "" && h.only != name {
		return nil
	}
	if h.during != nil {
		h.during()
		return nil
	}
	h.events = append(h.events, ev)
	return h.err
}

func (h *fakeHooks) EnclaveCreate(ev *CreateEvent) error       { return h.ask("Create", ev) }
func (h *fakeHooks) EnclaveProvision(ev *ProvisionEvent) error { return h.ask("Provision", ev) }
func (h *fakeHooks) EnclaveLoad(ev *LoadEvent) error           { return h.ask("Load", ev) }
func (h *fakeHooks) EnclaveInit(ev *InitEvent) error           { return h.ask("Init", ev) }
func (h *fakeHooks) EnclaveMap(ev *MapEvent) error             { return h.ask("Map", ev) }
func (h *fakeHooks) EnclaveProtect(ev *ProtectEvent) error     { return h.ask("Protect", ev) }
func (h *fakeHooks) EnclaveAugment(ev *AugmentEvent) error     { return h.ask("Augment", ev) }
func (h *fakeHooks) EnclaveModify(ev *ModifyEvent) error       { return h.ask("Modify", ev) }
func (h *fakeHooks) EnclaveEnter(ev *EnterEvent) error         { return h.ask("Enter", ev) }

// hookCall is something that a hook is asked about.
type hookCall struct {
	hook  string
	name  string
	state func(*machine) *machine
	do    func(m *machine) error
	want  func(m *machine) any // the event
}

// errSIGBUS stands for a fault that ends in SIGBUS.
var errSIGBUS = errors.New("SIGBUS")

var hookCalls = []hookCall{
	{"Create", "CREATE", func(m *machine) *machine { return m },
		func(m *machine) error { return m.create(newSECS()) },
		func(m *machine) any { return &CreateEvent{Enclave: m.e, Caller: m.c, SECS: newSECS()} }},
	{"Provision", "PROVISION", (*machine).created,
		func(m *machine) error { return m.provision(7) },
		func(m *machine) any { return &ProvisionEvent{Enclave: m.e, Caller: m.c} }},
	{"Load", "ADD_PAGES", (*machine).created,
		func(m *machine) error { return m.ioctl(add, m.addArg(0x2000, 2, isa.NewSECINFO(isa.PT_REG, rx))) },
		func(m *machine) any {
			return &LoadEvent{Enclave: m.e, Caller: m.c, Source: dataAddr, Start: base + 0x2000, End: base + 0x4000,
				Content: m.c.find(dataAddr).b[:0x2000],
				SECINFO: isa.NewSECINFO(isa.PT_REG, rx), Measured: true}
		}},
	{"Init", "INIT", (*machine).created,
		func(m *machine) error { return m.init(&isa.SIGSTRUCT{ISVSVN: 3}) },
		func(m *machine) any {
			return &InitEvent{Enclave: m.e, Caller: m.c, SIGSTRUCT: &isa.SIGSTRUCT{ISVSVN: 3},
				MRSIGNER: zeroSigner, ATTRIBUTES: isa.ATTR_MODE64BIT}
		}},
	{"Map", "mmap", (*machine).created,
		func(m *machine) error { return m.e.MayMap(base, base+0x3000, rw, false) },
		func(m *machine) any { return &MapEvent{Enclave: m.e, Start: base, End: base + 0x3000, Rights: rw} }},
	{"Protect", "mprotect", (*machine).initialized,
		func(m *machine) error { return m.e.MayProtect(base, base+0x3000, isa.Read, false) },
		func(m *machine) any {
			return &ProtectEvent{Enclave: m.e, Start: base, End: base + 0x3000, Rights: isa.Read}
		}},
	{"Modify", "RESTRICT_PERMISSIONS", (*machine).initialized,
		func(m *machine) error {
			return m.ioctl(restrict, &uapi.EnclaveRestrictPermissions{Length: 0x2000, Permissions: 1})
		},
		func(m *machine) any {
			return &ModifyEvent{Enclave: m.e, Caller: m.c, What: RestrictPermissions, Start: base, End: base + 0x2000, Rights: isa.Read}
		}},
	{"Modify", "MODIFY_TYPES", (*machine).initialized,
		func(m *machine) error { return m.ioctl(modify, modifyArg(0x1000, 1, isa.PT_TCS)) },
		func(m *machine) any {
			return &ModifyEvent{Enclave: m.e, Caller: m.c, What: ModifyTypes, Start: base + 0x1000, End: base + 0x2000, Type: isa.PT_TCS}
		}},
	{"Modify", "REMOVE_PAGES", trimmed,
		func(m *machine) error { _, err := m.remove(0, 1); return err },
		func(m *machine) any {
			return &ModifyEvent{Enclave: m.e, Caller: m.c, What: RemovePages, Start: base, End: base + 0x1000}
		}},
	{"Enter", "EENTER", (*machine).initialized,
		func(m *machine) error { return m.e.MayEnter(base + 0x5000) },
		func(m *machine) any { return &EnterEvent{Enclave: m.e, TCS: base + 0x5000} }},
	{"Augment", "fault", (*machine).initialized,
		func(m *machine) error {
			if m.fault(base+0x9123, isa.Read) != Resolved {
				return errSIGBUS
			}
			return nil
		},
		func(m *machine) any {
			return &AugmentEvent{Enclave: m.e, Addr: base + 0x9000, Rights: isa.Read, Cap: isa.Read | isa.Write | isa.Exec}
		}},
}

// zeroSigner is SHA-256 of 384 zero bytes.
var zeroSigner = signerOf(&isa.SIGSTRUCT{})

func trimmed(m *machine) *machine {
	m.initialized()
	m.trim(0, 1, true)
	return m
}

// effects is what calls of the driver can have changed.
type effects struct {
	leaves               int
	stats                Stats
	free                 int
	base                 isa.LinAddr
	initialized          bool
	created              bool
	permitted            uint64
	ipis, revoked, slept int
}

func (m *machine) effects() effects {
	x := effects{leaves: len(m.cpu.order), stats: m.e.Stats(), free: m.free(), permitted: m.e.permitted,
		ipis: m.ipis, revoked: len(m.revoked), slept: int(m.slept)}
	x.base, _, x.initialized = m.e.Range()
	x.created = m.e.created
	return x
}

// hooked boots with hooks that allow everything until the state is reached.
func (c *hookCall) hooked(t *testing.T) (*machine, *fakeHooks) {
	h := &fakeHooks{}
	m := newMachine(t, func(_ *machine, cfg *Config) { cfg.Hooks = h })
	c.state(m)
	h.events, h.only = nil, c.hook
	return m, h
}

func TestHooksAreAsked(t *testing.T) {
	for _, c := range hookCalls {
		t.Run(c.name, func(t *testing.T) {
			m, h := c.hooked(t)
			if err := c.do(m); err != nil {
				t.Fatal(err)
			}
			if len(h.events) != 1 || !reflect.DeepEqual(h.events[0], c.want(m)) {
				t.Errorf("events %+v, want one %+v", h.events, c.want(m))
			}
			if c.hook == "Augment" { // a page that exists is none of its business
				m.fault(base+0x9000, isa.Read)
				if len(h.events) != 1 {
					t.Error("asked about a page that exists")
				}
			}
		})
	}
}

func TestHooksDeny(t *testing.T) {
	answers := []struct {
		name string
		err  error
		want uapi.Errno
	}{
		{"any error", errors.New("no"), uapi.EACCES},
		{"an errno", uapi.EPERM, uapi.EPERM},
		{"a wrapped errno", fmt.Errorf("policy: %w", uapi.ENODEV), uapi.ENODEV},
	}
	for _, c := range hookCalls {
		for _, a := range answers {
			t.Run(c.name+"/"+a.name, func(t *testing.T) {
				m, h := c.hooked(t)
				h.err = a.err
				before := m.effects()
				if err := c.do(m); c.hook == "Augment" {
					if err != errSIGBUS {
						t.Error(err)
					}
				} else {
					m.want(err, a.want)
				}
				for _, reason := range m.reasons { // of ioctls only
					var denial *DeniedError
					if !errors.As(reason, &denial) || denial.Errno != a.want || !errors.Is(denial, a.err) {
						t.Errorf("reason %v", reason)
					}
				}
				if now := m.effects(); now != before {
					t.Errorf("effects of a denied call: %+v became %+v", before, now)
				}
				h.err = nil
				if err := c.do(m); err != nil {
					t.Errorf("after a denial: %v", err)
				}
			})
		}
	}
}

// TestHooksComeLast: what the driver refuses anyway, no hook hears of.
func TestHooksComeLast(t *testing.T) {
	rows := []struct {
		name string
		do   func(m *machine) error
	}{
		{"CREATE", func(m *machine) error { return m.create(newSECS()) }},
		{"PROVISION", func(m *machine) error { return m.provision(8) }},
		{"ADD_PAGES", func(m *machine) error { return m.ioctl(add, m.addArg(0, 1, isa.NewSECINFO(isa.PT_REG, rw))) }},
		{"INIT", func(m *machine) error { return m.init(&isa.SIGSTRUCT{}) }},
		{"mmap", func(m *machine) error { return m.e.MayMap(base+0x4000, base+0x5000, rw, false) }},
		{"mmap, personality", func(m *machine) error { return m.e.MayMap(base, base+0x1000, rw, true) }},
		{"mprotect", func(m *machine) error { return m.e.MayProtect(base-0x1000, base, rw, false) }},
		{"RESTRICT", func(m *machine) error {
			return m.ioctl(restrict, &uapi.EnclaveRestrictPermissions{Length: 0x1000, Permissions: 2})
		}},
		{"MODIFY", func(m *machine) error { return m.ioctl(modify, modifyArg(0, 1, isa.PT_REG)) }},
		{"REMOVE", func(m *machine) error { _, err := m.remove(size, 1); return err }},
		{"unknown", func(m *machine) error { return m.e.Ioctl(m.c, 0xA4FF, 0) }},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c := hookCall{state: (*machine).initialized}
			m, h := c.hooked(t)
			if err := r.do(m); err == nil {
				t.Fatal("no error")
			}
			if len(h.events) != 0 {
				t.Errorf("asked: %+v", h.events)
			}
		})
	}
}

// TestHooksMayCallBack: hooks run without the driver's locks.
func TestHooksMayCallBack(t *testing.T) {
	for _, c := range hookCalls {
		t.Run(c.name, func(t *testing.T) {
			m, h := c.hooked(t)
			asked := 0
			h.during = func() {
				asked++
				m.e.Stats()
				m.e.Page(base)
				m.e.Runs(base, base+0x1000, func(_, _ isa.LinAddr, _ isa.Access) {})
			}
			if err := c.do(m); err != nil || asked != 1 {
				t.Errorf("%v after %d questions", err, asked)
			}
		})
	}
}

func TestDeniedError(t *testing.T) {
	err := denied(errors.New("no such signer"))
	if text := err.Error(); text != "denied: no such signer: EACCES" {
		t.Error(text)
	}
}

func TestNoHooksEnter(t *testing.T) {
	m := newMachine(t).initialized()
	m.want(m.e.MayEnter(base+0x5000), 0)
}

// cappingHooks lower what pages added at run time may have.
type cappingHooks struct{ fakeHooks }

func (cappingHooks) EnclaveAugment(ev *AugmentEvent) error {
	ev.Cap = rw
	return nil
}

// TestAugmentCap: R13: a page that policy adds without X never becomes executable.
func TestAugmentCap(t *testing.T) {
	m := newMachine(t, func(_ *machine, cfg *Config) { cfg.Hooks = &cappingHooks{} }).initialized()
	if r := m.fault(base+0x9000, rw); r != Resolved {
		t.Fatalf("RW: %v", r)
	}
	m.want(m.e.MayProtect(base+0x9000, base+0xa000, rw, false), 0)
	m.want(m.e.MayProtect(base+0x9000, base+0xa000, rx, false), uapi.EACCES)
	if r := m.fault(base+0xa000, isa.Read|isa.Exec); r != SIGBUS {
		t.Errorf("RX: %v", r)
	}
}
