package launch

import (
	"strings"
	"testing"

	"softsgx/isa"
)

// TestUnverifiedNamesItself: where the driver asks about a SIGSTRUCT that nobody
// verified, not even a default allows it.
func TestUnverifiedNamesItself(t *testing.T) {
	if d := expect(t, engine(t, `default allow;`), initOf(claimed), Deny); !strings.Contains(d.Error(), "SIGSTRUCT is not verified") {
		t.Error(d.Error())
	}
}

// TestDefaultsPermitNoAttribute: what Linux refuses, only an entry or a rule permits.
func TestDefaultsPermitNoAttribute(t *testing.T) {
	e := engine(t, `default allow; provision keyset;`)
	for _, bit := range []uint64{isa.ATTR_EINITTOKEN_KEY, isa.ATTR_PROVISIONKEY} {
		if d := e.Decide(initOf(with(bit))); d.Permit != 0 {
			t.Errorf("attribute %#x: permits %#x", bit, d.Permit)
		}
	}
}

// TestDeniedGrants: a decision shows no grant that an entry takes away.
func TestDeniedGrants(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch, dirty; deny mrsigner SIGNER_A: dirty; }`)
	if d := expect(t, e, initOf(), Allow); d.Grants != GrantLaunch {
		t.Error(d.Grants)
	}
}

// TestTwoLoaders: needs that one namespace let pass are judged where another starts
// the enclave, whoever loaded last.
func TestTwoLoaders(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A: launch, anon; }
		namespace "lax" { mode off; }
		namespace "strict" { keyset "k" { allow mrsigner SIGNER_A: launch; } }`)
	code, data, ev := load(FromAnon, rx), load(FromAnon, rw), initOf()
	code.Subject, data.Subject, ev.Subject = inside("lax"), inside("strict"), inside("strict")
	expect(t, e, loaded(e, ev, code, data), Deny)
}

// TestKeysetDenyBeatsPermit: neither a rule nor a token gives what an entry denies.
func TestKeysetDenyBeatsPermit(t *testing.T) {
	e := engine(t, `default allow; permit (principal, action == Action::"LAUNCH", resource);
		keyset "k" { deny mrsigner SIGNER_B; allow mrsigner SIGNER_A: einittoken; }`)
	ev := initOf(signedBy(signerB))
	ev.Token = Token{Checked: true, MRSIGNER: signerA}
	expect(t, e, ev, Deny)
	expect(t, e, initOf(), Allow)
}
