package mlist

import (
	"fmt"
	"strings"
)

// Pair is one key=value of a record.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Group is a run of pairs in a record.
type Group []Pair

// Version is the format version of records; their first group holds it.
const Version = "1"

const versionKey = "sgx_version"

// FormatRecord writes groups as the buffer of an entry: the version, then each group
// as key=value joined by commas and ended by a semicolon. In values the separators
// and the backslash get a backslash before them (the style of Linux
// drivers/md/dm-ima.c). Empty groups are left out.
func FormatRecord(groups ...Group) []byte {
	b := []byte(versionKey + "=" + Version + ";")
	for _, g := range groups {
		for i, p := range g {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, p.Key...)
			b = append(b, '=')
			b = appendEscaped(b, p.Value)
		}
		if len(g) > 0 {
			b = append(b, ';')
		}
	}
	return b
}

func appendEscaped(b []byte, value string) []byte {
	for i := range len(value) {
		if strings.IndexByte(`\;=,`, value[i]) >= 0 {
			b = append(b, '\\')
		}
		b = append(b, value[i])
	}
	return b
}

// ParseRecord reads what FormatRecord wrote, without the group of the version. Keys
// that the reader does not know are for the reader to ignore.
func ParseRecord(buf []byte) ([]Group, error) {
	var groups []Group
	for n, rest := 0, buf; len(rest) > 0; n++ {
		var g Group
		var err error
		if g, rest, err = parseGroup(rest); err != nil {
			return nil, fmt.Errorf("measurement record, group %d: %w; the buffer is not a record of ours", n+1, err)
		}
		groups = append(groups, g)
	}
	if len(groups) == 0 || groups[0][0] != (Pair{versionKey, Version}) {
		return nil, fmt.Errorf("measurement record: does not begin with %s=%s; it is none, or a newer softsgx wrote it", versionKey, Version)
	}
	return groups[1:], nil
}

func parseGroup(b []byte) (g Group, rest []byte, err error) {
	for {
		key, rest, ok := cutAt(b, '=')
		if !ok || key == "" {
			return nil, nil, fmt.Errorf("no key before byte %.20q", b)
		}
		value, end, rest, ok := parseValue(rest)
		if !ok {
			return nil, nil, fmt.Errorf("the value of %.40q does not end", key)
		}
		g = append(g, Pair{key, value})
		if end == ';' {
			return g, rest, nil
		}
		b = rest
	}
}

// cutAt is the key before sep; a key has no separators.
func cutAt(b []byte, sep byte) (string, []byte, bool) {
	for i, c := range b {
		if c == sep {
			return string(b[:i]), b[i+1:], true
		}
		if strings.IndexByte(`\;=,`, c) >= 0 {
			break
		}
	}
	return "", nil, false
}

// parseValue takes a value off b, up to an unescaped comma or semicolon, its end.
func parseValue(b []byte) (value string, end byte, rest []byte, ok bool) {
	var v []byte
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == ',' || c == ';':
			return string(v), c, b[i+1:], true
		case c == '=':
			return "", 0, nil, false
		case c == '\\':
			if i++; i == len(b) || strings.IndexByte(`\;=,`, b[i]) < 0 {
				return "", 0, nil, false
			}
		}
		v = append(v, b[i])
	}
	return "", 0, nil, false
}
