package launch

import (
	"fmt"
	"slices"
	"strings"
)

// op is what a node does.
type op uint8

const (
	opTrue op = iota
	opFalse
	opAnd
	opOr
	opNot
	opIf
	opHas
	opTruth // a Bool attribute itself
	opEqual
	opLess   // attribute < number
	opLessEq // attribute <= number
	opLike
	opOneOf
	opKeyset
)

// node is a condition of Cedar, with names and types settled. It is evaluated
// without allocation.
type node struct {
	op                 op
	left, right, other *node // of && || ! if
	attribute          attribute
	truthValue         bool
	number             int64
	text               string
	digest             Digest
	pattern            pattern
	numbers            []int64
	texts              []string
	digests            map[Digest]struct{}
	keyset             *Keyset
}

// tri is the truth of a condition; it is unknown if an attribute is.
type tri uint8

const (
	no tri = iota
	yes
	unknown
)

func tell(b bool) tri {
	if b {
		return yes
	}
	return no
}

// truth evaluates the node as Cedar does, with unknown for its errors.
func (n *node) truth(q *question) tri {
	switch n.op {
	case opTrue:
		return yes
	case opFalse:
		return no
	case opAnd:
		if t := n.left.truth(q); t != yes {
			return t
		}
		return n.right.truth(q)
	case opOr:
		if t := n.left.truth(q); t != no {
			return t
		}
		return n.right.truth(q)
	case opNot:
		return [...]tri{no: yes, yes: no, unknown: unknown}[n.left.truth(q)]
	case opIf:
		return n.choose(q)
	}
	return n.leaf(q)
}

func (n *node) choose(q *question) tri {
	switch n.left.truth(q) {
	case yes:
		return n.right.truth(q)
	case no:
		return n.other.truth(q)
	}
	return unknown
}

// leaf evaluates a question about one attribute.
func (n *node) leaf(q *question) tri {
	if n.op == opKeyset {
		if !q.enclave.Known {
			return unknown
		}
		return tell(n.keyset.holds(q))
	}
	v := n.attribute.value(q)
	switch {
	case n.op == opHas:
		return tell(v.known)
	case !v.known:
		return unknown
	}
	switch n.op {
	case opTruth:
		return tell(v.truth)
	case opEqual:
		return tell(n.equal(&v))
	case opLess:
		return tell(v.number < n.number)
	case opLessEq:
		return tell(v.number <= n.number)
	case opLike:
		return tell(n.pattern.match(v.text))
	}
	return tell(n.oneOf(&v))
}

func (n *node) equal(v *value) bool {
	switch facts[n.attribute].kind {
	case boolKind:
		return v.truth == n.truthValue
	case longKind:
		return v.number == n.number
	case digestKind:
		return v.digest == n.digest
	}
	return v.text == n.text
}

func (n *node) oneOf(v *value) bool {
	switch facts[n.attribute].kind {
	case longKind:
		return slices.Contains(n.numbers, v.number)
	case digestKind:
		_, ok := n.digests[v.digest]
		return ok
	}
	return slices.Contains(n.texts, v.text)
}

// key is a conjunct that names the one file, digest or user to which the
// condition can apply, if there is one.
func (n *node) key() *node {
	switch n.op {
	case opAnd:
		if k := n.left.key(); k != nil {
			return k
		}
		return n.right.key()
	case opEqual:
		k := facts[n.attribute].kind
		if k == digestKind || n.attribute == resourcePath || n.attribute == principalUID && uint64(n.number) < 1<<32 {
			return n
		}
	}
	return nil
}

// decisive is the question that settled the answer, if one did.
func (n *node) decisive(q *question) *node {
	switch n.op {
	case opTrue, opFalse:
		return nil
	case opAnd:
		if n.left.truth(q) != yes {
			return n.left.decisive(q)
		}
		if d := n.right.decisive(q); d != nil {
			return d
		}
		return n.left.decisive(q)
	case opOr:
		if n.left.truth(q) != no {
			return n.left.decisive(q)
		}
		return n.right.decisive(q)
	case opNot:
		return n.left.decisive(q)
	case opIf:
		return n.left.decisive(q)
	}
	return n
}

// want is what the question compares with, for a reason.
func (n *node) want() string {
	switch n.op {
	case opHas:
		return "known"
	case opTruth:
		return "true"
	case opLess:
		return fmt.Sprintf("< %d", n.number)
	case opLessEq:
		return fmt.Sprintf("<= %d", n.number)
	case opLike:
		return fmt.Sprintf("like \"%s\"", n.text)
	case opKeyset:
		return n.text
	case opOneOf:
		return fmt.Sprintf("one of %d", len(n.numbers)+len(n.texts)+len(n.digests))
	}
	switch facts[n.attribute].kind {
	case boolKind:
		return fmt.Sprint(n.truthValue)
	case longKind:
		return fmt.Sprint(n.number)
	case digestKind:
		return n.digest.String()
	}
	return strings.TrimSpace(n.text)
}
