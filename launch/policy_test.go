package launch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"softsgx/isa"
)

// Identities of the tests.
var (
	signerA, signerB   = fill(0xA1), fill(0xB2)
	enclaveA, enclaveB = fill(0xEA), fill(0xEB)
	fileA, fileB       = fill(0xFA), fill(0xFB)
)

func fill(b byte) Digest {
	var d Digest
	for i := range d {
		d[i] = b
	}
	return d
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// expand puts the names of the tests' identities in.
func expand(text string) string {
	return strings.NewReplacer("SIGNER_A", signerA.String(), "SIGNER_B", signerB.String(), "ENCLAVE_A", enclaveA.String(),
		"ENCLAVE_B", enclaveB.String(), "FILE_A", fileA.String(), "FILE_B", fileB.String()).Replace(text)
}

func engine(t testing.TB, text string) *Engine {
	t.Helper()
	p, err := Parse("test.policy", []byte(expand(text)))
	if err != nil {
		t.Fatal(err)
	}
	return New(p, func() time.Time { return noon })
}

var user = Subject{UID: 1000, Path: "/usr/bin/app", SHA256: fill(0x50)}

// inside returns the test's subject in a namespace.
func inside(namespace string) Subject {
	s := user
	s.Namespace = namespace
	return s
}

// identity is a verified enclave of signer A.
func identity(change ...func(*Enclave)) Enclave {
	i := Enclave{Known: true, MRENCLAVE: enclaveA, MRSIGNER: signerA, ISVPRODID: 1, ISVSVN: 3,
		ATTRIBUTES: isa.ATTRIBUTES{Flags: isa.ATTR_MODE64BIT, XFRM: 3}, Size: 1 << 20}
	for _, c := range change {
		c(&i)
	}
	return i
}

func signedBy(d Digest) func(*Enclave) { return func(e *Enclave) { e.MRSIGNER = d } }
func measured(d Digest) func(*Enclave) { return func(e *Enclave) { e.MRENCLAVE = d } }
func claimed(e *Enclave)               { e.Known = false }
func with(flags uint64) func(*Enclave) { return func(e *Enclave) { e.ATTRIBUTES.Flags |= flags } }

func initOf(change ...func(*Enclave)) *InitEvent {
	return &InitEvent{Subject: user, Enclave: identity(change...)}
}

const (
	rw  = isa.Read | isa.Write
	rx  = isa.Read | isa.Exec
	rwx = fullRights
)

// load is a measured run of two pages.
func load(o Origin, cap isa.Access) *LoadEvent {
	l := &LoadEvent{Subject: user, Enclave: Enclave{Size: 1 << 20},
		Pages: Pages{Offset: 0x1000, Length: 0x2000, Cap: cap, Origin: o, Measured: MeasuredAll}}
	if o == FromFile || o == FromModified {
		l.Pages.Source = Source{Path: "/opt/a.so", SHA256: fileA}
	}
	return l
}

// loaded is an init after these loads.
func loaded(e *Engine, ev *InitEvent, loads ...*LoadEvent) *InitEvent {
	for _, l := range loads {
		d := e.Decide(l)
		ev.Pending.Add(l, &d)
	}
	return ev
}

func expect(t *testing.T, e *Engine, ev Event, want Outcome) Decision {
	t.Helper()
	d := e.Decide(ev)
	if d.Outcome != want {
		t.Errorf("%T: %v, want %v%s", ev, d.Outcome, want, reasonLines(d.Reasons))
	}
	return d
}

// denials are the rights that d denies.
func (d *Decision) denials() RightSet {
	var set RightSet
	for _, r := range d.Reasons {
		if r.Outcome == Deny {
			set = set.With(r.Right)
		}
	}
	return set
}

func setOf(rs ...Right) RightSet {
	var set RightSet
	for _, r := range rs {
		set = set.With(r)
	}
	return set
}

// everyEvent is one event of each kind with as many rights in question as can be.
func everyEvent() []Event {
	all := identity(with(isa.ATTR_DEBUG | isa.ATTR_PROVISIONKEY))
	return []Event{
		&CreateEvent{user, Enclave{ATTRIBUTES: all.ATTRIBUTES}}, &ProvisionEvent{Subject: user},
		load(FromAnon, rwx), load(FromFile, rwx), load(FromModified, rx), load(FromFile, rw),
		&InitEvent{Subject: user, Enclave: all, ProvisionFD: true},
		&MapEvent{Subject: user, Enclave: all, Rights: rwx, Dynamic: true},
		&ProtectEvent{Subject: user, Enclave: all, Rights: rwx},
		&AugmentEvent{Subject: user, Enclave: all, Rights: rwx},
		&ModifyEvent{Subject: user, Enclave: all, Rights: rwx},
		&EnterEvent{Subject: user, Enclave: all}, &EnterEvent{Subject: user, Enclave: all, Debug: true},
	}
}

func nameOf(ev Event) string { return strings.TrimPrefix(fmt.Sprintf("%T", ev), "*launch.") }
