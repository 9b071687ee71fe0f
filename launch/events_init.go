package launch

import "softsgx/isa"

// init judges an enclave that would start: LAUNCH, the attributes it has, what
// loading left over, and the file of its SIGSTRUCT (security reference, "INIT
// order"). It keeps nothing: grants are of this attempt.
func (v *verdict) init(q *question, ev *InitEvent, d *Decision) {
	q.running, q.token = ev.Running, &ev.Token
	if !q.enclave.Known {
		v.unverified(q)
		return
	}
	d.Grants = q.effective()
	v.ask(q, LAUNCH)
	v.attributes(q, ev, d)
	v.askPending(q, &ev.Pending)
	if ev.FromFile {
		q.file = &ev.SIGSTRUCT
	}
	v.ask(q, SIGFILE)
}

// unverified refuses an identity that is only claimed.
func (v *verdict) unverified(q *question) {
	for _, n := range q.chain {
		if n.mode == Off {
			continue
		}
		q.note(Reason{Rule: n.path("identity"), Right: LAUNCH, Outcome: Deny,
			Attribute: "SIGSTRUCT", Got: "not verified", Want: "a signature and measurement that EINIT accepts"})
		v.refuse(n)
	}
}

// effective are the grants that every namespace with keysets gives.
func (q *question) effective() Grants {
	all := allGrants
	for _, n := range q.chain {
		if n.mode != Off && len(n.keysets) > 0 {
			allow, _ := n.grantsOf(q)
			all &= allow
		} else if n.parent == nil {
			all = 0
		}
	}
	return all
}

// attributes judges DEBUG, PROVISIONKEY and EINITTOKEN_KEY, and permits the last
// two for this attempt where every namespace agrees.
func (v *verdict) attributes(q *question, ev *InitEvent, d *Decision) {
	has := q.enclave.ATTRIBUTES
	if has.Has(isa.ATTR_DEBUG) {
		v.ask(q, DEBUG)
	}
	if has.Has(isa.ATTR_PROVISIONKEY) {
		v.provision(q, ev, d)
	}
	if has.Has(isa.ATTR_EINITTOKEN_KEY) {
		var own verdict
		own.ask(q, EINITTOKEN)
		if own.outcome < Deny && q.granted(EINITTOKEN) {
			d.Permit |= isa.ATTR_EINITTOKEN_KEY
		}
		v.join(&own)
	}
}

// provision wants the descriptor and the grant, or the grant alone where the
// namespace says so.
func (v *verdict) provision(q *question, ev *InitEvent, d *Decision) {
	var own verdict
	own.ask(q, PROVISION)
	alone := q.granted(PROVISION)
	for _, n := range q.chain {
		if n.mode == Off || n.silent(PROVISION) {
			continue
		}
		alone = alone && n.provisionByKeyset
		if !n.provisionByKeyset && !ev.ProvisionFD {
			q.note(Reason{Rule: n.path("provision"), Right: PROVISION, Outcome: Deny,
				Attribute: "descriptor", Got: "none", Want: "one of /dev/sgx_provision"})
			own.refuse(n)
		}
	}
	d.Permit = 0
	if own.outcome < Deny && (ev.ProvisionFD || alone) {
		d.Permit = isa.ATTR_PROVISIONKEY
	}
	v.join(&own)
}

// granted reports whether every namespace that speaks gives r by an entry or a
// rule: a default permits no attribute that Linux would refuse.
func (q *question) granted(r Right) bool {
	given := false
	for _, n := range q.chain {
		if n.mode == Off || n.silent(r) {
			continue
		}
		allow, _ := n.grantsOf(q)
		if allow&grantOf[r] == 0 && n.rules[r].permit.match(q, n, r) == nil {
			return false
		}
		given = true
	}
	return given
}

func (v *verdict) join(o *verdict) {
	v.raise(o.outcome)
	v.would = v.would || o.would
}
