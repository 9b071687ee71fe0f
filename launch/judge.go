package launch

import "fmt"

// judge is the answer of one namespace about one right, its mode aside: forbidding
// rules, what the keysets say of the identity, a token, permitting rules, the default.
func (n *namespace) judge(q *question, r Right) Outcome {
	if rule := n.rules[r].forbid.match(q, n, r); rule != nil {
		return Deny
	}
	if n.silent(r) {
		return Allow
	}
	if o, said := n.judgeIdentity(q, r); said {
		return o
	}
	if rule := n.rules[r].permit.match(q, n, r); rule != nil {
		return rule.outcome
	}
	n.noteDefault(q, r)
	return n.defaults[r]
}

// judgeIdentity is what keysets say about a right that identities can hold.
func (n *namespace) judgeIdentity(q *question, r Right) (o Outcome, said bool) {
	g := grantOf[r]
	if g == 0 || len(n.keysets) == 0 {
		return Defer, false
	}
	allow, deny := n.grantsOf(q)
	n.noteKeysets(q, r)
	switch {
	case deny&g != 0:
		return Deny, true
	case allow&g != 0:
		return Allow, true
	case r == LAUNCH && n.acceptsToken(q):
		q.note(Reason{Rule: n.path("token"), Right: r, Outcome: Allow, Attribute: "EINITTOKEN", Got: q.token.MRSIGNER.String()})
		return Allow, true
	}
	return Defer, false
}

// acceptsToken reports whether a launch enclave that n trusts made the token.
func (n *namespace) acceptsToken(q *question) bool {
	if q.token == nil || !q.token.Checked {
		return false
	}
	maker := q.token.maker()
	var t tally
	asked := question{enclave: &maker, clock: q.clock}
	for _, k := range n.keysets {
		k.count(&asked, &t)
	}
	allow, _ := t.grants()
	return allow&GrantEINITTOKEN != 0
}

// noteKeysets tells which entries spoke about r, and which missed by a condition.
func (n *namespace) noteKeysets(q *question, r Right) {
	if q.trace == nil || !q.enclave.Known {
		return
	}
	for _, k := range n.keysets {
		k.noteEntries(q, r, k.bySigner[q.enclave.MRSIGNER])
		k.noteEntries(q, r, k.byMeasurement[q.enclave.MRENCLAVE])
	}
}

func (k *Keyset) noteEntries(q *question, r Right, entries []*Entry) {
	for _, e := range entries {
		c := e.match(q)
		attribute, got, want := e.explain(c, q)
		o := Defer
		switch {
		case c != hit:
		case e.Grants&grantOf[r] == 0:
			attribute, got, want = "grants", e.Grants.String(), grantOf[r].String()
		case e.Deny:
			o = Deny
		default:
			o = Allow
		}
		q.note(Reason{Rule: k.name, Right: r, Outcome: o, Attribute: attribute, Got: got, Want: want, At: e.At})
	}
}

// noteDefault tells that no rule and no entry decided.
func (n *namespace) noteDefault(q *question, r Right) {
	if q.trace == nil {
		return
	}
	reason := Reason{Rule: n.path("default"), Right: r, Outcome: n.defaults[r]}
	if reason.Outcome == Deny {
		reason.At = Position{File: "nothing grants it"}
	}
	reason.Attribute, reason.Got = q.object(r)
	reason.Want = n.wanted(r)
	q.note(reason)
}

// object names what the right is about: the true object of the request.
func (q *question) object(r Right) (attribute, got string) {
	switch {
	case r.Scope() == FileScope && q.file != nil && q.file.Path != "":
		return "file", fmt.Sprintf("%s sha256 %v", q.file.Path, q.file.SHA256)
	case r.Scope() == FileScope:
		return "file", "none"
	case r.Scope() == SubjectScope || !q.enclave.Known:
		return "subject", fmt.Sprintf("uid %d, %s", q.subject.UID, q.subject.Path)
	}
	return "MRSIGNER", fmt.Sprintf("%v, MRENCLAVE %v", q.enclave.MRSIGNER, q.enclave.MRENCLAVE)
}

func (n *namespace) wanted(r Right) string {
	rules, entries := n.rules[r].permit.len(), 0
	for _, k := range n.keysets {
		entries += len(k.entries)
	}
	if grantOf[r] == 0 {
		return fmt.Sprintf("one of %d rules", rules)
	}
	return fmt.Sprintf("one of %d rules, or %v from one of %d entries", rules, grantOf[r], entries)
}
