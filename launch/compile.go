package launch

import (
	"fmt"
	"slices"
	"strings"
)

// compiler turns one rule as written into one that decides: names and types are
// settled here, so that a decision cannot fail on them.
type compiler struct {
	in      *namespace
	rights  RightSet
	keysets map[string]*Keyset
}

func complain(at Position, format string, args ...any) error {
	return &Error{At: at, Text: fmt.Sprintf(format, args...)}
}

// compile returns the rule and the rights it is about.
func (c *compiler) compile(p *parsedRule) (*rule, error) {
	r := &rule{name: p.name(), forbid: p.forbid, at: p.at}
	switch {
	case r.forbid && p.logAt.Line > 0:
		return nil, complain(p.logAt, "@log is for permit: what a forbid refuses is always logged")
	case r.forbid:
		r.outcome = Deny
	case p.logAt.Line > 0:
		r.outcome = Log
	}
	var err error
	if c.rights, err = scopeRights(p.scopes[1]); err != nil {
		return nil, err
	}
	for _, e := range append([]*expr{p.scopes[0], p.scopes[2]}, p.conditions...) {
		if e == nil {
			continue
		}
		n, err := c.boolean(e)
		if err != nil {
			return nil, err
		}
		r.when = and(r.when, n)
	}
	if r.when == nil {
		r.when = &node{op: opTrue}
	}
	return r, nil
}

func and(left, right *node) *node {
	switch {
	case left == nil || left.op == opTrue:
		return right
	case right.op == opTrue:
		return left
	}
	return &node{op: opAnd, left: left, right: right}
}

// scopeRights reads the action of a rule; none named means all.
func scopeRights(s *expr) (RightSet, error) {
	if s == nil {
		return allRights, nil
	}
	if s.kind != exprBinary || s.name != "==" && s.name != "in" {
		return 0, complain(s.at, `write action == Action::"LAUNCH" or action in [Action::"MAP", Action::"ENTER"]`)
	}
	names := []*expr{s.args[1]}
	if s.args[1].kind == exprSet {
		names = s.args[1].args
	}
	var set RightSet
	for _, e := range names {
		r := Right(slices.Index(rightNames[:], e.text))
		if e.kind != exprEntity || e.name != "Action" || int(r) >= rights {
			return 0, complain(e.at, `%q is no right: write Action::"…" with one of %s`, clip(e.text), strings.Join(rightNames[:], ", "))
		}
		set = set.With(r)
	}
	return set, nil
}

// is settles `principal is User` and `resource is File`, which the action decides.
func (c *compiler) is(e *expr) (*node, error) {
	var known RightSet
	switch of := e.args[0]; {
	case of.kind == exprVar && of.name == "principal" && e.name == "User":
		known = allRights
	case of.kind == exprVar && of.name == "resource" && e.name == "File":
		known = fileRights
	case of.kind == exprVar && of.name == "resource" && e.name == "Enclave":
		known = enclaveRights
	default:
		return nil, complain(e.at, "a principal is a User, a resource an Enclave or a File")
	}
	if c.rights&^known != 0 {
		return nil, complain(e.at, "the resource is no %s for %v; name the actions that the rule is for", e.name, c.rights&^known)
	}
	return &node{op: opTrue}, nil
}

// entity is the question whether a variable is, or is in, an entity.
func (c *compiler) entity(v, u *expr, operator string) (*node, error) {
	principal := u.name == "User"
	if v.kind != exprVar || principal != (v.name == "principal") || v.name != "principal" && v.name != "resource" {
		return nil, complain(u.at, "a principal is a User; a resource is a File or an Enclave, in a Signer or a Keyset")
	}
	if set := u.name == "Signer" || u.name == "Keyset"; set != (operator == "in") {
		return nil, complain(u.at, `write resource in Signer::"…" or Keyset::"…", and == for User, File and Enclave`)
	}
	switch u.name {
	case "User":
		return c.user(u)
	case "File":
		return c.about(&node{op: opEqual, attribute: resourcePath, text: u.text}, u.at)
	case "Enclave":
		return c.identity(resourceMRENCLAVE, u)
	case "Signer":
		return c.identity(resourceMRSIGNER, u)
	case "Keyset":
		k, err := c.keyset(u)
		if err != nil {
			return nil, err
		}
		return c.about(&node{op: opKeyset, attribute: inKeyset, keyset: k, text: u.text}, u.at)
	}
	return nil, complain(u.at, "%q is no kind of entity: they are User, File, Enclave, Signer, Keyset and Action", clip(u.name))
}

func (c *compiler) user(u *expr) (*node, error) {
	var uid uint32
	if n, err := fmt.Sscanf(u.text, "%d", &uid); n != 1 || err != nil || fmt.Sprint(uid) != u.text {
		return nil, complain(u.at, `User::%q is no user id: write the number, as User::"1000"`, clip(u.text))
	}
	return &node{op: opEqual, attribute: principalUID, number: int64(uid)}, nil
}

func (c *compiler) identity(a attribute, u *expr) (*node, error) {
	d, err := lowerDigest(u.text)
	if err != nil {
		return nil, complain(u.at, "%s: %v", u.name, err)
	}
	return c.about(&node{op: opEqual, attribute: a, digest: d}, u.at)
}

// keyset finds a keyset of this namespace or of one above it.
func (c *compiler) keyset(u *expr) (*Keyset, error) {
	for n := c.in; n != nil; n = n.parent {
		if k, ok := c.keysets[n.path(u.text)]; ok {
			return k, nil
		}
	}
	var names []string
	for k := range c.keysets {
		names = append(names, k)
	}
	slices.Sort(names)
	return nil, complain(u.at, "no keyset %q; declared are: %s", clip(u.text), clip(strings.Join(names, ", ")))
}

// about tests that every right of the rule knows the attribute.
func (c *compiler) about(n *node, at Position) (*node, error) {
	f := &facts[n.attribute]
	lack := c.rights &^ f.rights
	switch {
	case lack == 0:
		return n, nil
	case c.rights == allRights:
		first, _, _ := strings.Cut(f.rights.String(), ",")
		return nil, complain(at, "%s is known for %v only: name the action, as action == Action::%q", n.attribute.name(), f.rights, first)
	}
	return nil, complain(at, "%s is not known for %v; it is for %v", n.attribute.name(), lack, f.rights)
}

// lowerDigest is ParseDigest for rules, where case counts as in any Cedar string.
func lowerDigest(s string) (Digest, error) {
	d, err := ParseDigest(s)
	if err == nil && strings.ToLower(s) != s {
		err = fmt.Errorf("%q: write hexadecimal digits in lower case", clip(s))
	}
	return d, err
}
