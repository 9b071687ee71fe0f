package launch

import "softsgx/isa"

// mapping judges mmap and mprotect: MAP, MAPWX for both at once, and EXECDIRTY
// for execution where pages are or may be added after INIT. Before INIT no identity
// could hold EXECDIRTY; the cap of augmented pages then stands alone.
func (v *verdict) mapping(q *question, ev *MapEvent) {
	q.rights, q.creator, q.dynamic = ev.Rights, ev.Creator, ev.Dynamic
	v.ask(q, MAP)
	if ev.Rights&(isa.Write|isa.Exec) == isa.Write|isa.Exec {
		v.ask(q, MAPWX)
	}
	if ev.Rights&isa.Exec != 0 && ev.Dynamic && q.enclave.Known {
		v.ask(q, EXECDIRTY)
	}
}

// augment caps a page that is added after INIT: executable for identities with
// EXECDIRTY only. It is refused where it would be executable at once.
func (v *verdict) augment(q *question, ev *AugmentEvent, d *Decision) {
	q.rights, q.dynamic = ev.Rights, true
	var own verdict
	own.ask(q, EXECDIRTY)
	if own.outcome == Deny || own.would {
		d.Recorded &^= isa.Exec
	}
	if own.outcome == Deny {
		d.Max &^= isa.Exec
	}
	if ev.Rights&isa.Exec != 0 {
		v.join(&own)
	}
}

// enter judges ENTER, or DEBUG for a debugger's access.
func (v *verdict) enter(q *question, ev *EnterEvent) {
	q.creator, q.debug = ev.Creator, ev.Debug
	if ev.Debug {
		v.ask(q, DEBUG)
		return
	}
	v.ask(q, ENTER)
}
