package launch

import (
	"strings"
	"testing"

	"softsgx/isa"
)

// TestRequirements holds the requirements of the security reference ("Requirement
// table") that the engine alone can hold. Its subtests are named after them.
func TestRequirements(t *testing.T) {
	for _, r := range []struct {
		name string
		test func(*testing.T)
	}{
		{"R1 default unchanged", testDefaultUnchanged},
		{"R2 source of executable bytes is checked", testSource},
		{"R3 no X from a writable buffer without permission", testAnon},
		{"R5 static declaration, one check", testDeclaration},
		{"R6 denial only for the requested right, but always then", testRequested},
		{"R7 true object named", testTrueObject},
		{"R8 host and enclave execute separable", testSeparable},
		{"R9 enclave from anonymous memory by identity", testAnonByIdentity},
		{"R10 scope per enclave", testPerEnclave},
		{"R11 unmeasured X visible", testUnmeasured},
		{"R12 W+X mapping separate from W then X", testMapWX},
		{"R13 SGX2 dynamic code gated", testDynamic},
		{"R14 no mix of approved parts", testNoMix},
		{"R17 SCM_RIGHTS works", testReceiver},
		{"R19 owner's keys only", testNoBuiltInKey},
		{"R20 immutable after lock", testFrozen},
		{"R21 serviceable", testSignedUpdate},
		{"R23 attribute gates", testAttributeGates},
		{"R24 launch enclave path", testLaunchEnclave},
		{"R25 modular: no policy", testNoPolicy},
		{"R26 reusable for other enclave types", testOtherAdapter},
		{"R27 digests held, nothing else", testNothingHeld},
		{"R28 permissive faithful", testPermissiveFaithful},
		{"R30 scope by namespace", testNamespaces},
		{"R31 unlisted signers do not start", testUnlisted},
		{"R32 loader that lies", testLyingLoader},
		{"R33 grant bound to a verified SIGSTRUCT", testVerifiedOnly},
	} {
		t.Run(r.name, r.test)
	}
}

func testDefaultUnchanged(t *testing.T) {
	for name, text := range map[string]string{"off": `mode off;`, "default allow": `default allow;`} {
		e := engine(t, text)
		for _, ev := range everyEvent() {
			d, plain := e.Decide(ev), (*Engine)(nil).Decide(ev)
			if !d.Allowed() || d.WouldDeny || d.Max != plain.Max || d.Permit != plain.Permit {
				t.Errorf("%s: %s: %+v, without policy %+v", name, nameOf(ev), d, plain)
			}
		}
		bad := initOf(claimed)
		if d := engine(t, `mode off;`).Decide(bad); !d.Allowed() {
			t.Errorf("%s: an unverified SIGSTRUCT is EINIT's to refuse", name)
		}
	}
}

func testSource(t *testing.T) {
	e := engine(t, `permit (principal, action == Action::"EXECUTE", resource == File::"/opt/a.so") when { resource.sha256 == "FILE_A" };`)
	expect(t, e, load(FromFile, rx), Allow)
	expect(t, e, load(FromModified, rx), Deny)
	expect(t, e, load(FromAnon, rx), Defer)
	for _, s := range []Source{{"/opt/b.so", fileA, 0}, {"/opt/a.so", fileB, 0}, {"/opt/a.so", Digest{}, 0}, {"", fileA, 0}} {
		l := load(FromFile, rx)
		l.Pages.Source = s
		if d := expect(t, e, l, Deny); d.denials() != setOf(EXECUTE) {
			t.Errorf("%+v: %v", s, d.denials())
		}
	}
}

func testAnon(t *testing.T) {
	const keys = `keyset "k" { allow mrsigner SIGNER_A: launch; }`
	e := engine(t, keys)
	d := expect(t, e, loaded(e, initOf(), load(FromAnon, rx)), Deny)
	if d.denials() != setOf(EXECANON) {
		t.Error(d.denials())
	}
	e = engine(t, keys+`permit (principal == User::"1000", action == Action::"EXECANON", resource);`)
	expect(t, e, loaded(e, initOf(), load(FromAnon, rx)), Allow)
}

