package launch

import (
	"slices"
	"strconv"
)

// expression reads an expression; nil is a mistake that was noted.
func (p *parser) expression() *expr {
	if p.depth++; p.depth > maxNesting {
		p.fail(p.t.at, "expressions nest %d deep at most; split the rule", maxNesting)
		return nil
	}
	defer func() { p.depth-- }()
	if p.isWord("if") {
		return p.ifThenElse()
	}
	return p.chain("||", func() *expr { return p.chain("&&", p.comparison) })
}

func (p *parser) isWord(w string) bool { return p.t.kind == wordToken && p.t.text == w }

func (p *parser) ifThenElse() *expr {
	e := &expr{kind: exprIf, at: p.t.at}
	for _, w := range []string{"if", "then", "else"} {
		if !p.isWord(w) {
			p.fail(p.t.at, "expected %s, found %s", w, p.found())
			return nil
		}
		p.advance()
		part := p.expression()
		if part == nil {
			return nil
		}
		e.args = append(e.args, part)
	}
	return e
}

// chain reads operands joined by one operator, which associates to the left.
func (p *parser) chain(operator string, operand func() *expr) *expr {
	e := operand()
	for n := 0; e != nil && p.is(operator); n++ {
		at := p.advance().at
		if n == maxChain {
			p.fail(at, "%s joins %d conditions at most; split the rule", operator, maxChain)
			return nil
		}
		right := operand()
		if right == nil {
			return nil
		}
		e = &expr{kind: exprBinary, at: at, name: operator, args: []*expr{e, right}}
	}
	return e
}

func (p *parser) comparison() *expr {
	e := p.unary()
	if e == nil {
		return nil
	}
	return p.relation(e)
}

// relation reads what may follow an operand: a comparison, has, like, in or is.
func (p *parser) relation(left *expr) *expr {
	at := p.t.at
	switch {
	case p.t.kind == markToken && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, p.t.text), p.isWord("in"):
		name := p.advance().text
		right := p.unary()
		if right == nil {
			return nil
		}
		return &expr{kind: exprBinary, at: at, name: name, args: []*expr{left, right}}
	case p.isWord("has"):
		p.advance()
		return p.has(left, at)
	case p.isWord("like"):
		p.advance()
		t, ok := p.quoted(`a pattern, as "/usr/*"`)
		if !ok {
			return nil
		}
		return &expr{kind: exprLike, at: t.at, text: t.text, args: []*expr{left}}
	case p.isWord("is"):
		p.advance()
		t, ok := p.word("a kind of entity")
		if !ok {
			return nil
		}
		return &expr{kind: exprIs, at: t.at, name: t.text, args: []*expr{left}}
	}
	return left
}

func (p *parser) has(left *expr, at Position) *expr {
	e := &expr{kind: exprHas, at: p.t.at, args: []*expr{left}}
	ok := true
	if p.t.kind == stringToken {
		e.name, ok = p.literal("")
	} else {
		var t token
		t, ok = p.word("an attribute after has")
		e.name = t.text
	}
	if !ok {
		return nil
	}
	return e
}

// unary reads an operand with up to four signs before it, as Cedar allows.
func (p *parser) unary() *expr {
	var signs []token
	for p.is("!") || p.is("-") {
		if signs = append(signs, p.advance()); len(signs) > 4 {
			p.fail(p.t.at, "four signs at most")
			return nil
		}
	}
	e := p.member()
	for _, s := range slices.Backward(signs) {
		switch {
		case e == nil:
			return nil
		case s.text == "-" && e.kind == exprNumber:
			e.number = -e.number
		default:
			e = &expr{kind: exprUnary, at: s.at, name: s.text, args: []*expr{e}}
		}
	}
	return e
}

// member reads an operand and its attributes and methods.
func (p *parser) member() *expr {
	e := p.primary()
	for n := 0; e != nil && p.is("."); n++ {
		p.advance()
		t, ok := p.word("an attribute")
		if !ok {
			return nil
		}
		if n == maxNesting {
			p.fail(t.at, "too many attributes of attributes")
			return nil
		}
		e = &expr{kind: exprAccess, at: t.at, name: t.text, args: []*expr{e}}
		if p.is("(") {
			p.advance()
			e.kind = exprCall
			if e = p.list(e, ")"); e == nil {
				return nil
			}
		}
	}
	return e
}

// list reads expressions between commas into e, and the mark that closes them.
func (p *parser) list(e *expr, closing string) *expr {
	for !p.is(closing) {
		one := p.expression()
		if one == nil {
			return nil
		}
		e.args = append(e.args, one)
		if !p.is(closing) && !p.mark(",") {
			return nil
		}
	}
	p.advance()
	return e
}

func (p *parser) primary() *expr {
	t := p.t
	switch {
	case t.kind == stringToken:
		text, ok := p.literal("")
		if !ok {
			return nil
		}
		return &expr{kind: exprText, at: t.at, text: text}
	case p.is("("):
		p.advance()
		e := p.expression()
		if e == nil || !p.mark(")") {
			return nil
		}
		return e
	case p.is("["):
		p.advance()
		return p.list(&expr{kind: exprSet, at: t.at}, "]")
	case t.kind == wordToken:
		p.advance()
		return p.named(t)
	}
	p.fail(t.at, "expected an attribute or a value, found %s", p.found())
	return nil
}

// named reads what starts with a word: a constant, a variable or an entity.
func (p *parser) named(t token) *expr {
	switch t.text {
	case "true", "false":
		return &expr{kind: exprBool, at: t.at, truth: t.text == "true"}
	case "principal", "action", "resource", "context":
		return &expr{kind: exprVar, at: t.at, name: t.text}
	}
	if t.text[0] >= '0' && t.text[0] <= '9' {
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			p.fail(t.at, "%q is no number below 2^63", clip(t.text))
			return nil
		}
		return &expr{kind: exprNumber, at: t.at, number: n}
	}
	if !p.is("::") {
		p.fail(t.at, `%q is no value: text is written in quotes, entities as File::"/path"`, clip(t.text))
		return nil
	}
	p.advance()
	id, ok := p.literal("the name of the entity in quotes")
	if !ok {
		return nil
	}
	return &expr{kind: exprEntity, at: t.at, name: t.text, text: id}
}

// literal reads text in quotes and resolves its escapes.
func (p *parser) literal(want string) (string, bool) {
	t, ok := p.quoted(want)
	if !ok {
		return "", false
	}
	text, ok := unescape(t.text)
	if !ok {
		p.fail(t.at, `an escape in %q is none of \\ \" \' \n \r \t \0 \x7f \u{2026}`, clip(t.text))
	}
	return text, ok
}
