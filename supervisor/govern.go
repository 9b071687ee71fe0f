//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"softsgx/driver"
	"softsgx/isa"
	"softsgx/launch"
	"softsgx/uapi"

	"golang.org/x/sys/unix"
)

// Policy decides what the driver asks. *launch.Engine is one.
type Policy interface {
	Decide(launch.Event) launch.Decision
}

// Record notes a decision before it takes effect. An error keeps it from taking
// effect: the call fails with EIO.
type Record func(launch.Event, *launch.Decision) error

// governor turns what the driver is about to do into events of the policy. It is
// driver.Hooks. Load comes from workers, everything else from the tracer thread.
type governor struct {
	s      *Supervisor
	policy Policy
	record Record

	mu       sync.Mutex
	enclaves map[uint64]*governed // by ID
	programs map[*Process]program // what each process executes
}

// program is the file that a process executes.
type program struct {
	path   string
	digest launch.Digest
}

// governed is what policy knows of one enclave.
type governed struct {
	creator   int // tgid
	known     launch.Enclave
	pending   launch.Pending
	provision bool
	entered   map[int]bool // by tgid
}

func newGovernor(s *Supervisor, p Policy, r Record) *governor {
	return &governor{
		s: s, policy: p, record: r,
		enclaves: map[uint64]*governed{}, programs: map[*Process]program{},
	}
}

// of returns what is known of the enclave, for use under the lock or on its only
// user's thread.
func (g *governor) of(e *driver.Enclave) *governed {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.enclaves[e.ID()]
	if known == nil {
		known = &governed{entered: map[int]bool{}}
		g.enclaves[e.ID()] = known
	}
	return known
}

// forget drops an enclave that is gone.
func (g *governor) forget(e *driver.Enclave) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.enclaves, e.ID())
}

// decide asks the policy and records what has to be recorded: refusals, what the
// policy wants logged, and always if the event matters to the record.
func (g *governor) decide(ev launch.Event, always bool) (launch.Decision, error) {
	d := g.policy.Decide(ev)
	if always || d.Outcome == launch.Deny || d.Outcome == launch.Log || d.WouldDeny {
		if err := g.record(ev, &d); err != nil {
			g.s.warn("a decision cannot be recorded, so it does not take effect: %v", err)
			return d, uapi.EIO
		}
	}
	if !d.Allowed() {
		return d, fmt.Errorf("%w: %w", &d, uapi.EACCES)
	}
	return d, nil
}

// subject describes the process of a thread as it is now. What it executes is looked
// up once: after an exec it is another Process.
func (g *governor) subject(t *Thread) launch.Subject {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := g.programs[t.proc]
	if !ok {
		p = g.program(t)
		g.programs[t.proc] = p
	}
	sub := launch.Subject{Path: p.path, SHA256: p.digest}
	if st, err := os.Stat(fmt.Sprintf("/proc/%d", t.tid)); err == nil {
		sub.UID = st.Sys().(*syscall.Stat_t).Uid
	}
	return sub
}

func (g *governor) program(t *Thread) program {
	p, link := program{path: t.exe()}, fmt.Sprintf("/proc/%d/exe", t.tid)
	var st unix.Stat_t
	if unix.Stat(link, &st) == nil {
		if shot, err := g.s.snapshots.get(link, inode{st.Dev, st.Ino}); err == nil {
			p.digest = shot.digest
		}
	}
	return p
}

// ended drops a process that is gone.
func (g *governor) ended(p *Process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.programs, p)
}

func thread(c driver.Caller) *Thread { return c.(*caller).t }

// EnclaveCreate implements driver.Hooks.
func (g *governor) EnclaveCreate(ev *driver.CreateEvent) error {
	t, e := thread(ev.Caller), g.of(ev.Enclave)
	known := launch.Enclave{ATTRIBUTES: ev.SECS.ATTRIBUTES, Size: ev.SECS.SIZE}
	if _, err := g.decide(&launch.CreateEvent{Subject: g.subject(t), Enclave: known}, false); err != nil {
		return err
	}
	e.creator, e.known = t.proc.tgid, known
	return nil
}

// EnclaveProvision implements driver.Hooks.
func (g *governor) EnclaveProvision(ev *driver.ProvisionEvent) error {
	e := g.of(ev.Enclave)
	if _, err := g.decide(&launch.ProvisionEvent{Subject: g.subject(thread(ev.Caller)), Enclave: e.known}, true); err != nil {
		return err
	}
	e.provision = true
	return nil
}

