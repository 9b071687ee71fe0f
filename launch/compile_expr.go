package launch

import "strings"

// boolean compiles an expression that is true or false.
func (c *compiler) boolean(e *expr) (*node, error) {
	switch e.kind {
	case exprBool:
		if e.truth {
			return &node{op: opTrue}, nil
		}
		return &node{op: opFalse}, nil
	case exprUnary:
		if e.name == "!" {
			n, err := c.boolean(e.args[0])
			return &node{op: opNot, left: n}, err
		}
	case exprIf:
		return c.all(opIf, e.args)
	case exprBinary:
		return c.binary(e)
	case exprAccess:
		return c.flag(e)
	case exprHas:
		n, err := c.named(e.args[0], e.name, e.at)
		if err == nil {
			n.op = opHas
		}
		return n, err
	case exprLike:
		return c.like(e)
	case exprIs:
		return c.is(e)
	case exprCall:
		return c.contains(e)
	}
	return nil, complain(e.at, "this is neither true nor false: compare an attribute with a value (== != < <= > >= like), ask has, "+
		`[…].contains(attribute) or resource in Keyset::"…", and join with && || ! if`)
}

// all compiles the operands of && || and if.
func (c *compiler) all(o op, args []*expr) (*node, error) {
	n := &node{op: o}
	for i, to := range []**node{&n.left, &n.right, &n.other}[:len(args)] {
		part, err := c.boolean(args[i])
		if err != nil {
			return nil, err
		}
		*to = part
	}
	return n, nil
}

func (c *compiler) binary(e *expr) (*node, error) {
	left, right := e.args[0], e.args[1]
	switch {
	case e.name == "&&":
		return c.all(opAnd, e.args)
	case e.name == "||":
		return c.all(opOr, e.args)
	case right.kind == exprEntity && e.name == "!=":
		n, err := c.entity(left, right, "==")
		return &node{op: opNot, left: n}, err
	case right.kind == exprEntity:
		return c.entity(left, right, e.name)
	case e.name == "==":
		return c.equality(left, right)
	case e.name == "!=":
		n, err := c.equality(left, right)
		return &node{op: opNot, left: n}, err
	case e.name == "in":
		return nil, complain(e.at, `write resource in Keyset::"name" or resource in Signer::"mrsigner"`)
	}
	return c.order(left, right, e)
}

func (e *expr) literal() bool {
	return e.kind == exprBool || e.kind == exprNumber || e.kind == exprText
}

// access compiles principal.uid and the like.
func (c *compiler) access(e *expr) (*node, error) {
	if e.kind != exprAccess {
		return nil, complain(e.at, "compare an attribute, as principal.uid or resource.sha256, with a value")
	}
	return c.named(e.args[0], e.name, e.at)
}

func (c *compiler) named(v *expr, name string, at Position) (*node, error) {
	if v.kind != exprVar {
		return nil, complain(at, "only principal, resource and context have attributes")
	}
	a, ok := lookupAttribute(v.name, name)
	if !ok {
		return nil, complain(at, "%s has no %q; it has %s", v.name, clip(name), attributesOf(v.name))
	}
	return c.about(&node{attribute: a}, at)
}

func attributesOf(of string) string {
	var names []string
	for a, f := range facts {
		if f.of == of && attribute(a) != inKeyset {
			names = append(names, f.name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// flag is a Bool attribute itself.
func (c *compiler) flag(e *expr) (*node, error) {
	n, err := c.access(e)
	if err != nil {
		return nil, err
	}
	if k := facts[n.attribute].kind; k != boolKind {
		return nil, complain(e.at, "%s is a %v: compare it with one", n.attribute.name(), k)
	}
	n.op = opTruth
	return n, nil
}

func (c *compiler) like(e *expr) (*node, error) {
	n, err := c.access(e.args[0])
	if err != nil {
		return nil, err
	}
	if facts[n.attribute].kind != textKind {
		return nil, complain(e.at, "%s cannot be matched with like: compare it with ==", n.attribute.name())
	}
	parts, ok := parsePattern(e.text)
	if !ok {
		return nil, complain(e.at, "an escape in the pattern is none of Cedar's")
	}
	n.op, n.pattern, n.text = opLike, parts, e.text
	return n, nil
}

// equality compiles attribute == value, in either order.
func (c *compiler) equality(left, right *expr) (*node, error) {
	if left.literal() {
		left, right = right, left
	}
	n, err := c.access(left)
	if err != nil {
		return nil, err
	}
	n.op = opEqual
	return n, n.setValue(right)
}

// setValue gives n the literal that its attribute is compared with.
func (n *node) setValue(e *expr) error {
	k := facts[n.attribute].kind
	switch {
	case e.kind == exprBool && k == boolKind:
		n.truthValue = e.truth
	case e.kind == exprNumber && k == longKind:
		n.number = e.number
	case e.kind == exprText && k == textKind:
		n.text = e.text
	case e.kind == exprText && k == digestKind:
		d, err := lowerDigest(e.text)
		if err != nil {
			return complain(e.at, "%s: %v", n.attribute.name(), err)
		}
		n.digest = d
	default:
		return complain(e.at, "%s is a %v: compare it with such a value", n.attribute.name(), k)
	}
	return nil
}

// turned are the comparisons with the operands exchanged.
var turned = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}

// order compiles < <= > >= of a Long and a number, in either order.
func (c *compiler) order(left, right *expr, e *expr) (*node, error) {
	sign := e.name
	if left.literal() {
		left, right, sign = right, left, turned[sign]
	}
	n, err := c.access(left)
	if err != nil {
		return nil, err
	}
	if facts[n.attribute].kind != longKind || right.kind != exprNumber {
		return nil, complain(e.at, "%s orders a Long attribute and a number", e.name)
	}
	n.number = right.number
	n.op = opLess
	if sign == "<=" || sign == ">" {
		n.op = opLessEq
	}
	if sign == ">" || sign == ">=" {
		return &node{op: opNot, left: n}, nil
	}
	return n, nil
}

// contains compiles [1, 2].contains(principal.uid).
func (c *compiler) contains(e *expr) (*node, error) {
	if e.name != "contains" || len(e.args) != 2 || e.args[0].kind != exprSet {
		return nil, complain(e.at, "the one method is contains, as [1000, 1001].contains(principal.uid)")
	}
	n, err := c.access(e.args[1])
	if err != nil {
		return nil, err
	}
	if facts[n.attribute].kind == boolKind {
		return nil, complain(e.at, "%s is true or false: ask it itself", n.attribute.name())
	}
	n.op, n.digests = opOneOf, map[Digest]struct{}{}
	for _, value := range e.args[0].args {
		one := node{attribute: n.attribute}
		if err := one.setValue(value); err != nil {
			return nil, err
		}
		n.include(&one)
	}
	return n, nil
}

func (n *node) include(one *node) {
	switch facts[n.attribute].kind {
	case longKind:
		n.numbers = append(n.numbers, one.number)
	case digestKind:
		n.digests[one.digest] = struct{}{}
	case textKind:
		n.texts = append(n.texts, one.text)
	}
}
