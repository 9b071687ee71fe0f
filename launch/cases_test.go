package launch

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestCases(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A minsvn 3: launch; }
		@id("no-map") forbid (principal, action == Action::"MAP", resource) unless { context.creator };`)
	cases, err := ReadCases(strings.NewReader(expand(`[
		{"name": "starts", "want": "allow", "rule": "k", "event": {"event": "init", "uid": 1, "verified": true, "mrsigner": "SIGNER_A", "isvsvn": 3}},
		{"name": "old", "want": "deny", "rule": "default", "event": {"event": "init", "uid": 1, "verified": true, "mrsigner": "SIGNER_A", "isvsvn": 2}},
		{"name": "anon", "want": "deny", "event": {"event": "init", "uid": 1, "verified": true, "mrsigner": "SIGNER_A", "isvsvn": 3,
			"loads": [{"event": "load", "rights": "rx", "length": 4096, "origin": "anon", "measured": "all"}]}},
		{"name": "data", "want": "allow", "event": {"event": "load", "rights": "rw", "length": 4096}},
		{"name": "receiver", "want": "deny", "rule": "no-map", "event": {"event": "map", "rights": "r--"}},
		{"name": "creator", "want": "allow", "event": {"event": "map", "rights": "r--", "creator": true}},
		{"name": "create", "want": "defer", "event": {"event": "create", "attributes": ["DEBUG"]}}
	]`)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range cases {
		if err := cases[i].Check(e); err != nil {
			t.Errorf("%s: %v", cases[i].Name, err)
		}
	}
	cases[0].Want = "deny"
	if err := cases[0].Check(e); err == nil || !strings.Contains(err.Error(), "allow, want deny") {
		t.Error(err)
	}
	cases[1].Rule = "k"
	if err := cases[1].Check(e); err == nil || !strings.Contains(err.Error(), "but not by k") {
		t.Error(err)
	}
}

func TestBadRecords(t *testing.T) {
	e := engine(t, ``)
	for _, text := range []string{
		`{`, `{"evnt": "init"}`, `{"event": "exec"}`, `{"event": "load", "rights": "rq"}`, `{"event": "load", "origin": "disk"}`,
		`{"event": "init", "attributes": ["ROOT"]}`, `{"event": "init", "mrsigner": "12"}`, `{"event": "init", "loads": [{"event": "map"}]}`,
	} {
		rec, err := ReadRecord(strings.NewReader(text))
		if err == nil {
			_, err = rec.Build(e)
		}
		if err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// TestUnknown: what cannot be evaluated permits nothing and forbids.
func TestUnknown(t *testing.T) {
	unreadable := load(FromFile, rx)
	unreadable.Pages.Source.SHA256 = Digest{}
	e := engine(t, `permit (principal, action == Action::"EXECUTE", resource); forbid (principal, action == Action::"EXECUTE", resource) when { resource.sha256 == "FILE_B" };`)
	expect(t, e, load(FromFile, rx), Allow)
	expect(t, e, unreadable, Deny)
	e = engine(t, `permit (principal, action == Action::"EXECUTE", resource) when { resource.sha256 != "FILE_B" };`)
	expect(t, e, load(FromFile, rx), Allow)
	expect(t, e, unreadable, Deny)
	e = engine(t, `forbid (principal, action == Action::"MAP", resource) when { resource has mrsigner && resource.mrsigner == "SIGNER_B" };`)
	expect(t, e, &MapEvent{Subject: user, Rights: rx}, Allow)
	expect(t, e, &MapEvent{Subject: user, Enclave: identity(signedBy(signerB)), Rights: rx}, Deny)
}

// TestEarlyForbid: a forbid that needs the identity waits for it, and no grant to the
// subject settles the need before.
func TestEarlyForbid(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A; allow mrsigner SIGNER_B; } permit (principal, action == Action::"EXECANON", resource);
		forbid (principal, action == Action::"EXECANON", resource) when { resource.mrsigner == "SIGNER_B" };`)
	byKeyset := engine(t, `keyset "k" { allow mrsigner SIGNER_A; allow mrsigner SIGNER_B; } keyset "bad" { allow mrsigner SIGNER_B; }
		permit (principal, action == Action::"EXECANON", resource); forbid (principal, action == Action::"EXECANON", resource in Keyset::"bad");`)
	for _, e := range []*Engine{e, byKeyset} {
		expect(t, e, load(FromAnon, rx), Defer)
		expect(t, e, loaded(e, initOf(), load(FromAnon, rx)), Allow)
		expect(t, e, loaded(e, initOf(signedBy(signerB)), load(FromAnon, rx)), Deny)
	}
}

// TestRules: SIGFILE, keysets in rules and @log.
func TestRules(t *testing.T) {
	e := engine(t, `default allow; keyset "k" { allow mrsigner SIGNER_A; allow mrsigner SIGNER_B; }
		forbid (principal, action == Action::"SIGFILE", resource) unless { resource has sha256 && resource.sha256 == "FILE_A" };
		forbid (principal, action == Action::"MAP", resource in Keyset::"k");
		@id("seen") @log permit (principal, action == Action::"ENTER", resource);`)
	ev := initOf()
	expect(t, e, ev, Deny)
	ev.SIGSTRUCT, ev.FromFile = Source{Path: "/opt/a.sig", SHA256: fileA}, true
	expect(t, e, ev, Allow)
	expect(t, e, &MapEvent{Subject: user, Enclave: identity(), Rights: rx}, Deny)
	expect(t, e, &MapEvent{Subject: user, Enclave: identity(signedBy(fileB)), Rights: rx}, Allow)
	if d := expect(t, e, &EnterEvent{Subject: user, Enclave: identity()}, Log); d.Reasons[0].Rule != "seen" {
		t.Error(d.Reasons)
	}
}

// TestExample runs the cases of the documented example.
func TestExample(t *testing.T) {
	files := os.DirFS("testdata")
	p, err := Load(files, "machine.policy")
	if err != nil {
		t.Fatal(err)
	}
	f, err := files.Open("machine.cases.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, err := ReadCases(f)
	if err != nil || len(cases) == 0 {
		t.Fatal(len(cases), err)
	}
	e := New(p, time.Now)
	for i := range cases {
		if err := cases[i].Check(e); err != nil {
			t.Errorf("%s: %v", cases[i].Name, err)
		}
	}
}