// EnclaveLoad implements driver.Hooks. Only pages that may become executable ask
// where they come from; each such run is recorded.
func (g *governor) EnclaveLoad(ev *driver.LoadEvent) error {
	c, e := ev.Caller.(*caller), g.of(ev.Enclave)
	rights := ev.SECINFO.RWX()
	if rights&isa.Exec == 0 {
		return nil
	}
	base, _, _ := ev.Enclave.Range()
	pages := launch.Pages{Offset: uint64(ev.Start - base), Cap: rights}
	if ev.Measured {
		pages.Measured = launch.MeasuredAll
	}
	who := g.subject(c.t)
	for _, run := range c.provenance(uint64(ev.Source), ev.Content) {
		pages.Length = uint64(run.pages) * isa.PageSize
		pages.Origin = run.origin
		pages.Source = launch.Source{Path: run.path, SHA256: run.digest, Offset: run.offset}
		load := launch.LoadEvent{Subject: who, Enclave: e.known, Pages: pages}
		d, err := g.decide(&load, true)
		if err != nil {
			return err
		}
		e.pending.Add(&load, &d)
		pages.Offset += pages.Length
	}
	return nil
}

// EnclaveInit implements driver.Hooks.
func (g *governor) EnclaveInit(ev *driver.InitEvent) error {
	init := g.initEvent(ev)
	_, err := g.decide(init, true)
	if err == nil {
		g.of(ev.Enclave).known = init.Enclave
	}
	return err
}

// claimer is a Policy that grants attributes by identity.
type claimer interface {
	Claimed(*launch.InitEvent) uint64
}

// Claimed implements driver.AttributeGranter.
func (g *governor) Claimed(ev *driver.InitEvent) uint64 {
	if p, ok := g.policy.(claimer); ok {
		return p.Claimed(g.initEvent(ev))
	}
	return 0
}

func (g *governor) initEvent(ev *driver.InitEvent) *launch.InitEvent {
	e := g.of(ev.Enclave)
	known := e.known
	known.Known = ev.Verified
	known.MRENCLAVE, known.MRSIGNER = ev.SIGSTRUCT.ENCLAVEHASH, ev.MRSIGNER
	known.ISVPRODID, known.ISVSVN = ev.SIGSTRUCT.ISVPRODID, ev.SIGSTRUCT.ISVSVN
	return &launch.InitEvent{
		Subject: g.subject(thread(ev.Caller)), Enclave: known, Pending: e.pending,
		ProvisionFD: e.provision, Running: g.running(known.MRENCLAVE),
	}
}

// running counts the initialized enclaves with a measurement.
func (g *governor) running(mrenclave launch.Digest) (n uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.enclaves {
		if e.known.Known && e.known.MRENCLAVE == mrenclave {
			n++
		}
	}
	return n
}

// EnclaveMap implements driver.Hooks.
func (g *governor) EnclaveMap(ev *driver.MapEvent) error {
	m := g.mapEvent(ev.Enclave, ev.Start, ev.End, ev.Rights)
	_, err := g.decide(&m, false)
	return err
}

// EnclaveProtect implements driver.Hooks.
func (g *governor) EnclaveProtect(ev *driver.ProtectEvent) error {
	p := launch.ProtectEvent(g.mapEvent(ev.Enclave, ev.Start, ev.End, ev.Rights))
	_, err := g.decide(&p, false)
	return err
}

func (g *governor) mapEvent(enclave *driver.Enclave, start, end isa.LinAddr, rights isa.Access) launch.MapEvent {
	e, t := g.of(enclave), g.s.current
	return launch.MapEvent{
		Subject: g.subject(t), Enclave: e.known, Rights: rights, Creator: e.creator == 0 || e.creator == t.proc.tgid,
		Dynamic: rights&isa.Exec != 0 && enclave.Dynamic(start, end),
	}
}

// EnclaveAugment implements driver.Hooks.
func (g *governor) EnclaveAugment(ev *driver.AugmentEvent) error {
	e := g.of(ev.Enclave)
	base, _, _ := ev.Enclave.Range()
	d, err := g.decide(&launch.AugmentEvent{
		Subject: g.subject(g.s.current), Enclave: e.known, Offset: uint64(ev.Addr - base), Rights: ev.Rights,
	}, false)
	ev.Cap = d.Max
	return err
}

// EnclaveModify implements driver.Hooks.
func (g *governor) EnclaveModify(ev *driver.ModifyEvent) error {
	e := g.of(ev.Enclave)
	base, _, _ := ev.Enclave.Range()
	_, err := g.decide(&launch.ModifyEvent{
		Subject: g.subject(thread(ev.Caller)), Enclave: e.known,
		Offset: uint64(ev.Start - base), Length: uint64(ev.End - ev.Start), Rights: ev.Rights,
	}, false)
	return err
}

// EnclaveEnter implements driver.Hooks. The first entry of each process is asked.
func (g *governor) EnclaveEnter(ev *driver.EnterEvent) error {
	e, t := g.of(ev.Enclave), g.s.current
	if e.entered[t.proc.tgid] {
		return nil
	}
	_, err := g.decide(&launch.EnterEvent{
		Subject: g.subject(t), Enclave: e.known, Creator: e.creator == t.proc.tgid,
	}, true)
	e.entered[t.proc.tgid] = err == nil
	return err
}
