package cpu

import "softsgx/isa"

// epochs follows which threads may still hold old translations of an enclave
// (SDM vol. 3D, "ETRACK", as a model of epochs). Guarded by CPU.mu.
type epochs struct {
	epoch  uint64 // starts at 1
	cur    int    // threads inside that entered in this epoch
	prev   int    // threads inside that entered before it
	inside *LP    // list of all threads inside
}

func (t *epochs) enter(lp *LP) {
	lp.epoch = t.epoch
	t.cur++
	lp.next = t.inside
	if lp.next != nil {
		lp.next.prev = lp
	}
	t.inside = lp
}

func (t *epochs) leave(lp *LP) {
	if lp.epoch == t.epoch {
		t.cur--
	} else {
		t.prev--
	}
	if lp.prev != nil {
		lp.prev.next = lp.next
	} else {
		t.inside = lp.next
	}
	if lp.next != nil {
		lp.next.prev = lp.prev
	}
	lp.next, lp.prev = nil, nil
}

// refresh makes lp count as entered now.
func (t *epochs) refresh(lp *LP) {
	if lp.epoch != t.epoch {
		lp.epoch = t.epoch
		t.prev--
		t.cur++
	}
}

// occupied reports whether any thread is inside.
func (t *epochs) occupied() bool { return t.inside != nil }

// advance starts a new epoch. It fails while the one before is not over.
func (t *epochs) advance() bool {
	if t.prev != 0 {
		return false
	}
	t.epoch++
	t.prev, t.cur = t.cur, 0
	return true
}

// tracked reports whether no thread inside can hold a translation made before
// the page got the stamp bepoch.
func (t *epochs) tracked(bepoch uint64) bool {
	return bepoch < t.epoch && (bepoch < t.epoch-1 || t.prev == 0)
}

// StaleLPs returns the logical processors inside the enclave that entered
// before its last ETRACK: those that an interrupt must reach before the
// tracking cycle is over. It returns nil if secs is not a SECS.
func (c *CPU) StaleLPs(secs isa.EPCAddr) []*LP {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(secs)
	if e == nil || !e.is(flagValid) || e.pt != isa.PT_SECS {
		return nil
	}
	var stale []*LP
	for lp := e.secs.inside; lp != nil; lp = lp.next {
		if lp.epoch != e.secs.epoch {
			stale = append(stale, lp)
		}
	}
	return stale
}
