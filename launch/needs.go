package launch

import (
	"fmt"

	"softsgx/isa"
)

// Declared returns the rights that pages need because of what they were declared
// as; what is done with them later changes nothing (security reference, "Page
// record").
func (p *Pages) Declared() RightSet {
	var need RightSet
	if p.Cap&isa.Exec == 0 {
		return need
	}
	if p.Measured != MeasuredAll && p.Origin != FromAugment {
		need = need.With(EXECUNMR)
	}
	writable := p.Cap&isa.Write != 0
	switch p.Origin {
	case FromFile:
		need = need.With(EXECUTE)
		if writable {
			need = need.With(EXECMOD)
		}
	case FromModified:
		need = need.With(EXECMOD)
	case FromAugment:
		need = need.With(EXECDIRTY)
	default:
		need = need.With(EXECANON)
		if writable {
			need = need.With(EXECDIRTY)
		}
	}
	return need
}

// levels is a set of namespaces of one chain, by depth.
type levels uint8

// maxDepth is how deep namespaces nest, the machine's included.
const maxDepth = 8

// Needs are rights that a load could not settle, with the namespaces that asked.
type Needs struct {
	missing [rights]levels
	set     RightSet
}

// Rights returns the rights.
func (n *Needs) Rights() RightSet { return n.set }

func (n *Needs) add(r Right, l levels) {
	if l != 0 {
		n.missing[r] |= l
		n.set = n.set.With(r)
	}
}

// Range is the first run of pages that needs a right, and how many pages do.
type Range struct {
	Offset, Length uint64
	Pages          uint64
}

// Pending are the needs of an enclave that INIT judges. The zero value has none.
type Pending struct {
	needs     Needs
	ranges    [rights]Range
	namespace string // of the subject that loaded
	loaded    bool
	mixed     bool // more than one namespace loaded
}

// Add notes one load and what its decision left over.
func (p *Pending) Add(ev *LoadEvent, d *Decision) {
	p.mixed = p.mixed || p.loaded && p.namespace != ev.Subject.Namespace
	p.namespace, p.loaded = ev.Subject.Namespace, true
	declared := ev.Pages.Declared() & leftToInit
	for r := range Right(rights) {
		if !declared.Has(r) {
			continue
		}
		p.needs.add(r, d.Needs.missing[r])
		p.needs.set = p.needs.set.With(r)
		if p.ranges[r].Pages == 0 {
			p.ranges[r] = Range{Offset: ev.Pages.Offset, Length: ev.Pages.Length}
		}
		p.ranges[r].Pages += ev.Pages.Length / isa.PageSize
	}
}

// leftToInit are the rights that the identity can supply at INIT.
const leftToInit RightSet = 1<<EXECANON | 1<<EXECUNMR | 1<<EXECDIRTY

// Rights returns the rights that some namespace still has to find.
func (p *Pending) Rights() RightSet {
	var set RightSet
	for r, l := range p.needs.missing {
		if l != 0 {
			set = set.With(Right(r))
		}
	}
	return set
}

// Range returns where r is needed.
func (p *Pending) Range(r Right) Range { return p.ranges[r] }

// reason says which pages need r.
func (p *Pending) reason(n *namespace, r Right) Reason {
	at := p.ranges[r]
	return Reason{Rule: n.path("pending"), Right: r, Outcome: Deny, Attribute: "pages",
		Got: fmt.Sprintf("%d from %#x+%#x", at.Pages, at.Offset, at.Length), Want: "none"}
}
