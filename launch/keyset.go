package launch

import (
	"bufio"
	"crypto"
	"fmt"
	"io"
	"slices"
)

// LockLevel says which changes a keyset still accepts.
type LockLevel uint8

// The levels. A level is never lowered; only a new Engine starts anew.
const (
	Open       LockLevel = iota // all
	AppendOnly                  // entries that deny, or give no more than one that is there
	Frozen                      // none, but a signed update
)

// String returns the word that the verb lock takes.
func (l LockLevel) String() string { return [...]string{"open", "append", "frozen"}[l] }

// Keyset is a named list of identities with their grants. An Engine guards it: it
// changes through Engine.Change and Engine.Update only.
type Keyset struct {
	name      string // namespace/name
	lock      LockLevel
	version   uint64           // of the last signed update
	updateKey crypto.PublicKey // nil: no signed updates
	defaults  Grants           // of an entry that names none
	at        Position

	entries       []*Entry
	bySigner      map[Digest][]*Entry // those without a measurement
	byMeasurement map[Digest][]*Entry
}

func newKeyset(name string, at Position) *Keyset {
	return &Keyset{name: name, at: at, defaults: GrantLaunch,
		bySigner: map[Digest][]*Entry{}, byMeasurement: map[Digest][]*Entry{}}
}

// index is where e is found.
func (k *Keyset) index(e *Entry) (map[Digest][]*Entry, Digest) {
	if e.MRENCLAVE.Known() {
		return k.byMeasurement, e.MRENCLAVE
	}
	return k.bySigner, e.MRSIGNER
}

func (k *Keyset) has(e *Entry) bool {
	m, key := k.index(e)
	return slices.ContainsFunc(m[key], e.equal)
}

func (k *Keyset) covered(e *Entry) bool {
	m, key := k.index(e)
	return slices.ContainsFunc(m[key], func(have *Entry) bool { return have.covers(e) })
}

// add appends e, once.
func (k *Keyset) add(e *Entry) bool {
	if k.has(e) {
		return false
	}
	m, key := k.index(e)
	m[key] = append(m[key], e)
	k.entries = append(k.entries, e)
	return true
}

// del removes the entries with the key of e and returns whether there were any.
func (k *Keyset) del(e *Entry) bool {
	m, key := k.index(e)
	left := slices.DeleteFunc(slices.Clone(m[key]), e.sameKey)
	if len(left) == len(m[key]) {
		return false
	}
	m[key] = left
	k.entries = slices.DeleteFunc(slices.Clone(k.entries), e.sameKey)
	return true
}

func (k *Keyset) clear() {
	k.entries = nil
	clear(k.bySigner)
	clear(k.byMeasurement)
}

// copy returns a keyset that changes apart from k.
func (k *Keyset) copy() *Keyset {
	c := *k
	c.entries = nil
	c.bySigner, c.byMeasurement = map[Digest][]*Entry{}, map[Digest][]*Entry{}
	for _, e := range k.entries {
		m, key := c.index(e)
		m[key] = append(m[key], e)
	}
	c.entries = slices.Clone(k.entries)
	return &c
}

// tally is what the entries of one or more keysets say, by specificity.
type tally struct {
	allow, deny [specificities]Grants
}

// grants lets the more specific entry win, and deny at the same specificity.
func (t *tally) grants() (allow, deny Grants) {
	for s := range specificities {
		allow = (allow | t.allow[s]) &^ t.deny[s]
		deny = deny&^t.allow[s] | t.deny[s]
	}
	return allow, deny
}

// count adds what k says about the identity in q.
func (k *Keyset) count(q *question, t *tally) {
	for _, e := range k.bySigner[q.enclave.MRSIGNER] {
		k.countEntry(e, q, t)
	}
	for _, e := range k.byMeasurement[q.enclave.MRENCLAVE] {
		k.countEntry(e, q, t)
	}
}

func (k *Keyset) countEntry(e *Entry, q *question, t *tally) {
	switch s := e.specificity(); {
	case e.match(q) != hit:
	case e.Deny:
		t.deny[s] |= e.Grants
	default:
		t.allow[s] |= e.Grants
	}
}

// holds reports whether the identity in q is in the set, whatever it is granted.
func (k *Keyset) holds(q *question) bool {
	var t tally
	k.count(q, &t)
	allow, _ := t.grants()
	return allow != 0
}

// show writes the keyset as policy files do.
func (k *Keyset) show(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "// %s: %d entries, lock %v, version %d\n", k.name, len(k.entries), k.lock, k.version)
	for _, e := range k.entries {
		fmt.Fprintf(b, "%v;\n", e)
	}
	return b.Flush()
}
