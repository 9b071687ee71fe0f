package launch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Policy is what policy files say. New makes an Engine of it.
type Policy struct {
	namespaces []*namespace
	files      []string
}

// Files returns the files that were read, the first one first.
func (p *Policy) Files() []string { return p.files }

// Size returns how many namespaces, rules and keyset entries the policy has.
func (p *Policy) Size() (namespaces, rules, entries int) {
	seen := map[*rule]bool{}
	for _, n := range p.namespaces {
		for r := range n.rules {
			for _, rule := range append(append([]*rule(nil), n.rules[r].permit.all...), n.rules[r].forbid.all...) {
				seen[rule] = true
			}
		}
		for _, k := range n.keysets {
			entries += len(k.entries)
		}
	}
	return len(p.namespaces), len(seen), entries
}

// Load reads a policy file and what it includes. The error is Errors, with every
// mistake, unless a file cannot be read at all.
func Load(files fs.FS, name string) (*Policy, error) {
	l := &loader{from: files, keysets: map[string]*Keyset{}, ids: map[string]Position{}, policy: &Policy{}}
	root := l.namespace("", nil)
	l.file(name, Position{}, &parser{into: root})
	for _, n := range l.policy.namespaces {
		n.inherit()
	}
	l.compile()
	if len(l.errors) > 0 {
		return nil, l.errors
	}
	return l.policy, nil
}

// Parse reads a policy from its text, without includes.
func Parse(name string, text []byte) (*Policy, error) {
	return Load(oneFile{name, text}, name)
}

// loader gathers the statements of all files. Rules come last: they may name
// keysets that are declared after them.
type loader struct {
	from    fs.FS
	policy  *Policy
	keysets map[string]*Keyset
	ids     map[string]Position
	open    []string // files being read, outermost first
	rules   []*parsedRule
	errors  Errors
}

// file reads one file into the namespace of the parser that asks.
func (l *loader) file(name string, from Position, by *parser) {
	if len(l.open) > 0 {
		name = path.Join(path.Dir(l.open[len(l.open)-1]), name)
	}
	at := Position{File: name}
	if from.Line > 0 {
		at = from
	}
	for _, open := range l.open {
		if open == name {
			l.fail(at, "", "%s includes itself", name)
			return
		}
	}
	text, err := l.read(name)
	if err != nil {
		l.fail(at, "", "%v; names are relative to the including file, and stay below the first one's directory", err)
		return
	}
	l.open = append(l.open, name)
	defer func() { l.open = l.open[:len(l.open)-1] }()
	p := &parser{load: l, s: newScanner(name, text, Position{Line: 1, Column: 1}), into: by.into}
	p.file()
}

func (l *loader) read(name string) (string, error) {
	if l.policy.files = append(l.policy.files, name); len(l.policy.files) > maxFiles {
		return "", fmt.Errorf("more than %d files", maxFiles)
	}
	f, err := l.from.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxFileSize>>20)
	}
	return string(text), err
}

func (l *loader) fail(at Position, in, format string, args ...any) {
	l.errors = append(l.errors, &Error{at, in, fmt.Sprintf(format, args...)})
}

// namespace returns the namespace with that name, new or continued.
func (l *loader) namespace(name string, parent *namespace) *namespace {
	for _, n := range l.policy.namespaces {
		if n.name == name {
			return n
		}
	}
	n := newNamespace(name, parent)
	l.policy.namespaces = append(l.policy.namespaces, n)
	return n
}

func (l *loader) keyset(in *namespace, name string, at Position) *Keyset {
	full := in.path(name)
	if k, ok := l.keysets[full]; ok {
		return k
	}
	k := newKeyset(full, at)
	l.keysets[full] = k
	in.keysets = append(in.keysets, k)
	for r, g := range grantOf {
		if g != 0 {
			in.speaks = in.speaks.With(Right(r))
		}
	}
	return k
}

// compile settles names and types of all rules.
func (l *loader) compile() {
	for _, parsed := range l.rules {
		if len(l.errors) >= maxErrors {
			return
		}
		l.compileRule(parsed)
	}
}

func (l *loader) compileRule(parsed *parsedRule) {
	c := compiler{in: parsed.in, keysets: l.keysets}
	r, err := c.compile(parsed)
	var mistake *Error
	if errors.As(err, &mistake) {
		mistake.In = parsed.name()
		l.errors = append(l.errors, mistake)
		return
	}
	if parsed.id != "" {
		id := parsed.in.path(parsed.id)
		if at, twice := l.ids[id]; twice {
			l.fail(parsed.idAt, parsed.id, "@id is used at %v already; the record names rules by it", at)
			return
		}
		l.ids[id] = parsed.at
	}
	parsed.in.add(r, c.rights)
}

func (n *namespace) add(r *rule, about RightSet) {
	for right := range Right(rights) {
		switch {
		case !about.Has(right):
		case r.forbid:
			n.rules[right].forbid.add(r)
		default:
			n.rules[right].permit.add(r)
			n.speaks = n.speaks.With(right)
		}
	}
}
