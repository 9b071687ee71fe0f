package launch

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func write(t *testing.T, s *Session, text string) {
	t.Helper()
	if _, err := s.Write(expand(text)); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}

func refused(t *testing.T, s *Session, text string, want error) {
	t.Helper()
	d, err := s.Write(expand(text))
	if err == nil || want != nil && !errors.Is(err, want) || d.Outcome != Deny {
		t.Errorf("%q: %v, %v", text, d.Outcome, err)
	}
}

func testFrozen(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch; }`)
	before := e.Session("k", user) // as a descriptor opened before the lock
	write(t, e.Session("k", user), "lock")
	for _, text := range []string{"add mrsigner SIGNER_B", "del mrsigner SIGNER_A", "clear", "lock append", "SIGNER_B\n", "add deny mrsigner SIGNER_A"} {
		refused(t, before, text, ErrLocked)
	}
	expect(t, e, initOf(), Allow)
	if err := e.Show("k", new(strings.Builder)); err != nil {
		t.Error("reading a frozen set:", err)
	}
}

func testSignedUpdate(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t, fmt.Sprintf(`keyset "k" { lock frozen; update ed25519 %x; allow mrsigner SIGNER_A: launch; }`, []byte(public)))
	update := func(text string) error {
		b := []byte(expand(text))
		_, err := e.Update(b, ed25519.Sign(private, b))
		return err
	}
	const second = `update "k" version 2; allow mrsigner SIGNER_B: launch;`
	if err := update(second); err != nil {
		t.Fatal(err)
	}
	expect(t, e, initOf(), Deny)
	expect(t, e, initOf(signedBy(signerB)), Allow)
	for _, old := range []string{second, `update "k" version 1; allow mrsigner SIGNER_A;`} {
		if err := update(old); !errors.Is(err, ErrOldVersion) {
			t.Error("replayed:", err)
		}
	}
	text := []byte(expand(`update "k" version 3; allow mrsigner SIGNER_A;`))
	signature := ed25519.Sign(private, text)
	signature[0] ^= 1
	if _, err := e.Update(text, signature); !errors.Is(err, ErrBadSignature) {
		t.Error(err)
	}
	refused(t, e.Session("k", user), "clear", ErrLocked) // frozen still
}

func TestUpdateRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := asn1.Marshal(struct {
		N *big.Int
		E int
	}{key.N, key.E})
	e := engine(t, fmt.Sprintf(`keyset "k" { update rsa %q; }`, base64.StdEncoding.EncodeToString(der)))
	text := []byte(expand(`update "k" version 1; allow mrsigner SIGNER_A: launch;`))
	sum := sha256.Sum256(text)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Update(text, signature); err != nil {
		t.Fatal(err)
	}
	expect(t, e, initOf(), Allow)
	e = engine(t, `keyset "k" { }`)
	if _, err := e.Update(text, signature); !errors.Is(err, ErrNoUpdateKey) {
		t.Error(err)
	}
}

func TestLockAppend(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A minsvn 2: launch, dirty; }`)
	s := e.Session("k", user)
	write(t, s, "lock append")
	for _, wider := range []string{"add mrsigner SIGNER_B: launch", "add mrsigner SIGNER_A minsvn 1: launch", "add mrsigner SIGNER_A minsvn 2: launch, provision",
		"add mrsigner SIGNER_A prodid 1 minsvn 2: launch", "add mrenclave ENCLAVE_B: launch", "clear", "del mrsigner SIGNER_A"} {
		refused(t, s, wider, ErrLocked)
	}
	write(t, s, "add mrsigner SIGNER_A minsvn 3 require !DEBUG: launch")
	write(t, s, "add deny mrsigner SIGNER_A maxsvn 3")
	expect(t, e, initOf(), Deny)
	write(t, s, "lock frozen")
	refused(t, s, "lock append", ErrLocked)
}

