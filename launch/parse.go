package launch

import (
	"fmt"
	"strings"
)

// parser reads one file of a policy into a namespace. It goes on after a mistake
// with the next statement.
type parser struct {
	load  *loader
	s     *scanner
	t     token // the next one
	into  *namespace
	what  string // the statement, for errors
	depth int    // of the expression
}

func (p *parser) advance() token {
	t := p.t
	p.t = p.s.next()
	return t
}

func (p *parser) fail(at Position, format string, args ...any) {
	if len(p.load.errors) >= maxErrors {
		return
	}
	p.load.errors = append(p.load.errors, &Error{at, p.what, fmt.Sprintf(format, args...)})
}

// found describes the next token.
func (p *parser) found() string {
	switch p.t.kind {
	case endToken:
		return "the end of the file"
	case brokenToken:
		return `text without a closing "`
	}
	return fmt.Sprintf("%q", clip(p.t.text))
}

// word, text and mark return the next token if it is such a one.
func (p *parser) word(want string) (token, bool)   { return p.expect(wordToken, want) }
func (p *parser) quoted(want string) (token, bool) { return p.expect(stringToken, want) }

func (p *parser) mark(m string) bool {
	if p.t.kind == markToken && p.t.text == m {
		p.advance()
		return true
	}
	p.fail(p.t.at, "expected %q, found %s", m, p.found())
	return false
}

func (p *parser) expect(k tokenKind, want string) (token, bool) {
	if p.t.kind == k {
		return p.advance(), true
	}
	p.fail(p.t.at, "expected %s, found %s", want, p.found())
	return token{}, false
}

func (p *parser) is(mark string) bool { return p.t.kind == markToken && p.t.text == mark }

// skip passes the rest of a statement that is wrong: to its ';' or past its '}'.
func (p *parser) skip() {
	for depth := 0; p.t.kind != endToken; {
		switch t := p.advance(); {
		case t.kind != markToken:
		case t.text == ";" && depth == 0:
			return
		case t.text == "{":
			depth++
		case t.text == "}":
			if depth--; depth <= 0 {
				return
			}
		}
	}
}

// statements are the words that start one, and what reads it. Cedar's own come last.
var statements = map[string]func(*parser) bool{}

func init() {
	statements["include"] = (*parser).include
	statements["mode"] = (*parser).mode
	statements["default"] = (*parser).defaults
	statements["provision"] = (*parser).provision
	statements["namespace"] = (*parser).namespace
	statements["keyset"] = (*parser).keyset
	statements["permit"] = (*parser).rule
	statements["forbid"] = (*parser).rule
}

// statement reads one statement.
func (p *parser) statement() {
	p.what = ""
	p.depth = 0
	if p.is("@") {
		p.ok(p.rule())
		return
	}
	read, known := statements[p.t.text]
	if p.t.kind != wordToken || !known {
		p.fail(p.t.at, "%s starts no statement: write permit, forbid, keyset, namespace, mode, default, provision or include", p.found())
		p.skip()
		return
	}
	p.ok(read(p))
}

func (p *parser) ok(read bool) {
	if !read {
		p.skip()
	}
	p.what = ""
}

// file reads statements to the end.
func (p *parser) file() {
	for p.t = p.s.next(); p.t.kind != endToken && len(p.load.errors) < maxErrors; {
		if p.is("}") {
			p.fail(p.t.at, "nothing is open here that } could close")
			p.advance()
			continue
		}
		p.statement()
	}
}

// include reads another file as if it stood here.
func (p *parser) include() bool {
	at := p.advance().at
	name, ok := p.quoted(`the name of a file, as include "signers.policy"`)
	if !ok || !p.mark(";") {
		return false
	}
	p.load.file(name.text, at, p)
	return true
}

func (p *parser) mode() bool {
	p.advance()
	t, ok := p.word("off, permissive or enforce")
	if !ok {
		return false
	}
	m, err := parseMode(t.text)
	if err != nil {
		p.fail(t.at, "%v", err)
		return false
	}
	p.into.mode, p.into.saysMode = m, true
	return p.mark(";")
}

// defaults is `default deny MAP, ENTER;`, or without rights, all of them.
func (p *parser) defaults() bool {
	p.advance()
	t, ok := p.word("allow, log or deny")
	if !ok {
		return false
	}
	o, err := ParseOutcome(t.text)
	if err != nil || o == Defer {
		p.fail(t.at, "%q: a default is allow, log or deny", clip(t.text))
		return false
	}
	set := allRights
	if !p.is(";") {
		if set, ok = p.rightList(); !ok {
			return false
		}
	}
	for r := range Right(rights) {
		if set.Has(r) {
			p.into.defaults[r] = o
		}
	}
	p.into.speaks |= set
	return p.mark(";")
}

func (p *parser) rightList() (RightSet, bool) {
	var set RightSet
	for {
		t, ok := p.word("a right")
		if !ok {
			return 0, false
		}
		r, err := ParseRight(t.text)
		if err != nil {
			p.fail(t.at, "%v", err)
			return 0, false
		}
		set = set.With(r)
		if !p.is(",") {
			return set, true
		}
		p.advance()
	}
}

// provision says whether the keyset's grant needs the descriptor beside it.
func (p *parser) provision() bool {
	p.advance()
	t, ok := p.word("both or keyset")
	if !ok {
		return false
	}
	if t.text != "both" && t.text != "keyset" {
		p.fail(t.at, "%q: write provision both (descriptor and grant) or provision keyset (the grant alone)", clip(t.text))
		return false
	}
	p.into.provisionByKeyset, p.into.saysProvision = t.text == "keyset", true
	return p.mark(";")
}

// namespace is a child with statements of its own.
func (p *parser) namespace() bool {
	p.advance()
	name, ok := p.quoted(`a name, as namespace "web"`)
	if !ok {
		return false
	}
	if name.text == "" || strings.ContainsAny(name.text, "/\\") {
		p.fail(name.at, "a namespace's name is not empty and has no / or \\; nest namespaces instead")
		return false
	}
	if p.into.depth+1 >= maxDepth {
		p.fail(name.at, "namespaces nest %d deep at most", maxDepth-1)
		return false
	}
	if !p.mark("{") {
		return false
	}
	outer := p.into
	p.into = p.load.namespace(outer.path(name.text), outer)
	defer func() { p.into = outer }()
	for !p.is("}") {
		if p.t.kind == endToken {
			p.fail(name.at, "namespace %q is not closed by }", clip(name.text))
			return true
		}
		p.statement()
	}
	p.advance()
	return true
}

// Limits of a policy, so that no file can exhaust the stack or the reader.
const (
	maxErrors   = 20
	maxNesting  = 64
	maxChain    = 1024
	maxFiles    = 64
	maxFileSize = 16 << 20
)
