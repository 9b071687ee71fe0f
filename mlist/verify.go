package mlist

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// maxProblems is how many problems a report lists; the rest only counts as tampered.
const maxProblems = 100

// Report is what a verification found.
type Report struct {
	First    uint64 // entries before the first file that was read
	Head     Head   // after the last entry that could be read
	Bytes    int64  // read as header and whole entries, in all files
	Problems []Problem
	Torn     *Problem // of a crash, as List.Verify tells; the next writer cuts it off
}

// Err is nil for a list without problems, else a *Tampering.
func (r Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return &Tampering{r.Problems}
}

// Verify reads one file of a list to its end and tells whether it is what was
// written, and as far as each expected head tells, what was written then. The error
// is that of reading, else the report's.
func Verify(r io.Reader, expect ...Head) (Report, error) {
	v := NewVerifier(expect...)
	if err := v.File("", r); err != nil {
		return Report{}, err
	}
	report := v.Report()
	return report, report.Err()
}

// Verifier verifies the files of a list one after the other, oldest first.
type Verifier struct {
	// Visit, if set, sees each link that could be decoded, sound or not. The entry's
	// Data holds until Visit returns.
	Visit func(Link)

	expect map[uint64][]Head // still to be met, by entries
	report Report
	files  int
	last   Header

	// Of the file at hand.
	file  string
	end   int64  // of what was read
	at    uint64 // entries passed, counted
	shift uint64 // by how much the entries' own numbers were ahead at the last one
	bad   *badFrame
}

// badFrame is the frame before, if its chain value is wrong.
type badFrame struct {
	sum     Chain // what its chain value had to be
	problem int   // index in the report, -1 if not listed
	shift   uint64
}

// NewVerifier begins a verification against the expected heads.
func NewVerifier(expect ...Head) *Verifier {
	v := &Verifier{expect: map[uint64][]Head{}}
	for _, h := range expect {
		v.Expect(h)
	}
	return v
}

// Expect adds an expected head, before the first file.
func (v *Verifier) Expect(h Head) { v.expect[h.Entries] = append(v.expect[h.Entries], h) }

// File verifies the next file of the list. The error is that of reading.
func (v *Verifier) File(name string, r io.Reader) error {
	v.file, v.bad = name, nil
	h, scan, err := begin(r)
	if errors.Is(err, errHeader) {
		v.problem(KindHeader, 0, 0, err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	v.join(h)
	return v.frames(scan)
}

// frames verifies the frames of a file.
func (v *Verifier) frames(scan *scanner) error {
	defer func() { v.end, v.report.Bytes = scan.off, v.report.Bytes+scan.off }()
	for {
		f, err := scan.next()
		switch {
		case err == io.EOF:
			return nil
		case err == errTorn:
			v.problem(KindTorn, v.at+1, scan.off, err.Error())
			return nil
		case err == errLength:
			v.problem(KindEdited, v.at+1, scan.off, err.Error()+unreadable)
			return nil
		case err != nil:
			return err
		}
		if !v.frame(f) {
			return nil
		}
	}
}

const unreadable = "; what follows cannot be read"

// join checks that a header goes on where the file before ended.
func (v *Verifier) join(h Header) {
	if v.files++; v.files == 1 {
		v.report.First = h.First
		if h.Segment == 1 && h.head() != (Head{}) || h.Segment == 0 {
			v.problem(KindHeader, 0, 0, "header: a first file does not follow another; the header was changed")
		}
	} else if h.Segment != v.last.Segment+1 || h.head() != v.report.Head {
		v.problem(KindHeader, 0, 0, fmt.Sprintf("header: file %d after entry %v does not follow file %d, which ends with %v; a file is missing, or was cut or changed",
			h.Segment, h.head(), v.last.Segment, v.report.Head))
	}
	v.last, v.at, v.shift = h, h.First, 0
	v.reached(h.head(), 0)
}

// frame judges one frame. It is false if nothing can be read after it.
func (v *Verifier) frame(f frame) bool {
	v.at++
	shift, sum := f.seq()-v.at, f.sum()
	chained := sum == f.chain
	if v.bad != nil && !chained && f.sumAfter(v.bad.sum) == f.chain {
		v.blameChain()
		chained = true
	}
	before := len(v.report.Problems)
	l, err := f.link()
	if err != nil {
		v.problem(KindEdited, v.at, f.off, err.Error()+unreadable)
		return false
	}
	switch err := l.Entry.Check(); {
	case err != nil:
		v.problem(KindEdited, v.at, f.off, err.Error())
	case shift != v.shift && !(chained && v.bad != nil && shift == v.bad.shift):
		v.problem(KindOrder, v.at, f.off, v.orderDetail(f.seq()))
	case !chained:
		v.problem(KindEdited, v.at, f.off, "the chain value is not that of the entry and those before; its PCR, time, number, digests or chain value were changed, or it was put here")
	}
	v.bad, v.shift = v.badAfter(chained, sum, before), shift
	v.report.Head = Head{v.at, f.chain}
	v.reached(v.report.Head, f.off)
	if v.Visit != nil {
		v.Visit(l)
	}
	return true
}

func (v *Verifier) badAfter(chained bool, sum Chain, before int) *badFrame {
	if chained {
		return nil
	}
	b := &badFrame{sum: sum, problem: -1, shift: v.shift}
	if len(v.report.Problems) > before {
		b.problem = before
	}
	return b
}

// blameChain says of the entry before that it is its chain value that was changed:
// the entry after it goes on from the right one.
func (v *Verifier) blameChain() {
	if i := v.bad.problem; i >= 0 && v.report.Problems[i].Kind == KindEdited {
		v.report.Problems[i].Detail = "the chain value was changed; the entry is sound, and the one after it follows it"
	}
}

func (v *Verifier) orderDetail(seq uint64) string {
	due := v.at + v.shift
	if seq > due {
		return fmt.Sprintf("it calls itself entry %d where %d is due; entries were removed before it, or it was put here", seq, due)
	}
	return fmt.Sprintf("it calls itself entry %d where %d is due; it was moved, repeated or put here", seq, due)
}

// reached compares the expected heads of this many entries.
func (v *Verifier) reached(h Head, off int64) {
	for _, want := range v.expect[h.Entries] {
		if want.Chain != h.Chain {
			v.problem(KindRewritten, v.at, off, fmt.Sprintf("the chain value here is %v, expected %v; an entry up to here was changed and the chain made anew, or this is another list", h.Chain, want.Chain))
		}
	}
	delete(v.expect, h.Entries)
}

func (v *Verifier) problem(k Kind, entry uint64, off int64, detail string) {
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, Problem{k, v.file, entry, off, detail})
	}
}

// Report ends the verification: expected heads that were not met are problems.
func (v *Verifier) Report() Report {
	for _, n := range slices.Sorted(maps.Keys(v.expect)) {
		if n < v.report.First {
			v.problem(KindCut, n, 0, fmt.Sprintf("the expected head is entry %d, but the files begin after entry %d; verify the older files too", n, v.report.First))
		} else {
			v.problem(KindCut, v.at+1, v.end, fmt.Sprintf("the list ends here, the expected head is entry %d; entries were cut off, or an older copy was put back", n))
		}
	}
	clear(v.expect)
	return v.report
}
