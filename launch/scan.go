package launch

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// tokenKind is what a token is.
type tokenKind uint8

const (
	endToken    tokenKind = iota
	wordToken             // letters, digits and '_'
	stringToken           // text is what lies between the quotes, escapes as written
	markToken             // an operator or one other character
	brokenToken           // a string that does not end
)

// token is a piece of a policy file. Comments are none.
type token struct {
	kind       tokenKind
	text       string
	start, end int // in the file, in bytes
	at         Position
}

// scanner cuts a policy file into tokens. The same tokens serve our statements and
// finding where a rule of Cedar ends.
type scanner struct {
	file   string
	text   string
	pos    int
	line   int
	column int
}

func newScanner(file, text string, at Position) *scanner {
	return &scanner{file: file, text: text, line: at.Line, column: at.Column}
}

// step passes one character.
func (s *scanner) step() {
	r, n := utf8.DecodeRuneInString(s.text[s.pos:])
	s.pos += n
	s.column++
	if r == '\n' {
		s.line++
		s.column = 1
	}
}

func (s *scanner) peek(prefix string) bool { return strings.HasPrefix(s.text[s.pos:], prefix) }

// blank passes white space and comments.
func (s *scanner) blank() {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			s.step()
		case s.peek("//"):
			for s.pos < len(s.text) && s.text[s.pos] != '\n' {
				s.step()
			}
		default:
			return
		}
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// next returns the next token; at the end it keeps returning endToken.
func (s *scanner) next() token {
	s.blank()
	t := token{start: s.pos, at: Position{s.file, s.line, s.column}}
	switch {
	case s.pos == len(s.text):
	case s.text[s.pos] == '"':
		t.kind = s.quoted()
	case isWord(s.text[s.pos]):
		t.kind = wordToken
		for s.pos < len(s.text) && isWord(s.text[s.pos]) {
			s.step()
		}
	default:
		t.kind = markToken
		s.step()
		if slices.Contains(operators, s.text[t.start:min(t.start+2, len(s.text))]) {
			s.step()
		}
	}
	t.end = s.pos
	t.text = s.text[t.start:t.end]
	if t.kind == stringToken {
		t.text = t.text[1 : len(t.text)-1]
	}
	return t
}

func (s *scanner) quoted() tokenKind {
	for s.step(); s.pos < len(s.text); s.step() {
		switch s.text[s.pos] {
		case '"':
			s.step()
			return stringToken
		case '\n':
			return brokenToken
		case '\\':
			if s.step(); s.pos == len(s.text) {
				return brokenToken
			}
		}
	}
	return brokenToken
}

// operators are the marks of two characters.
var operators = []string{"==", "!=", "<=", ">=", "&&", "||", "::"}
