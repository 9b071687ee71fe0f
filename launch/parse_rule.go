package launch

import "strconv"

func itoa(n int) string { return strconv.Itoa(n) }

// rule reads one rule of Cedar (https://docs.cedarpolicy.com/policies/syntax-grammar.html).
// It never asks for more: see the compiler for the expressions that decisions use.
func (p *parser) rule() bool {
	r := &parsedRule{at: p.t.at, in: p.into}
	p.what = r.name()
	if !p.annotations(r) || !p.effect(r) {
		return p.skipRule()
	}
	for i, v := range []string{"principal", "action", "resource"} {
		if i > 0 && !p.mark(",") || !p.scope(v, &r.scopes[i]) {
			return p.skipRule()
		}
	}
	if !p.mark(")") || !p.conditions(r) {
		return p.skipRule()
	}
	p.load.rules = append(p.load.rules, r)
	return true
}

// skipRule passes the rest of a rule that is wrong. Only its end has a semicolon.
func (p *parser) skipRule() bool {
	for p.t.kind != endToken {
		if t := p.advance(); t.kind == markToken && t.text == ";" {
			break
		}
	}
	return true
}

func (p *parser) annotations(r *parsedRule) bool {
	for p.is("@") {
		p.advance()
		name, ok := p.word("the name of an annotation, as @id")
		if !ok {
			return false
		}
		var value string
		if p.is("(") {
			p.advance()
			if value, ok = p.literal("the value of the annotation"); !ok || !p.mark(")") {
				return false
			}
		}
		switch name.text {
		case "id":
			r.id, r.idAt = value, name.at
			p.what = r.name()
		case "log":
			r.logAt = name.at
		}
	}
	return true
}

func (p *parser) effect(r *parsedRule) bool {
	t, ok := p.word("permit or forbid")
	if ok && t.text != "permit" && t.text != "forbid" {
		p.fail(t.at, "expected permit or forbid, found %q", clip(t.text))
		return false
	}
	r.forbid = t.text == "forbid"
	return ok && p.mark("(")
}

// scope is `principal`, or that with ==, in or is.
func (p *parser) scope(variable string, into **expr) bool {
	t, ok := p.word(variable)
	if ok && t.text != variable {
		p.fail(t.at, "expected %s, found %q: a rule's head is (principal, action, resource)", variable, clip(t.text))
	}
	if !ok || t.text != variable {
		return false
	}
	v := &expr{kind: exprVar, at: t.at, name: variable}
	e := p.relation(v)
	if e != v {
		*into = e
	}
	return e != nil
}

// conditions are when and unless, to the semicolon.
func (p *parser) conditions(r *parsedRule) bool {
	for !p.is(";") {
		t, ok := p.word("when, unless or ;")
		if ok && t.text != "when" && t.text != "unless" {
			p.fail(t.at, "expected when, unless or ;, found %q", clip(t.text))
		}
		if !ok || t.text != "when" && t.text != "unless" || !p.mark("{") {
			return false
		}
		e := p.expression()
		if e == nil || !p.mark("}") {
			return false
		}
		if t.text == "unless" {
			e = &expr{kind: exprUnary, at: t.at, name: "!", args: []*expr{e}}
		}
		r.conditions = append(r.conditions, e)
	}
	p.advance()
	return true
}
