package mlist

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says how a list differs from what was written.
type Kind int

// Kinds of problems.
const (
	// KindHeader: the header of a file was changed, or it is no file of a list.
	KindHeader Kind = iota
	// KindEdited: an entry disagrees with itself or with its chain value.
	KindEdited
	// KindOrder: an entry is not the one that belongs here: entries were removed,
	// moved, repeated or put in.
	KindOrder
	// KindTorn: from here on there are no whole entries.
	KindTorn
	// KindCut: the list ends before an expected head.
	KindCut
	// KindRewritten: the list is sound in itself, but the entries up to an expected
	// head are not those that were there.
	KindRewritten
)

var kindNames = [...]string{"header", "edited", "order", "torn", "cut", "rewritten"}

// String is the name of the kind.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return kindNames[k]
}

// Problem is one place where a list is not what was written.
type Problem struct {
	Kind   Kind
	File   string // as given to Verifier.File
	Entry  uint64 // number of the entry, from 1; 0 for a header
	Offset int64  // of the entry in the file
	Detail string
}

// String tells kind, place and detail.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: ", p.Kind)
	if p.File != "" {
		fmt.Fprintf(&b, "%s: ", p.File)
	}
	if p.Kind == KindHeader {
		return b.String() + p.Detail
	}
	fmt.Fprintf(&b, "entry %d at byte %d: %s", p.Entry, p.Offset, p.Detail)
	return b.String()
}

// ErrTampered is what every Tampering is.
var ErrTampered = errors.New("the measurement list is not what was written")

// Tampering is the error for a list that does not verify.
type Tampering struct{ Problems []Problem }

// Error tells the first problem and how many there are.
func (t *Tampering) Error() string {
	text := fmt.Sprintf("%v: %v", ErrTampered, t.Problems[0])
	if n := len(t.Problems) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// Is makes it ErrTampered.
func (t *Tampering) Is(target error) bool { return target == ErrTampered }
