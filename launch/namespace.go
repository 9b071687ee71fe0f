package launch

import "strings"

// namespace is one level of policy. A child refuses more than its parent, never
// less: every namespace from the machine's down has to agree.
type namespace struct {
	name     string // names from the machine's down, joined by '/'; "" is the machine's
	depth    int
	mode     Mode
	parent   *namespace
	keysets  []*Keyset
	rules    [rights]both
	defaults [rights]Outcome
	speaks   RightSet // rights that the namespace grants to some, or has a default for
	// provisionByKeyset lets the grant stand alone, without a descriptor.
	provisionByKeyset bool

	saysMode, saysProvision bool // the file does; else as the parent
}

func newNamespace(name string, parent *namespace) *namespace {
	n := &namespace{name: name, parent: parent, mode: Enforce, defaults: defaults}
	if parent != nil {
		n.depth = parent.depth + 1
	}
	return n
}

// inherit takes from the parent what the file does not say.
func (n *namespace) inherit() {
	if n.parent == nil {
		return
	}
	if !n.saysMode {
		n.mode = n.parent.mode
	}
	if !n.saysProvision {
		n.provisionByKeyset = n.parent.provisionByKeyset
	}
}

// path returns the namespace's name with a member's.
func (n *namespace) path(member string) string {
	if n.name == "" {
		return member
	}
	return n.name + "/" + member
}

// chain fills the namespaces that decide, the machine's first.
func (n *namespace) chain(into *[maxDepth]*namespace) []*namespace {
	for m := n; m != nil; m = m.parent {
		into[m.depth] = m
	}
	return into[:n.depth+1]
}

// silent reports whether the namespace leaves r to its parent, what it forbids aside.
func (n *namespace) silent(r Right) bool { return n.parent != nil && !n.speaks.Has(r) }

// find returns the namespace with that name, or its nearest ancestor with policy.
func (e *Engine) find(name string) *namespace {
	for {
		if n, ok := e.byName[name]; ok {
			return n
		}
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return e.byName[""]
		}
		name = name[:i]
	}
}

// grantsOf returns what the keysets of n say about the identity in q.
func (n *namespace) grantsOf(q *question) (allow, deny Grants) {
	if !q.enclave.Known {
		return 0, 0
	}
	if c := &q.grants[n.depth]; c.done {
		return c.allow, c.deny
	}
	var t tally
	for _, k := range n.keysets {
		k.count(q, &t)
	}
	allow, deny = t.grants()
	q.grants[n.depth] = knownGrants{done: true, allow: allow, deny: deny}
	return allow, deny
}
