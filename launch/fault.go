package launch

import (
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in a policy file: where, in which statement, what is wrong
// and what to write instead.
type Error struct {
	At   Position
	In   string // rule or keyset; "" outside
	Text string
}

// Error implements error.
func (e *Error) Error() string {
	if e.In == "" {
		return fmt.Sprintf("%v: %s", e.At, e.Text)
	}
	return fmt.Sprintf("%v: %s: %s", e.At, e.In, e.Text)
}

// Errors are the mistakes of a policy, in the order of the files.
type Errors []*Error

// Error implements error with one line for each mistake.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(slices.Compact(lines), "\n")
}
