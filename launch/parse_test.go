package launch

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMistakes(t *testing.T) {
	for _, r := range []struct{ name, text, want string }{
		{"mode", "mode enforcing;", `p:1:6: "enforcing" is no mode: the modes are off, permissive and enforce`},
		{"statement", "\n  allow;", "p:2:3: "},
		{"digest", "keyset \"k\" {\n allow mrsigner 12;\n}", `p:2:17: keyset k: "12" has 2 characters`},
		{"grant", `keyset "k" { allow mrsigner SIGNER_A: fly; }`, `p:1:95: keyset k: "fly" is no grant`},
		{"nobody", `keyset "k" { allow prodid 1; }`, "p:1:14: keyset k: an entry names a signer or an enclave"},
		{"open keyset", `keyset "k" { `, "p:1:8: keyset k: the keyset is not closed by }"},
		{"open namespace", `namespace "n" { mode off;`, `p:1:11: namespace "n" is not closed by }`},
		{"open text", `include "x`, `p:1:9: expected the name of a file, as include "signers.policy", found text without a closing "`},
		{"right", `default deny LANCH;`, `p:1:14: "LANCH" is no right`},
		{"action", `permit (principal, action == Action::"LANCH", resource);`, `p:1:30: rule of line 1: "LANCH" is no right`},
		{"attribute", "@id(\"r\") permit (principal, action == Action::\"LAUNCH\", resource)\nwhen { resource.svn > 1 };", `p:2:17: r: resource has no "svn"; it has`},
		{"type", "permit (principal, action == Action::\"LAUNCH\", resource) when { resource.isvsvn == \"1\" };", "p:1:84: rule of line 1: resource.isvsvn is a Long"},
		{"not known there", `permit (principal, action == Action::"MAP", resource) when { context.origin == "anon" };`, "p:1:70: rule of line 1: context.origin is not known for MAP"},
		{"keyset name", `permit (principal, action == Action::"LAUNCH", resource in Keyset::"no");`, `p:1:60: rule of line 1: no keyset "no"`},
		{"twice", `@id("a") permit (principal, action, resource); @id("a") forbid (principal, action, resource);`, "p:1:49: a: @id is used at p:1:1 already"},
		{"upper case", `permit (principal, action == Action::"LAUNCH", resource in Signer::"` + strings.Repeat("A", 64) + `");`, "p:1:60: rule of line 1: Signer: "},
		{"characters, not bytes", "/*é*/ mode off;", "p:1:1: "},
		{"deep", "permit (principal, action, resource) when { " + strings.Repeat("(", 100), "p:1:109: "},
		{"long", "permit (principal, action, resource) when { " + strings.Repeat("true && ", 2000) + "true };", "joins 1024 conditions at most"},
		{"no file", `include "none";`, "p:1:1: open none"},
	} {
		t.Run(r.name, func(t *testing.T) {
			_, err := Parse("p", []byte(expand(r.text)))
			var all Errors
			if !errors.As(err, &all) || !strings.Contains(err.Error(), r.want) {
				t.Errorf("got  %v\nwant %s", err, r.want)
			}
		})
	}
}

func TestEveryMistakeIsTold(t *testing.T) {
	_, err := Parse("p", []byte("mode x;\nmode y;\npermit (principal);\nmode z;"))
	var all Errors
	if !errors.As(err, &all) || len(all) != 4 {
		t.Error(err)
	}
}

func TestIncludes(t *testing.T) {
	files := fstest.MapFS{
		"main.policy":     {Data: []byte(`include "sub/keys.policy"; namespace "n" { include "rules.policy"; }`)},
		"rules.policy":    {Data: []byte(`@id("r") forbid (principal, action == Action::"LAUNCH", resource in Keyset::"k");`)},
		"sub/keys.policy": {Data: []byte(`include "more.policy";`)},
		"sub/more.policy": {Data: []byte(expand(`keyset "k" { allow mrsigner SIGNER_A; }`))},
		"loop.policy":     {Data: []byte(`include "loop.policy";`)},
		"out.policy":      {Data: []byte(`include "../etc/passwd";`)},
	}
	p, err := Load(files, "main.policy")
	if err != nil || len(p.Files()) != 4 {
		t.Fatal(p, err)
	}
	e := New(p, nil)
	expect(t, e, initOf(), Allow)
	ev := initOf()
	ev.Subject.Namespace = "n"
	if d := expect(t, e, ev, Deny); !strings.Contains(d.Error(), "n/r") || !strings.Contains(d.Error(), "rules.policy:1:1") {
		t.Error(d.Error())
	}
	for _, bad := range []string{"loop.policy", "out.policy", "none.policy"} {
		if _, err := Load(files, bad); err == nil {
			t.Error(bad, "was read")
		}
	}
}

// TestHugeText: reading takes time and stack in proportion to the text.
func TestHugeText(t *testing.T) {
	const head = "permit (principal, action, resource) when { "
	for _, piece := range []string{"(", "!", "if ", "[", "namespace \"a\" {", "a.", "@x", "keyset \"k\" {", "}", "\"", "true && (", "- ", "::", "mode ", "; "} {
		for _, start := range []string{"", head} {
			if _, err := Parse("p", []byte(start+strings.Repeat(piece, 1<<20/len(piece)))); err == nil && piece != "; " {
				t.Errorf("%q: no error", piece)
			}
		}
	}
}

// FuzzParse: no text makes the reader panic, and what it accepts decides.
func FuzzParse(f *testing.F) {
	f.Add(expand(`mode permissive; keyset "k" { lock append; allow mrsigner SIGNER_A prodid 1 require !DEBUG: launch; }`))
	f.Add(expand(`@id("x") @log permit (principal == User::"1", action in [Action::"MAP"], resource is Enclave) when { context.exec } unless { 1 < principal.uid };`))
	f.Add(`forbid (principal, action == Action::"EXECUTE", resource) when { if resource has path then resource.path like "/a\*\u{41}*" else !![1,-2].contains(principal.uid) };`)
	f.Add(`namespace "a" { default log MAP, ENTER; provision keyset; include "x"; }`)
	f.Add(`keyset "k" { update ed25519 00; from "2026"; deny mrenclave`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("f", []byte(text))
		if err != nil {
			return
		}
		e := New(p, nil)
		for _, ev := range everyEvent() {
			if a, b := e.Decide(ev), e.Explain(ev); a.Outcome != b.Outcome {
				t.Errorf("%s: decided %v, explained %v", nameOf(ev), a.Outcome, b.Outcome)
			}
		}
	})
}

// FuzzEvent: no JSON makes the reader of events panic.
func FuzzEvent(f *testing.F) {
	f.Add(`{"event":"init","verified":true,"loads":[{"event":"load","rights":"rwx","origin":"anon"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		e := engine(t, ``)
		if r, err := ReadRecord(strings.NewReader(text)); err == nil {
			if ev, err := r.Build(e); err == nil {
				e.Decide(ev)
			}
		}
	})
}
