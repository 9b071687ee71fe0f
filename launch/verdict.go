package launch

// verdict gathers the answers of all namespaces about all rights of an event.
type verdict struct {
	outcome Outcome
	would   bool
	needs   Needs
}

func (v *verdict) raise(o Outcome) { v.outcome = max(v.outcome, o) }

// refuse counts a denial of n as its mode says.
func (v *verdict) refuse(n *namespace) {
	if n.mode == Enforce {
		v.raise(Deny)
		return
	}
	v.would = true
	v.raise(Log)
}

// count takes one answer of n.
func (v *verdict) count(n *namespace, o Outcome) {
	if o == Deny {
		v.refuse(n)
		return
	}
	v.raise(o)
}

// ask judges r in every namespace that decides.
func (v *verdict) ask(q *question, r Right) {
	for _, n := range q.chain {
		if n.mode != Off {
			v.count(n, n.judge(q, r))
		}
	}
}

// askSubject judges r by the subject's rules alone, before the identity is known.
// What they do not settle is left to INIT.
func (v *verdict) askSubject(q *question, r Right) {
	for _, n := range q.chain {
		if n.mode == Off {
			continue
		}
		switch forbidden, sure := n.rules[r].forbid.find(q, n, r); {
		case forbidden != nil && sure:
			v.refuse(n)
		case forbidden == nil && n.silent(r):
		case forbidden == nil && r.Scope() == EitherScope && n.subjectMay(q, r, v):
		default:
			v.needs.add(r, 1<<n.depth)
			v.raise(Defer)
		}
	}
}

// subjectMay looks for a grant to the subject, without a record where none is.
func (n *namespace) subjectMay(q *question, r Right, v *verdict) bool {
	rule := n.rules[r].permit.match(q, n, r)
	if rule == nil {
		return false
	}
	v.raise(rule.outcome)
	return true
}

// askPending judges what loads left over. Namespaces that saw another load than
// the one INIT comes from judge all of it.
func (v *verdict) askPending(q *question, p *Pending) {
	for r := range Right(rights) {
		if !p.needs.set.Has(r) {
			continue
		}
		for _, n := range q.chain {
			if n.mode != Off && (p.mixed || p.namespace != q.subject.Namespace || p.needs.missing[r]>>n.depth&1 != 0) {
				v.askNeed(q, n, r, p)
			}
		}
	}
}

func (v *verdict) askNeed(q *question, n *namespace, r Right, p *Pending) {
	o := n.judge(q, r)
	if o == Deny && q.trace != nil {
		q.note(p.reason(n, r))
	}
	v.count(n, o)
}
