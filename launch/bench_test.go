package launch

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"softsgx/isa"
)

// large is a policy with 10,000 entries and 1,000 file rules.
func large(t testing.TB) *Engine {
	var b strings.Builder
	b.WriteString("keyset \"prod\" {\n")
	for i := range 10000 {
		fmt.Fprintf(&b, "allow mrsigner %v prodid 1 minsvn 2 require !DEBUG: launch, anon;\n", numbered(i))
	}
	b.WriteString("}\nforbid (principal == User::\"0\", action == Action::\"LAUNCH\", resource);\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "permit (principal, action == Action::\"EXECUTE\", resource == File::\"/opt/%d.so\")\nwhen { resource.sha256 == \"%v\" };\n", i, fileA)
	}
	return engine(t, b.String())
}

func numbered(i int) Digest {
	d := fill(0x77)
	binary.BigEndian.PutUint32(d[:], uint32(i))
	return d
}

func benchEvents(e *Engine) map[string]Event {
	ev := initOf(signedBy(numbered(7777)))
	l := load(FromFile, rx)
	l.Pages.Source.Path = "/opt/777.so"
	return map[string]Event{
		"init": loaded(e, ev, load(FromAnon, rx)), "load": l,
		"map":   &MapEvent{Subject: user, Enclave: ev.Enclave, Rights: rx},
		"enter": &EnterEvent{Subject: user, Enclave: ev.Enclave},
	}
}

// BenchmarkDecide is one decision; 3 µs and no allocation are the limit.
func BenchmarkDecide(b *testing.B) {
	e := large(b)
	for name, ev := range benchEvents(e) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := e.Decide(ev); d.Outcome != Allow {
					b.Fatal(d.Outcome)
				}
			}
		})
	}
}

func TestAllowDoesNotAllocate(t *testing.T) {
	e := large(t)
	for name, ev := range benchEvents(e) {
		if n := testing.AllocsPerRun(100, func() {
			if d := e.Decide(ev); d.Outcome != Allow {
				t.Error(name, d.Outcome, d.Reasons)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkLoadPolicy(b *testing.B) {
	for b.Loop() {
		large(b)
	}
}

func BenchmarkDeny(b *testing.B) {
	e := large(b)
	ev := initOf(with(isa.ATTR_DEBUG))
	for b.Loop() {
		e.Decide(ev)
	}
}