func testDeclaration(t *testing.T) {
	for _, r := range []struct {
		p    Pages
		want RightSet
	}{
		{Pages{Cap: rw, Origin: FromAnon}, 0},
		{Pages{Cap: rx, Origin: FromFile, Measured: MeasuredAll}, setOf(EXECUTE)},
		{Pages{Cap: rwx, Origin: FromFile, Measured: MeasuredAll}, setOf(EXECUTE, EXECMOD)},
		{Pages{Cap: rx, Origin: FromModified, Measured: MeasuredAll}, setOf(EXECMOD)},
		{Pages{Cap: rx, Origin: FromAnon, Measured: MeasuredAll}, setOf(EXECANON)},
		{Pages{Cap: rwx, Origin: FromAnon, Measured: MeasuredAll}, setOf(EXECANON, EXECDIRTY)},
		{Pages{Cap: rwx, Origin: FromAugment}, setOf(EXECDIRTY)},
		{Pages{Cap: rx, Origin: FromFile, Measured: MeasuredPart}, setOf(EXECUTE, EXECUNMR)},
	} {
		if got := r.p.Declared(); got != r.want {
			t.Errorf("%+v: %v, want %v", r.p, got, r.want)
		}
	}
}

func testRequested(t *testing.T) {
	e := engine(t, ``)
	if d := expect(t, e, load(FromFile, rw), Allow); len(d.Reasons) != 0 {
		t.Error("a record for data", d.Reasons)
	}
	if d := expect(t, e, load(FromFile, rx), Deny); len(d.Reasons) != 1 {
		t.Error("not one reason", d.Reasons)
	}
}

func testTrueObject(t *testing.T) {
	e := engine(t, `permit (principal, action == Action::"EXECUTE", resource == File::"/opt/a.so");`)
	expect(t, e, load(FromFile, rx), Allow)
	bad := load(FromFile, rx)
	bad.Pages.Source = Source{Path: "/opt/b.so", SHA256: fileB}
	d := expect(t, e, bad, Deny)
	if got := d.Error(); !strings.Contains(got, "/opt/b.so") || !strings.Contains(got, fileB.String()) || strings.Contains(got, "/opt/a.so") {
		t.Error(got)
	}
}

func testSeparable(t *testing.T) {
	e := engine(t, `permit (principal == User::"1000", action == Action::"EXECUTE", resource == File::"/opt/a.so");`)
	expect(t, e, load(FromFile, rx), Allow)
	expect(t, e, &MapEvent{Subject: user, Enclave: identity(), Rights: rwx}, Deny) // the grant is of enclave execute alone
}

func testAnonByIdentity(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrenclave ENCLAVE_A: launch, anon; allow mrenclave ENCLAVE_B: launch; }`)
	expect(t, e, loaded(e, initOf(), load(FromAnon, rx)), Allow)
	expect(t, e, loaded(e, initOf(measured(enclaveB)), load(FromAnon, rx)), Deny)
}

func testPerEnclave(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch, anon; allow mrenclave ENCLAVE_B: dirty; }`)
	expect(t, e, loaded(e, initOf(measured(enclaveB)), load(FromAnon, rwx)), Allow)
	if d := expect(t, e, loaded(e, initOf(), load(FromAnon, rwx)), Deny); d.denials() != setOf(EXECDIRTY) {
		t.Error(d.denials())
	}
}

func testUnmeasured(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch; } permit (principal, action == Action::"EXECUTE", resource);`)
	part := load(FromFile, rx)
	part.Pages.Measured = MeasuredPart
	d := expect(t, e, loaded(e, initOf(), part), Log)
	if !strings.Contains(reasonLines(d.Reasons), "EXECUNMR log") {
		t.Error(d.Reasons)
	}
	e = engine(t, `default deny EXECUNMR; keyset "k" { allow mrsigner SIGNER_A: launch; } permit (principal, action == Action::"EXECUTE", resource);`)
	if d := expect(t, e, loaded(e, initOf(), part), Deny); !strings.Contains(d.Error(), "2 from 0x1000+0x2000") {
		t.Error(d.Error())
	}
}

func testMapWX(t *testing.T) {
	e := engine(t, `permit (principal == User::"7", action == Action::"MAPWX", resource);`)
	for _, a := range []isa.Access{rw, rx} {
		expect(t, e, &MapEvent{Subject: user, Enclave: identity(), Rights: a}, Allow)
		expect(t, e, &ProtectEvent{Subject: user, Enclave: identity(), Rights: a}, Allow)
	}
	expect(t, e, &MapEvent{Subject: user, Enclave: identity(), Rights: rwx}, Deny)
	expect(t, e, &ProtectEvent{Subject: user, Enclave: identity(), Rights: rwx}, Deny)
	expect(t, e, &MapEvent{Subject: Subject{UID: 7}, Enclave: identity(), Rights: rwx}, Allow)
}

func testDynamic(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch; allow mrsigner SIGNER_B: launch, dirty; }`)
	if d := expect(t, e, &AugmentEvent{Subject: user, Enclave: identity(), Rights: rw}, Allow); d.Max != rw {
		t.Errorf("cap %v", d.Max)
	}
	expect(t, e, &AugmentEvent{Subject: user, Enclave: identity(), Rights: rwx}, Deny)
	later := &ProtectEvent{Subject: user, Enclave: identity(), Rights: rx, Dynamic: true}
	expect(t, e, later, Deny)
	dirty := identity(signedBy(signerB))
	if d := expect(t, e, &AugmentEvent{Subject: user, Enclave: dirty, Rights: rwx}, Allow); d.Max != rwx {
		t.Errorf("cap %v", d.Max)
	}
	later.Enclave = dirty
	expect(t, e, later, Allow)
}