func TestVerbs(t *testing.T) {
	e := engine(t, `keyset "k" { grants launch, anon; }`)
	s := e.Session("k", user)
	start := e.Generation()
	write(t, s, "add mrsigner SIGNER_A")
	write(t, s, "add mrsigner SIGNER_A") // once
	expect(t, e, loaded(e, initOf(), load(FromAnon, rx)), Allow)
	var shown strings.Builder
	if err := e.Show("k", &shown); err != nil || strings.Count(shown.String(), signerA.String()) != 1 {
		t.Error(shown.String(), err)
	}
	write(t, s, "del mrsigner SIGNER_A")
	expect(t, e, initOf(), Deny)
	refused(t, s, "del mrsigner SIGNER_A", nil)
	write(t, s, "add mrsigner SIGNER_A\nadd mrsigner SIGNER_B")
	write(t, s, "clear")
	expect(t, e, initOf(), Deny)
	if e.Generation() != start+5 {
		t.Errorf("generation %d after %d", e.Generation(), start)
	}
	for _, bad := range []string{"frob", "add", "add mrsigner 12", "commit", "begin\nbegin", "add mrsigner SIGNER_A; clear"} {
		refused(t, s, bad, nil)
	}
	refused(t, e.Session("none", user), "clear", nil)
}

func TestTransaction(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A; }`)
	s := e.Session("k", user)
	write(t, s, "begin\nclear")
	write(t, s, "add mrsigner SIGNER_B")
	expect(t, e, initOf(), Allow)
	write(t, s, "commit")
	expect(t, e, initOf(), Deny)
	expect(t, e, initOf(signedBy(signerB)), Allow)
	refused(t, s, "begin\nclear\ndel mrsigner SIGNER_A\ncommit", nil)
	expect(t, e, initOf(signedBy(signerB)), Allow) // none of it happened
}

func TestSpecificity(t *testing.T) {
	for _, r := range []struct {
		name, entries string
		want          Outcome
	}{
		{"signer", "allow mrsigner SIGNER_A;", Allow},
		{"product", "allow mrsigner SIGNER_A prodid 2;", Deny},
		{"minimum version", "allow mrsigner SIGNER_A minsvn 4;", Deny},
		{"revoked versions", "allow mrsigner SIGNER_A; deny mrsigner SIGNER_A maxsvn 3;", Deny},
		{"attribute", "allow mrsigner SIGNER_A require !DEBUG MODE64BIT;", Allow},
		{"other attribute", "allow mrsigner SIGNER_A require KSS;", Deny},
		{"deny wins at equal specificity", "deny mrsigner SIGNER_A; allow mrsigner SIGNER_A;", Deny},
		{"measurement wins over signer", "deny mrsigner SIGNER_A; allow mrenclave ENCLAVE_A;", Allow},
		{"product wins over signer", "deny mrsigner SIGNER_A; allow mrsigner SIGNER_A prodid 1;", Allow},
		{"denied measurement", "allow mrsigner SIGNER_A prodid 1; deny mrenclave ENCLAVE_A;", Deny},
		{"deny of another grant", "allow mrsigner SIGNER_A; deny mrsigner SIGNER_A: debug;", Allow},
		{"not yet", `allow mrsigner SIGNER_A from "2026-11-22";`, Deny},
		{"in time", `allow mrsigner SIGNER_A from "2026-11-21" until "2026-11-22";`, Allow},
		{"expired", `allow mrsigner SIGNER_A until "2026-11-21T11:59:59Z";`, Deny},
		{"one of two enclaves", "allow mrsigner SIGNER_A mrenclave ENCLAVE_B mrenclave ENCLAVE_A;", Allow},
		{"enclave of another signer", "allow mrsigner SIGNER_B mrenclave ENCLAVE_A;", Deny},
	} {
		t.Run(r.name, func(t *testing.T) { expect(t, engine(t, `keyset "k" { `+r.entries+` }`), initOf(), r.want) })
	}
}

func TestEntryText(t *testing.T) {
	text := expand(`allow mrsigner SIGNER_A mrenclave ENCLAVE_A prodid 1 minsvn 2 maxsvn 9 require !DEBUG KSS from "2026-01-01T00:00:00Z" until "2027-01-01T00:00:00Z" instances 3 size 4096: launch, dirty`)
	entries, err := ParseEntries(text, 0)
	if err != nil || len(entries) != 1 || entries[0].String() != text {
		t.Errorf("%v, %v", entries, err)
	}
	if hex.EncodeToString(entries[0].MRSIGNER[:]) != signerA.String() {
		t.Error(entries[0].MRSIGNER)
	}
}
