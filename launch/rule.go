package launch

// rule is one permit or forbid of a policy file.
type rule struct {
	name    string
	forbid  bool
	outcome Outcome // of a permit: Allow or Log
	at      Position
	when    *node
}

// ruleIndex holds the rules of one effect about one right. A rule that can only
// apply to one file, digest or user is found by it.
type ruleIndex struct {
	byPath   map[string][]*rule
	byDigest map[digestKey][]*rule
	byUser   map[uint32][]*rule
	keyed    []attribute // the attributes that byDigest knows
	rest     []*rule
	all      []*rule
}

// digestKey is an attribute and the value that a rule wants.
type digestKey struct {
	attribute attribute
	value     Digest
}

func (x *ruleIndex) len() int { return len(x.all) }

// both are the two effects about one right.
type both struct{ permit, forbid ruleIndex }

func (x *ruleIndex) add(r *rule) {
	x.all = append(x.all, r)
	switch k := r.when.key(); {
	case k == nil:
		x.rest = append(x.rest, r)
	case k.attribute == resourcePath:
		if x.byPath == nil {
			x.byPath = map[string][]*rule{}
		}
		x.byPath[k.text] = append(x.byPath[k.text], r)
	case k.attribute == principalUID:
		if x.byUser == nil {
			x.byUser = map[uint32][]*rule{}
		}
		x.byUser[uint32(k.number)] = append(x.byUser[uint32(k.number)], r)
	default:
		x.addDigest(digestKey{k.attribute, k.digest}, r)
	}
}

func (x *ruleIndex) addDigest(k digestKey, r *rule) {
	if x.byDigest == nil {
		x.byDigest = map[digestKey][]*rule{}
	}
	known := false
	for _, a := range x.keyed {
		known = known || a == k.attribute
	}
	if !known {
		x.keyed = append(x.keyed, k.attribute)
	}
	x.byDigest[k] = append(x.byDigest[k], r)
}

// match returns the first rule that applies. A permit whose condition cannot be
// evaluated does not apply; a forbid does.
func (x *ruleIndex) match(q *question, n *namespace, right Right) *rule {
	r, _ := x.find(q, n, right)
	return r
}

// find is match; sure says that no attribute the rule needs is unknown.
func (x *ruleIndex) find(q *question, n *namespace, right Right) (r *rule, sure bool) {
	if len(x.all) == 0 {
		return nil, true
	}
	if x.blind(q) {
		return first(x.all, q, n, right)
	}
	if r, sure := first(x.rest, q, n, right); r != nil {
		return r, sure
	}
	if x.byPath != nil {
		if r, sure := first(x.byPath[q.file.Path], q, n, right); r != nil {
			return r, sure
		}
	}
	if x.byUser != nil {
		if r, sure := first(x.byUser[q.subject.UID], q, n, right); r != nil {
			return r, sure
		}
	}
	for _, a := range x.keyed {
		v := a.value(q)
		if r, sure := first(x.byDigest[digestKey{a, v.digest}], q, n, right); r != nil {
			return r, sure
		}
	}
	return nil, true
}

// blind reports whether something that rules are found by is unknown, so that
// forbidding ones may not be passed over.
func (x *ruleIndex) blind(q *question) bool {
	if x.byPath != nil && (q.file == nil || q.file.Path == "") {
		return true
	}
	for _, a := range x.keyed {
		if v := a.value(q); !v.known {
			return true
		}
	}
	return false
}

func first(rules []*rule, q *question, n *namespace, right Right) (*rule, bool) {
	var unsure *rule
	for _, r := range rules {
		t := r.when.truth(q)
		applies := t == yes || t == unknown && r.forbid
		if q.trace != nil {
			r.note(q, n, right, t)
		}
		switch {
		case applies && t == yes:
			return r, true
		case applies && unsure == nil:
			unsure = r
		}
	}
	return unsure, unsure == nil
}

// note tells why the rule applied, or by which condition it did not.
func (r *rule) note(q *question, n *namespace, right Right, t tri) {
	reason := Reason{Rule: n.path(r.name), Right: right, Outcome: r.outcome, At: r.at}
	blamed := r.when.decisive(q)
	if t != yes {
		reason.Outcome = Defer
		if t == unknown && r.forbid {
			reason.Outcome = Deny
		}
	}
	if blamed != nil {
		reason.Attribute, reason.Got, reason.Want = blamed.attribute.name(), blamed.attribute.show(q), blamed.want()
	}
	if blamed == nil || t == yes && !r.forbid {
		reason.Attribute, reason.Got = q.object(right)
		reason.Want = ""
	}
	q.note(reason)
}