func testNoMix(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrenclave ENCLAVE_A: launch; } permit (principal, action == Action::"EXECUTE", resource)
		when { ["FILE_A", "FILE_B"].contains(resource.sha256) };`)
	other := load(FromFile, rx)
	other.Pages.Source = Source{Path: "/opt/b.so", SHA256: fileB}
	expect(t, e, loaded(e, initOf(), load(FromFile, rx)), Allow)
	expect(t, e, loaded(e, initOf(measured(enclaveB)), load(FromFile, rx), other), Deny)
}

func testReceiver(t *testing.T) {
	e := engine(t, ``)
	expect(t, e, &MapEvent{Subject: user, Enclave: identity(), Rights: rx}, Allow)
	expect(t, e, &EnterEvent{Subject: user, Enclave: identity()}, Allow)
	e = engine(t, `forbid (principal, action in [Action::"MAP", Action::"ENTER"], resource) unless { context.creator };`)
	expect(t, e, &MapEvent{Subject: user, Enclave: identity(), Rights: rx}, Deny)
	expect(t, e, &EnterEvent{Subject: user, Enclave: identity(), Creator: true}, Allow)
}

func testNoBuiltInKey(t *testing.T) {
	e := engine(t, `keyset "k" { }`)
	expect(t, e, initOf(), Deny)
	if _, _, entries := (&Policy{namespaces: e.namespaces}).Size(); entries != 0 {
		t.Error("entries that nobody wrote")
	}
	expect(t, engine(t, `default allow;`), initOf(), Allow)
}

func testAttributeGates(t *testing.T) {
	const both = `keyset "k" { allow mrsigner SIGNER_A: launch, provision; allow mrsigner SIGNER_B: launch; }`
	for _, r := range []struct {
		name, text string
		signer     Digest
		fd         bool
		want       Outcome
	}{
		{"descriptor and grant", both, signerA, true, Allow},
		{"grant alone", both, signerA, false, Deny},
		{"descriptor alone", both, signerB, true, Deny},
		{"neither", both, signerB, false, Deny},
		{"grant alone suffices", `provision keyset;` + both, signerA, false, Allow},
		{"no grant", `provision keyset;` + both, signerB, true, Deny},
	} {
		ev := initOf(signedBy(r.signer), with(isa.ATTR_PROVISIONKEY))
		ev.ProvisionFD = r.fd
		d := expect(t, engine(t, r.text), ev, r.want)
		if permitted := d.Permit&isa.ATTR_PROVISIONKEY != 0; permitted != (r.want == Allow) {
			t.Errorf("%s: permits %#x", r.name, d.Permit)
		}
	}
	debug := initOf(with(isa.ATTR_DEBUG))
	expect(t, engine(t, both), debug, Deny)
	expect(t, engine(t, both+`permit (principal == User::"1000", action == Action::"DEBUG", resource);`), debug, Allow)
	create := &CreateEvent{user, Enclave{ATTRIBUTES: debug.Enclave.ATTRIBUTES}}
	expect(t, engine(t, both), create, Defer)
	expect(t, engine(t, both+`forbid (principal, action == Action::"DEBUG", resource);`), create, Deny)
}

func testLaunchEnclave(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch, einittoken; }`)
	le := initOf(with(isa.ATTR_EINITTOKEN_KEY))
	if d := expect(t, e, le, Allow); d.Permit != isa.ATTR_EINITTOKEN_KEY {
		t.Errorf("permits %#x", d.Permit)
	}
	expect(t, e, initOf(with(isa.ATTR_EINITTOKEN_KEY), signedBy(signerB)), Deny)
	ev := initOf(signedBy(signerB))
	expect(t, e, ev, Deny)
	ev.Token = Token{Checked: true, MRSIGNER: signerA}
	expect(t, e, ev, Allow)
	ev.Token.Checked = false // wrong MRENCLAVE, attributes or key: the processor refused it
	expect(t, e, ev, Deny)
	ev.Token = Token{Checked: true, MRSIGNER: signerB}
	expect(t, e, ev, Deny)
}

