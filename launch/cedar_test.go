package launch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/schema"

	"softsgx/isa"
)

// questions are conditions on LAUNCH of which random rules are made.
var questions = []string{
	`principal.uid == 1000`, `1000 != principal.uid`, `principal.uid < 1000`, `principal.uid >= 1000`, `999 < principal.uid`, `-1 > principal.uid`,
	`principal.path == "/usr/bin/app"`, `principal.path like "/usr/*"`, `principal.path like "*a*p*"`, `principal.path like "/usr/bin/a\*p"`,
	`["/bin/sh", "/usr/bin/\u{61}pp"].contains(principal.path)`, `[0, 1000].contains(principal.uid)`,
	`["SIGNER_A", "ENCLAVE_B"].contains(resource.mrsigner)`, `resource.mrenclave == "ENCLAVE_A"`, `resource.mrsigner != "SIGNER_B"`,
	`resource in Signer::"SIGNER_A"`, `resource == Enclave::"ENCLAVE_A"`, `principal == User::"1000"`, `principal != User::"0"`,
	`resource.debug`, `resource.kss == false`, `resource.isvsvn <= 3`, `resource.isvprodid > 1`, `resource.xfrm == 3`, `resource.size < 2097152`,
	`resource has mrsigner`, `context.running == 0`, `true`, `false`, `principal is User`, `resource is Enclave`,
}

// condition makes a random condition.
func condition(r *rand.Rand, depth int) string {
	if depth == 0 || r.IntN(4) == 0 {
		return questions[r.IntN(len(questions))]
	}
	a, b := condition(r, depth-1), condition(r, depth-1)
	switch r.IntN(5) {
	case 0:
		return "(" + a + " && " + b + ")"
	case 1:
		return "(" + a + " || " + b + ")"
	case 2:
		return "!(" + a + ")"
	case 3:
		return a + " && " + b
	}
	return "(if " + a + " then " + b + " else " + condition(r, depth-1) + ")"
}

// TestRulesAreCedar compares the reader and the answers of rules with cedar-go, on
// random rules and identities whose attributes are all known.
func TestRulesAreCedar(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	applied := 0
	for range 3000 {
		text := expand(fmt.Sprintf("permit (principal%s, action == Action::\"LAUNCH\", resource) when { %s } unless { %s };",
			[]string{"", ` == User::"1000"`, ` is User`}[r.IntN(3)], condition(r, 3), condition(r, 1)))
		ours, err := Parse("ours", []byte(text))
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		theirs, err := cedar.NewPolicySetFromBytes("theirs", []byte(text))
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		for _, ev := range someInits() {
			q := question{subject: &ev.Subject, enclave: &ev.Enclave, running: ev.Running}
			got := ours.namespaces[0].rules[LAUNCH].permit.match(&q, ours.namespaces[0], LAUNCH) != nil
			entities, request := asCedar(ev)
			want, diagnostic := cedar.Authorize(theirs, entities, request)
			if got != bool(want) || len(diagnostic.Errors) > 0 {
				t.Fatalf("%s\n%+v\n%v, cedar-go %v %v", text, ev, got, want, diagnostic.Errors)
			}
			if got {
				applied++
			}
		}
	}
	if applied < 1000 || applied > 8000 {
		t.Errorf("%d of 9000 applied: the rules test little", applied)
	}
}

func someInits() []*InitEvent {
	second := initOf(signedBy(signerB), measured(enclaveB), with(isa.ATTR_DEBUG|isa.ATTR_KSS))
	second.Subject = Subject{UID: 7, Path: "/bin/sh", SHA256: fileB}
	second.Running = 4
	third := initOf(signedBy(signerB))
	third.Enclave.ISVSVN, third.Enclave.ISVPRODID = 9, 0
	return []*InitEvent{initOf(), second, third}
}

// asCedar is the event as cedar-go wants it.
func asCedar(ev *InitEvent) (types.EntityMap, types.Request) {
	user := types.NewEntityUID("User", types.String(fmt.Sprint(ev.Subject.UID)))
	enclave := types.NewEntityUID("Enclave", types.String(ev.Enclave.MRENCLAVE.String()))
	q := question{subject: &ev.Subject, enclave: &ev.Enclave, running: ev.Running}
	request := types.Request{Principal: user, Action: types.NewEntityUID("Action", "LAUNCH"), Resource: enclave,
		Context: types.NewRecord(attributesIn(&q, "context"))}
	return types.EntityMap{
		user: {UID: user, Attributes: types.NewRecord(attributesIn(&q, "principal"))},
		enclave: {UID: enclave, Attributes: types.NewRecord(attributesIn(&q, "resource")),
			Parents: types.NewEntityUIDSet(types.NewEntityUID("Signer", types.String(ev.Enclave.MRSIGNER.String())))},
	}, request
}

func attributesIn(q *question, of string) types.RecordMap {
	m := types.RecordMap{}
	for i, f := range facts {
		a := attribute(i)
		if a == 0 || f.of != of || a == inKeyset || !f.rights.Has(LAUNCH) {
			continue
		}
		v := a.value(q)
		switch f.kind {
		case boolKind:
			m[types.String(f.name)] = types.Boolean(v.truth)
		case longKind:
			m[types.String(f.name)] = types.Long(v.number)
		case digestKind:
			m[types.String(f.name)] = types.String(v.digest.String())
		default:
			m[types.String(f.name)] = types.String(v.text)
		}
	}
	return m
}

// TestSchemaIsCedar reads the documented schema with cedar-go.
func TestSchemaIsCedar(t *testing.T) {
	var s schema.Schema
	if err := s.UnmarshalCedar([]byte(Schema())); err != nil {
		t.Fatalf("%v\n%s", err, Schema())
	}
	for r := range Right(rights) {
		if meanings[r] == "" || !strings.Contains(Schema(), "action "+r.String()+" ") {
			t.Errorf("%v is not in the schema", r)
		}
	}
}
