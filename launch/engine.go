package launch

import (
	"sync"
	"time"

	"softsgx/isa"
)

// Engine decides events by one policy. A nil Engine allows everything, as Linux does.
type Engine struct {
	byName     map[string]*namespace
	namespaces []*namespace // parents before children
	clock      func() time.Time

	mu         sync.RWMutex // guards the keysets and what follows
	generation uint64
}

// New makes an engine of a policy, which must not be used for another one. clock
// is the time that entries with dates are compared with.
func New(p *Policy, clock func() time.Time) *Engine {
	e := &Engine{byName: map[string]*namespace{}, namespaces: p.namespaces, clock: clock, generation: 1}
	for _, n := range p.namespaces {
		e.byName[n.name] = n
	}
	return e
}

// Generation returns the number of the policy in force; each change raises it.
func (e *Engine) Generation() uint64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.generation
}

// Decide answers an event. Where the outcome is not Allow, it gives every reason.
func (e *Engine) Decide(ev Event) Decision {
	if e == nil {
		return unruled(ev)
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	d := e.decide(ev, nil)
	if d.Outcome != Allow {
		var reasons []Reason
		d = e.decide(ev, &reasons)
		d.Reasons = append(d.Reasons, reasons...)
	}
	return d
}

// Explain is Decide with the reasons for an Allow too.
func (e *Engine) Explain(ev Event) Decision {
	if e == nil {
		return unruled(ev)
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	var reasons []Reason
	d := e.decide(ev, &reasons)
	d.Reasons = append(d.Reasons, reasons...)
	return d
}

// unruled is the answer without a policy: that of Linux 6.1.
func unruled(ev Event) Decision {
	d := Decision{Max: fullRights, Recorded: fullRights}
	if i, ok := ev.(*InitEvent); ok && i.ProvisionFD {
		d.Permit = isa.ATTR_PROVISIONKEY
	}
	return d
}

const fullRights = isa.Read | isa.Write | isa.Exec

func (e *Engine) decide(ev Event, trace *[]Reason) Decision {
	if p, ok := ev.(*PolicyEvent); ok {
		return e.decidePolicy(p)
	}
	var space [maxDepth]*namespace
	var q question
	q.subject, q.enclave = ev.frame()
	q.clock, q.trace = e.clock, trace
	q.chain = e.find(q.subject.Namespace).chain(&space)
	d := unruled(ev)
	var v verdict
	switch ev := ev.(type) {
	case *CreateEvent:
		v.create(&q)
	case *ProvisionEvent:
		v.askSubject(&q, PROVISION)
	case *LoadEvent:
		v.load(&q, ev)
	case *InitEvent:
		v.init(&q, ev, &d)
	case *MapEvent:
		v.mapping(&q, ev)
	case *ProtectEvent:
		v.mapping(&q, (*MapEvent)(ev))
	case *AugmentEvent:
		v.augment(&q, ev, &d)
	case *ModifyEvent:
		q.rights = ev.Rights
		v.ask(&q, MODIFY)
	case *EnterEvent:
		v.enter(&q, ev)
	}
	d.Outcome, d.WouldDeny, d.Needs, d.Generation = v.outcome, v.would, v.needs, e.generation
	return d
}

// Claimed returns the bits of ATTRIBUTES that policy would permit in this attempt
// if the identity that the SIGSTRUCT claims were verified. They are for the check
// that comes before the verification, and are not kept.
func (e *Engine) Claimed(ev *InitEvent) uint64 {
	claim := *ev
	claim.Enclave.Known = true
	d := e.Decide(&claim)
	return d.Permit
}