func testNoPolicy(t *testing.T) {
	var none *Engine
	for _, ev := range everyEvent() {
		if d := none.Decide(ev); d.Outcome != Allow || d.Max != rwx {
			t.Errorf("%s: %+v", nameOf(ev), d)
		}
	}
}

// otherKind is an adapter for enclaves that are no SGX: it has an identity and pages.
type otherKind struct{ digest Digest }

func (o otherKind) starts() Event {
	return &InitEvent{Subject: user, Enclave: Enclave{Known: true, MRENCLAVE: o.digest}}
}

func testOtherAdapter(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrenclave ENCLAVE_A; }`)
	expect(t, e, otherKind{enclaveA}.starts(), Allow)
	expect(t, e, otherKind{enclaveB}.starts(), Deny)
}

func testNothingHeld(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch, anon; }`)
	before := e.Generation()
	for range 1000 {
		expect(t, e, loaded(e, initOf(), load(FromAnon, rx)), Allow)
	}
	if e.Generation() != before {
		t.Error("decisions changed the engine")
	}
}

func testPermissiveFaithful(t *testing.T) {
	const rest = `keyset "k" { allow mrsigner SIGNER_B: launch; } forbid (principal, action == Action::"EXECMOD", resource);`
	enforcing, permissive := engine(t, rest), engine(t, `mode permissive;`+rest)
	for _, ev := range everyEvent() {
		hard, soft := enforcing.Decide(ev), permissive.Decide(ev)
		if !soft.Allowed() || soft.WouldDeny != (hard.Outcome == Deny) {
			t.Errorf("%s: %v (would deny: %v), enforcing %v", nameOf(ev), soft.Outcome, soft.WouldDeny, hard.Outcome)
		}
		if soft.Needs != hard.Needs || soft.Recorded != hard.Recorded || soft.Max != rwx {
			t.Errorf("%s: records differ", nameOf(ev))
		}
		if soft.denials() != hard.denials() {
			t.Errorf("%s: reasons for %v, enforcing %v", nameOf(ev), soft.denials(), hard.denials())
		}
	}
}

func testUnlisted(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A instances 2 size 2097152: launch; }`)
	expect(t, e, initOf(signedBy(signerB)), Deny)
	ev := initOf()
	ev.Running = 1
	expect(t, e, ev, Allow)
	ev.Running = 2
	expect(t, e, ev, Deny)
	expect(t, e, initOf(func(e *Enclave) { e.Size = 4 << 20 }), Deny)
}

func testLyingLoader(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrenclave ENCLAVE_A: launch; }`)
	expect(t, e, initOf(measured(enclaveB)), Deny) // what it says about sources changes no measurement
	expect(t, e, initOf(claimed), Deny)
}

func testVerifiedOnly(t *testing.T) {
	e := engine(t, `provision keyset; keyset "k" { allow mrsigner SIGNER_A: launch, provision, dirty; allow mrsigner SIGNER_B: launch; }`)
	bogus := initOf(claimed, with(isa.ATTR_PROVISIONKEY))
	if got := e.Claimed(bogus); got != isa.ATTR_PROVISIONKEY {
		t.Errorf("the check before verification sees %#x", got)
	}
	if d := expect(t, e, bogus, Deny); d.Permit != 0 || d.Grants != 0 {
		t.Errorf("an unverified SIGSTRUCT got %v, %#x", d.Grants, d.Permit)
	}
	own := initOf(signedBy(signerB), with(isa.ATTR_PROVISIONKEY))
	if d := expect(t, e, own, Deny); d.Permit != 0 || e.Claimed(own) != 0 {
		t.Errorf("the second attempt kept %#x", d.Permit)
	}
	expect(t, e, &AugmentEvent{Subject: user, Enclave: identity(signedBy(signerB)), Rights: rwx}, Deny)
}
