package launch

import (
	"fmt"
	"strings"
)

// Session is one writer of a keyset, as a descriptor or a connection. It may outlive
// a lock: every write is tested anew.
type Session struct {
	engine  *Engine
	keyset  string
	subject Subject
	staged  []Edit
	open    bool // between begin and commit
}

// Session starts writing to a keyset, on behalf of a subject.
func (e *Engine) Session(keyset string, subject Subject) *Session {
	return &Session{engine: e, keyset: keyset, subject: subject}
}

// Write does the verbs in text, one a line:
//
//	add allow mrsigner … minsvn 3: launch;     del allow mrsigner …;
//	clear    begin    commit    lock append    lock frozen    lock
//
// The words allow and the semicolon may be left out. 64 hexadecimal digits alone are
// an add of that signer, and lock alone is lock frozen, as tools for the key lists of
// 2020 write them. What one Write does happens whole or not at all; so does what
// stands between begin and commit. It returns the decision for the record.
func (s *Session) Write(text string) (Decision, error) {
	edits, staged, open, err := s.read(text)
	if err != nil {
		return Decision{Outcome: Deny, Generation: s.engine.Generation()}, err
	}
	d := Decision{Outcome: Allow, Generation: s.engine.Generation()}
	if len(edits) > 0 {
		if d, err = s.engine.Change(&PolicyEvent{Subject: s.subject, Keyset: s.keyset, Edits: edits}); err != nil {
			return d, err
		}
	}
	s.staged, s.open = staged, open
	return d, nil
}

// read sorts the lines into edits that happen now and those that wait for commit.
func (s *Session) read(text string) (now, staged []Edit, open bool, err error) {
	staged, open = append(staged, s.staged...), s.open
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "//"):
		case line == "begin" && !open:
			open, staged = true, nil
		case line == "commit" && open:
			now, staged, open = append(now, staged...), nil, false
		case line == "begin" || line == "commit":
			return nil, nil, false, fmt.Errorf("line %d: %s: a transaction is begin, edits, commit", i+1, line)
		default:
			edits, err := s.verb(line)
			if err != nil {
				return nil, nil, false, fmt.Errorf("line %d: %w", i+1, err)
			}
			if open {
				staged = append(staged, edits...)
			} else {
				now = append(now, edits...)
			}
		}
	}
	return now, staged, open, nil
}

// verb reads one line.
func (s *Session) verb(line string) ([]Edit, error) {
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "clear":
		return []Edit{{Verb: Clear}}, nil
	case line == "lock" || line == "lock frozen":
		return []Edit{{Verb: Lock, Level: Frozen}}, nil
	case line == "lock append":
		return []Edit{{Verb: Lock, Level: AppendOnly}}, nil
	case word == "add":
		return s.entries(Add, rest)
	case word == "del":
		return s.entries(Del, rest)
	}
	if _, err := ParseDigest(line); err == nil {
		return s.entries(Add, "allow mrsigner "+line)
	}
	return nil, fmt.Errorf("%q is no verb: they are add, del, clear, begin, commit, lock append and lock frozen", clip(line))
}

func (s *Session) entries(v Verb, text string) ([]Edit, error) {
	grants, err := s.engine.grantsByDefault(s.keyset)
	if err != nil {
		return nil, err
	}
	entries, err := ParseEntries(text, grants)
	if err != nil {
		return nil, err
	}
	edits := make([]Edit, len(entries))
	for i, e := range entries {
		edits[i] = Edit{Verb: v, Entry: e}
	}
	return edits, nil
}

func (e *Engine) grantsByDefault(keyset string) (Grants, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	k, err := e.keyset(keyset)
	if err != nil {
		return 0, err
	}
	return k.defaults, nil
}

// ParseEntries reads one entry as keysets in policy files have it. Left out, allow,
// the semicolon and the grants are supplied.
func ParseEntries(text string, grants Grants) ([]Entry, error) {
	if !strings.HasPrefix(text, "allow") && !strings.HasPrefix(text, "deny") {
		text = "allow " + text
	}
	if !strings.HasSuffix(text, ";") {
		text += ";"
	}
	l := &loader{policy: &Policy{}}
	p := &parser{load: l, s: newScanner("entry", text, Position{Line: 1, Column: 1})}
	p.advance()
	entries, ok := p.entry(grants)
	if ok && p.t.kind != endToken {
		p.fail(p.t.at, "one entry only, found %s after it", p.found())
	}
	if len(l.errors) > 0 {
		return nil, l.errors
	}
	for i := range entries {
		entries[i].At = Position{File: "added at run time"}
	}
	return entries, nil
}
