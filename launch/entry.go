package launch

import (
	"fmt"
	"strings"
	"time"
)

// Entry is one identity of a keyset and what it gets (security reference, "Identity
// rules"). MRSIGNER, MRENCLAVE or both are set. Limits of zero do not limit.
type Entry struct {
	Deny      bool   // takes the grants away instead
	MRSIGNER  Digest // of the signer
	MRENCLAVE Digest // of the enclave
	HasProdID bool   // ISVPRODID must be ProdID
	ProdID    uint16
	MinSVN    uint16 // lowest ISVSVN
	HasMaxSVN bool   // ISVSVN must not be above MaxSVN
	MaxSVN    uint16
	AttrMask  uint64 // bits of ATTRIBUTES.FLAGS that must equal AttrValue
	AttrValue uint64
	NotBefore int64  // seconds since 1970
	NotAfter  int64  // seconds since 1970, exclusive
	Instances uint32 // running at once, this one included
	Size      uint64 // of ELRANGE in bytes, at most
	Grants    Grants
	At        Position
}

// specificity orders entries: a more specific one wins.
type specificity uint8

const (
	bySigner specificity = iota
	byProduct
	byMeasurement

	specificities = iota
)

func (e *Entry) specificity() specificity {
	switch {
	case e.MRENCLAVE.Known():
		return byMeasurement
	case e.HasProdID:
		return byProduct
	}
	return bySigner
}

// criterion is what made an entry miss.
type criterion uint8

const (
	hit criterion = iota
	missSigner
	missMeasurement
	missProdID
	missSVN
	missAttributes
	missTime
	missInstances
	missSize
)

// match compares the entry with the identity in q.
func (e *Entry) match(q *question) criterion {
	i := q.enclave
	switch {
	case e.MRSIGNER.Known() && e.MRSIGNER != i.MRSIGNER:
		return missSigner
	case e.MRENCLAVE.Known() && e.MRENCLAVE != i.MRENCLAVE:
		return missMeasurement
	case e.HasProdID && e.ProdID != i.ISVPRODID:
		return missProdID
	case i.ISVSVN < e.MinSVN, e.HasMaxSVN && i.ISVSVN > e.MaxSVN:
		return missSVN
	case i.ATTRIBUTES.Flags&e.AttrMask != e.AttrValue:
		return missAttributes
	case (e.NotBefore != 0 || e.NotAfter != 0) && !e.inTime(q.time()):
		return missTime
	case e.Instances != 0 && q.running >= e.Instances:
		return missInstances
	case e.Size != 0 && i.Size > e.Size:
		return missSize
	}
	return hit
}

func (e *Entry) inTime(now int64) bool {
	return now >= e.NotBefore && (e.NotAfter == 0 || now < e.NotAfter)
}

// explain names the criterion, with what the identity has and the entry wants.
func (e *Entry) explain(c criterion, q *question) (attribute, got, want string) {
	i := q.enclave
	switch c {
	case missSigner:
		return "MRSIGNER", i.MRSIGNER.String(), e.MRSIGNER.String()
	case missMeasurement:
		return "MRENCLAVE", i.MRENCLAVE.String(), e.MRENCLAVE.String()
	case missProdID:
		return "ISVPRODID", fmt.Sprint(i.ISVPRODID), fmt.Sprint(e.ProdID)
	case missSVN:
		return "ISVSVN", fmt.Sprint(i.ISVSVN), e.svnText()
	case missAttributes:
		return "ATTRIBUTES", flagText(i.ATTRIBUTES.Flags&e.AttrMask, e.AttrMask), flagText(e.AttrValue, e.AttrMask)
	case missTime:
		return "time", dateText(q.time()), strings.TrimSpace(e.timeText())
	case missInstances:
		return "instances", fmt.Sprint(q.running), fmt.Sprintf("below %d", e.Instances)
	case missSize:
		return "size", fmt.Sprint(i.Size), fmt.Sprintf("at most %d", e.Size)
	}
	if e.MRENCLAVE.Known() {
		return "MRENCLAVE", i.MRENCLAVE.String(), ""
	}
	return "MRSIGNER", i.MRSIGNER.String(), ""
}

func (e *Entry) svnText() string {
	if e.HasMaxSVN {
		return fmt.Sprintf("%d to %d", e.MinSVN, e.MaxSVN)
	}
	return fmt.Sprintf("at least %d", e.MinSVN)
}

func dateText(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05Z") }

func (e *Entry) timeText() string {
	var b strings.Builder
	if e.NotBefore != 0 {
		fmt.Fprintf(&b, " from %q", dateText(e.NotBefore))
	}
	if e.NotAfter != 0 {
		fmt.Fprintf(&b, " until %q", dateText(e.NotAfter))
	}
	return b.String()
}

// String returns the entry as policy files write it, without the semicolon.
func (e *Entry) String() string {
	var b strings.Builder
	b.WriteString(effect(e.Deny))
	if e.MRSIGNER.Known() {
		fmt.Fprintf(&b, " mrsigner %v", e.MRSIGNER)
	}
	if e.MRENCLAVE.Known() {
		fmt.Fprintf(&b, " mrenclave %v", e.MRENCLAVE)
	}
	if e.HasProdID {
		fmt.Fprintf(&b, " prodid %d", e.ProdID)
	}
	if e.MinSVN != 0 {
		fmt.Fprintf(&b, " minsvn %d", e.MinSVN)
	}
	if e.HasMaxSVN {
		fmt.Fprintf(&b, " maxsvn %d", e.MaxSVN)
	}
	if e.AttrMask != 0 {
		fmt.Fprintf(&b, " require %s", flagText(e.AttrValue, e.AttrMask))
	}
	b.WriteString(e.timeText())
	if e.Instances != 0 {
		fmt.Fprintf(&b, " instances %d", e.Instances)
	}
	if e.Size != 0 {
		fmt.Fprintf(&b, " size %d", e.Size)
	}
	if !e.Deny || e.Grants != allGrants {
		fmt.Fprintf(&b, ": %v", e.Grants)
	}
	return b.String()
}

func effect(deny bool) string {
	if deny {
		return "deny"
	}
	return "allow"
}

// sameKey reports whether two entries name the same identities, whatever their
// conditions and grants.
func (e *Entry) sameKey(o *Entry) bool {
	return e.Deny == o.Deny && e.MRSIGNER == o.MRSIGNER && e.MRENCLAVE == o.MRENCLAVE &&
		e.HasProdID == o.HasProdID && e.ProdID == o.ProdID
}

// covers reports whether e applies wherever o does and grants as much.
func (e *Entry) covers(o *Entry) bool {
	return e.sameKey(o) && o.Grants&^e.Grants == 0 &&
		o.MinSVN >= e.MinSVN && (!e.HasMaxSVN || o.HasMaxSVN && o.MaxSVN <= e.MaxSVN) &&
		e.AttrMask&^o.AttrMask == 0 && o.AttrValue&e.AttrMask == e.AttrValue &&
		o.NotBefore >= e.NotBefore && (e.NotAfter == 0 || o.NotAfter != 0 && o.NotAfter <= e.NotAfter) &&
		(e.Instances == 0 || o.Instances != 0 && o.Instances <= e.Instances) &&
		(e.Size == 0 || o.Size != 0 && o.Size <= e.Size)
}

func (e *Entry) equal(o *Entry) bool {
	x, y := *e, *o
	x.At, y.At = Position{}, Position{}
	return x == y
}
