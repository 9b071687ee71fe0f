package launch

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// simpleEscapes are those of one character in Cedar's strings.
var simpleEscapes = map[byte]byte{'\\': '\\', '"': '"', '\'': '\'', 'n': '\n', 'r': '\r', 't': '\t', '0': 0}

// unescape resolves the escapes of a string of Cedar.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, utf8.ValidString(s)
	}
	var b strings.Builder
	for s != "" {
		if s[0] != '\\' {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		r, n := escape(s)
		if n == 0 {
			return "", false
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String(), utf8.ValidString(b.String())
}

// escape reads the escape that s starts with and returns its length, 0 for none.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if c, ok := simpleEscapes[s[1]]; ok {
		return rune(c), 2
	}
	switch {
	case s[1] == 'x' && len(s) >= 4:
		n, err := strconv.ParseUint(s[2:4], 16, 7)
		if err == nil {
			return rune(n), 4
		}
	case strings.HasPrefix(s, `\u{`):
		digits, _, closed := strings.Cut(s[3:], "}")
		n, err := strconv.ParseUint(digits, 16, 21)
		if closed && err == nil && len(digits) <= 6 && utf8.ValidRune(rune(n)) {
			return rune(n), len(digits) + 4
		}
	}
	return 0, 0
}

// pattern is what like compares with: literal parts with anything between them.
type pattern []string

// parsePattern splits a pattern at its stars; \* is a star itself.
func parsePattern(s string) (pattern, bool) {
	var parts pattern
	start := 0
	for i := 0; i <= len(s); i++ {
		switch {
		case i < len(s) && s[i] == '\\':
			i++
		case i >= len(s) || s[i] == '*':
			part, ok := unescape(strings.ReplaceAll(s[start:min(i, len(s))], `\*`, `\x2a`))
			if !ok {
				return nil, false
			}
			parts = append(parts, part)
			start = i + 1
		}
	}
	return parts, true
}

// match reports whether all of s is the parts in order, with anything between.
func (p pattern) match(s string) bool {
	if len(p) == 1 {
		return s == p[0]
	}
	s, ok := strings.CutPrefix(s, p[0])
	if !ok {
		return false
	}
	for _, part := range p[1 : len(p)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, p[len(p)-1])
}
