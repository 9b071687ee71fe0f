package launch

import (
	"testing"
)

func testNamespaces(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch, anon; }
		namespace "web" { keyset "k" { allow mrsigner SIGNER_A: launch; } }
		namespace "lab" { keyset "k" { allow mrsigner SIGNER_A: launch, anon; } }`)
	for namespace, want := range map[string]Outcome{"web": Deny, "lab": Allow, "": Allow, "unnamed": Allow, "web/child": Deny} {
		ev, l := initOf(), load(FromAnon, rx)
		ev.Subject, l.Subject = inside(namespace), inside(namespace)
		expect(t, e, loaded(e, ev, l), want)
	}
}

// TestNarrowing: whatever a child says, it allows nothing that its parent refuses.
func TestNarrowing(t *testing.T) {
	for _, child := range []string{
		``, `mode off;`, `mode permissive;`, `default allow;`, `provision keyset;`,
		`keyset "k" { allow mrsigner SIGNER_A: launch, provision, einittoken, dirty, anon, unmeasured, debug; }`,
		`permit (principal, action, resource);`,
		`mode permissive; default allow; permit (principal, action, resource);`,
	} {
		const parent = `forbid (principal, action == Action::"MAP", resource); keyset "k" { deny mrsigner SIGNER_B; }`
		alone, nested := engine(t, parent), engine(t, parent+` namespace "c" { `+child+` }`)
		for _, ev := range everyEvent() {
			subject, _ := ev.frame()
			before := alone.Decide(ev)
			subject.Namespace = "c"
			if after := nested.Decide(ev); before.Outcome == Deny && after.Outcome != Deny {
				t.Errorf("child %q: %s is %v, its parent denies", child, nameOf(ev), after.Outcome)
			}
		}
	}
}

func TestModes(t *testing.T) {
	for _, r := range []struct {
		text string
		want Outcome
	}{
		{`mode off;`, Allow}, {`mode permissive;`, Log}, {`mode enforce;`, Deny}, {``, Deny},
		{`mode permissive; namespace "n" { mode enforce; default deny LAUNCH; }`, Deny},
		{`mode permissive; namespace "n" { default deny LAUNCH; }`, Log},
		{`mode enforce; default allow; namespace "n" { mode permissive; default deny LAUNCH; }`, Log},
		{`namespace "n" { default deny LAUNCH; } mode permissive;`, Log},
		{`mode enforce; default allow; namespace "n" { mode off; default deny LAUNCH; }`, Allow},
	} {
		ev := initOf()
		ev.Subject.Namespace = "n"
		d := expect(t, engine(t, r.text), ev, r.want)
		if d.Outcome != Deny && d.WouldDeny != (r.want == Log) {
			t.Errorf("%s: would deny: %v", r.text, d.WouldDeny)
		}
	}
}

// TestForbidAlone: a child that only forbids leaves the rest to its parent.
func TestForbidAlone(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A; allow mrsigner SIGNER_B; }
		namespace "n" { forbid (principal, action == Action::"LAUNCH", resource in Signer::"SIGNER_B"); }`)
	for signer, want := range map[Digest]Outcome{signerA: Allow, signerB: Deny} {
		ev := initOf(signedBy(signer))
		ev.Subject.Namespace = "n"
		expect(t, e, ev, want)
	}
}

// TestOtherLoader: an enclave that a process of a lax namespace loaded is judged
// whole where a process of a strict one starts it.
func TestOtherLoader(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch, anon; } permit (principal, action == Action::"EXECANON", resource);
		namespace "lax" { mode off; }
		namespace "strict" { keyset "k" { allow mrsigner SIGNER_A: launch; } }`)
	l, ev := load(FromAnon, rx), initOf()
	l.Subject, ev.Subject = inside("lax"), inside("strict")
	expect(t, e, loaded(e, ev, l), Deny)
}
