//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// colocation keeps the tracer on the processor of the one thread that stops most.
// A stop hands control over twice; to another processor, which has gone idle
// meanwhile, each way costs an interrupt and a wake-up, several times the stop
// itself. One thread at most is held, so the others run wherever they like.
type colocation struct {
	tracer int
	mask   unix.CPUSet // the tracer's own
	thread *Thread     // held, or nil
	saved  unix.CPUSet // its own
	last   *Thread     // of the latest stop
	streak int         // stops of last in a row
	stops  int         // of thread since it is held
}

const (
	streakToHold = 8
	stopsToHold  = 20_000 // then the scheduler may choose another processor
)

func newColocation() colocation {
	c := colocation{tracer: unix.Gettid()}
	_ = unix.SchedGetaffinity(c.tracer, &c.mask) // an empty mask keeps all apart
	return c
}

// stopped notes a stop of t.
func (c *colocation) stopped(t *Thread) {
	if t == c.thread {
		if c.stops++; c.stops >= stopsToHold {
			c.release()
		}
		return
	}
	if t != c.last {
		c.last, c.streak = t, 0
	}
	if c.streak++; c.streak >= streakToHold {
		c.release()
		c.hold(t)
	}
}

// hold puts tracer and thread on the processor where the thread ran last.
func (c *colocation) hold(t *Thread) {
	if c.mask.Count() < 2 || unix.SchedGetaffinity(t.tid, &c.saved) != nil {
		return
	}
	n, err := lastProcessor(t.tid)
	if err != nil || !c.mask.IsSet(n) || !c.saved.IsSet(n) {
		return
	}
	var one unix.CPUSet
	one.Set(n)
	if unix.SchedSetaffinity(t.tid, &one) != nil {
		return
	}
	unix.SchedSetaffinity(c.tracer, &one)
	c.thread, c.stops = t, 0
}

// release lets the held thread run anywhere.
func (c *colocation) release() {
	if c.thread != nil {
		unix.SchedSetaffinity(c.thread.tid, &c.saved)
	}
	c.forget(c.thread)
}

// forget is release of a thread that has ended.
func (c *colocation) forget(t *Thread) {
	if t == c.last {
		c.last, c.streak = nil, 0
	}
	if t != nil && t == c.thread {
		c.thread = nil
		unix.SchedSetaffinity(c.tracer, &c.mask)
	}
}

// inherit gives a child of the held thread the processors that are its parent's own.
func (c *colocation) inherit(parent *Thread, child int) {
	if parent == c.thread {
		unix.SchedSetaffinity(child, &c.saved)
	}
}

// affinity is sched_getaffinity or sched_setaffinity: the program sees and changes
// its own mask.
func (s *Supervisor) affinity(t *Thread) {
	s.near.release()
	t.cont(0)
}

// lastProcessor reads field 39 of /proc/TID/stat.
func lastProcessor(tid int) (int, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/stat")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name may hold spaces
	fields := strings.Fields(rest)
	const processor = 39 - 3
	if len(fields) <= processor {
		return 0, fmt.Errorf("task %d: short stat", tid)
	}
	return strconv.Atoi(fields[processor])
}
