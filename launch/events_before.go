package launch

import "softsgx/isa"

// create judges CREATE and, with ATTRIBUTES.DEBUG, the subject's DEBUG. The
// identity can supply DEBUG at INIT, which asks again.
func (v *verdict) create(q *question) {
	v.ask(q, CREATE)
	if q.enclave.ATTRIBUTES.Has(isa.ATTR_DEBUG) {
		v.askSubject(q, DEBUG)
	}
}

// load judges what the declaration of a run of pages needs: rights of the file now,
// others now if the subject has them and else at INIT.
func (v *verdict) load(q *question, ev *LoadEvent) {
	q.pages, q.rights = &ev.Pages, ev.Pages.Cap
	if ev.Pages.Origin == FromFile || ev.Pages.Origin == FromModified {
		q.file = &ev.Pages.Source
	}
	need := ev.Pages.Declared()
	if need == 0 {
		return
	}
	for r := range Right(rights) {
		switch {
		case !need.Has(r):
		case r.Scope() == FileScope:
			v.ask(q, r)
		default:
			v.askSubject(q, r)
		}
	}
}
