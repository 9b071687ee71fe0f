package launch

import (
	"strings"
	"sync"
	"testing"

	"softsgx/isa"
)

// TestDefects holds what was wrong with the key lists of 2020 (security reference,
// "Defects found by reading L1/L2"), by its numbers.
func TestDefects(t *testing.T) {
	for _, r := range []struct {
		name string
		test func(*testing.T)
	}{
		{"1 sticky grant from an unverified SIGSTRUCT", defectSticky},
		{"2 every list can be locked", defectLockAll},
		{"3 no signer is a denial with a record", defectNoSigner},
		{"4 lock is tested on every write", testFrozen},
		{"5 keys change while they are looked up", defectConcurrent},
		{"6 a failed writer blocks nobody", defectFailedWriter},
		{"7 verbs are compared whole", defectVerbs},
		{"8 lists are scoped, recorded, queried, edited", defectGlobal},
		{"9 position of a key means nothing", defectPosition},
	} {
		t.Run(r.name, r.test)
	}
}

func defectSticky(t *testing.T) { testVerifiedOnly(t) }

const fourLists = `
	keyset "signing_keys" { grants launch; }
	keyset "launch_keys" { grants einittoken; }
	keyset "provisioning_keys" { grants provision; }
	keyset "dynamic_keys" { grants dirty; }
`

func defectLockAll(t *testing.T) {
	e := engine(t, fourLists)
	for _, list := range []string{"signing_keys", "launch_keys", "provisioning_keys", "dynamic_keys"} {
		s := e.Session(list, user)
		write(t, s, "SIGNER_A\n") // a line of 65 bytes, as tools write it
		write(t, s, "lock\n")
		refused(t, s, "SIGNER_B\n", ErrLocked)
		var shown strings.Builder
		if err := e.Show(list, &shown); err != nil || !strings.Contains(shown.String(), signerA.String()) {
			t.Errorf("%s, locked, cannot be read: %v", list, err)
		}
	}
}

func defectNoSigner(t *testing.T) {
	e := engine(t, fourLists)
	write(t, e.Session("launch_keys", user), "SIGNER_A\n")
	d := expect(t, e, initOf(signedBy(signerB), with(isa.ATTR_EINITTOKEN_KEY)), Deny)
	if !d.denials().Has(EINITTOKEN) || !strings.Contains(d.Error(), signerB.String()) {
		t.Error(d.Error())
	}
}

func defectConcurrent(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A; }`)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s := e.Session("k", user)
			for range 200 {
				write(t, s, "begin\nclear\nadd mrsigner SIGNER_B\nadd mrsigner SIGNER_A\nadd mrsigner SIGNER_B\ncommit")
			}
		})
		all.Go(func() {
			for range 2000 {
				if d := e.Decide(initOf()); d.Outcome != Allow {
					t.Error("saw half a change:", d.Reasons)
					return
				}
			}
		})
	}
	all.Wait()
}

func defectFailedWriter(t *testing.T) {
	e := engine(t, `keyset "k" { }`)
	first := e.Session("k", user)
	write(t, first, "begin\nadd mrsigner SIGNER_B")
	refused(t, first, "nonsense", nil)
	write(t, e.Session("k", user), "add mrsigner SIGNER_A")
	expect(t, e, initOf(), Allow)
}

func defectVerbs(t *testing.T) {
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A; }`)
	for _, text := range []string{"clearx", "clea", "lockx", "lock appendx", "CLEAR", "addmrsigner SIGNER_A", "SIGNER_Bx", "SIGNER_B 1", "lock  frozen"} {
		refused(t, e.Session("k", user), text, nil)
	}
	expect(t, e, initOf(), Allow)
}

func defectGlobal(t *testing.T) {
	testNamespaces(t)
	e := engine(t, `keyset "k" { allow mrsigner SIGNER_A; allow mrsigner SIGNER_B; }`)
	d, err := e.Session("k", user).Write(expand("del mrsigner SIGNER_A"))
	if err != nil || d.Outcome != Log || d.Generation != e.Generation() {
		t.Errorf("a change without a record: %+v, %v", d, err)
	}
	expect(t, e, initOf(signedBy(signerB)), Allow)
	if d := e.Explain(initOf(signedBy(signerB))); len(d.Reasons) == 0 {
		t.Error("a decision cannot be asked for")
	}
}

func defectPosition(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		d := fill(0x11)
		d[0] = byte(i)
		b.WriteString("allow mrsigner " + d.String() + "; allow mrsigner SIGNER_A;")
	}
	e := engine(t, `keyset "k" { `+b.String()+` }`)
	expect(t, e, initOf(), Allow)
	e = engine(t, `keyset "k" { `+b.String()+` deny mrsigner SIGNER_A; }`)
	expect(t, e, initOf(), Deny)
}
