package launch

import (
	"errors"
	"fmt"
	"io"
)

// Verb is one kind of change of a keyset.
type Verb uint8

// The verbs. A Change is all or nothing, as begin and commit of a Session are.
const (
	Add Verb = iota
	Del
	Clear
	Lock
)

// String returns the word that a Session reads.
func (v Verb) String() string { return [...]string{"add", "del", "clear", "lock"}[v] }

// Edit is one change of a keyset.
type Edit struct {
	Verb  Verb
	Entry Entry     // of Add and Del; Del takes the entries with its key
	Level LockLevel // of Lock
}

// ErrLocked is a change that the lock of a keyset forbids. The caller answers EACCES.
var ErrLocked = errors.New("the keyset is locked")

// permits tests one edit against the lock. Nothing else does.
func (k *Keyset) permits(e *Edit) error {
	switch {
	case k.lock == Open:
		return nil
	case k.lock == Frozen:
		return fmt.Errorf("%s: %v: %w (frozen until restart; a signed update can replace it)", k.name, e.Verb, ErrLocked)
	case e.Verb == Lock:
		return nil
	case e.Verb == Add && (e.Entry.Deny || k.covered(&e.Entry)):
		return nil
	}
	return fmt.Errorf("%s: %v: %w (append: only entries that deny or narrow)", k.name, e.Verb, ErrLocked)
}

// apply does one edit that permits allowed.
func (k *Keyset) apply(e *Edit) error {
	switch e.Verb {
	case Add:
		entry := e.Entry
		k.add(&entry)
	case Del:
		if !k.del(&e.Entry) {
			return fmt.Errorf("%s: del: no such entry; show lists them", k.name)
		}
	case Clear:
		k.clear()
	case Lock:
		k.lock = max(k.lock, e.Level)
	}
	return nil
}

// applyAll does all edits, or returns an error and does none. One edit needs no
// copy: apply changes nothing when it fails.
func (k *Keyset) applyAll(edits []Edit) error {
	into := k
	if len(edits) > 1 {
		into = k.copy()
	}
	for i := range edits {
		if err := into.permits(&edits[i]); err != nil {
			return err
		}
		if err := into.apply(&edits[i]); err != nil {
			return err
		}
	}
	*k = *into
	return nil
}

// Change applies the edits to a keyset, all or none, and returns the new generation.
// The decision is for the record: Log, or Deny with the reason.
func (e *Engine) Change(ev *PolicyEvent) (Decision, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k, err := e.keyset(ev.Keyset)
	if err == nil {
		err = k.applyAll(ev.Edits)
	}
	if err != nil {
		return e.refuseChange(ev, err), err
	}
	e.generation++
	return Decision{Outcome: Log, Generation: e.generation, Reasons: []Reason{{
		Rule: ev.Keyset, Outcome: Log, Attribute: "generation", Got: fmt.Sprint(e.generation), At: k.at,
	}}}, nil
}

func (e *Engine) refuseChange(ev *PolicyEvent, err error) Decision {
	return Decision{Outcome: Deny, Generation: e.generation, Reasons: []Reason{{
		Rule: ev.Keyset, Outcome: Deny, Attribute: "change", Got: err.Error(),
	}}}
}

// decidePolicy answers what Change would, and changes nothing.
func (e *Engine) decidePolicy(ev *PolicyEvent) Decision {
	k, err := e.keyset(ev.Keyset)
	if err == nil {
		err = k.copy().applyAll(ev.Edits)
	}
	if err != nil {
		return e.refuseChange(ev, err)
	}
	return Decision{Outcome: Log, Generation: e.generation}
}

// Show writes a keyset, frozen or not.
func (e *Engine) Show(keyset string, w io.Writer) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	k, err := e.keyset(keyset)
	if err != nil {
		return err
	}
	return k.show(w)
}

// keyset finds a keyset by namespace/name.
func (e *Engine) keyset(name string) (*Keyset, error) {
	for _, n := range e.namespaces {
		for _, k := range n.keysets {
			if k.name == name {
				return k, nil
			}
		}
	}
	return nil, fmt.Errorf("no keyset %q; the policy file declares them", clip(name))
}
