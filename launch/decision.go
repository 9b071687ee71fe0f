package launch

import (
	"fmt"
	"strings"

	"softsgx/isa"
)

// Outcome is the answer to an event.
type Outcome uint8

// The outcomes, the weakest first.
const (
	Allow Outcome = iota // go on
	Log                  // go on and write a record
	Defer                // go on; the needs are judged at INIT
	Deny                 // refuse with EACCES
)

// String returns the name in records and cases.
func (o Outcome) String() string { return [...]string{"allow", "log", "defer", "deny"}[o] }

// ParseOutcome returns the outcome with that name.
func ParseOutcome(name string) (Outcome, error) {
	for o := Allow; o <= Deny; o++ {
		if o.String() == name {
			return o, nil
		}
	}
	return 0, fmt.Errorf("%q is no outcome: they are allow, log, defer and deny", name)
}

// Mode says what a namespace does with its denials.
type Mode uint8

// The modes.
const (
	Off        Mode = iota // nothing is evaluated
	Permissive             // denials are logged and allowed
	Enforce                // denials are denials
)

// String returns the name that policy files use.
func (m Mode) String() string { return [...]string{"off", "permissive", "enforce"}[m] }

func parseMode(name string) (Mode, error) {
	for m := Off; m <= Enforce; m++ {
		if m.String() == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("%q is no mode: the modes are off, permissive and enforce", name)
}

// Position is a place in a policy file. Line and column count from 1; Line 0 means
// that it comes from no file.
type Position struct {
	File   string
	Line   int
	Column int // in characters
}

// String returns file:line:column.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Reason is one thing that spoke for or against an event.
type Reason struct {
	Rule      string   // namespace/rule, namespace/keyset, or the default
	Right     Right    // that was judged
	Outcome   Outcome  // what the rule answered; a rule that missed answers Defer
	Attribute string   // that decided
	Got       string   // its value in the event
	Want      string   // what the rule wants
	At        Position // of the rule
}

// String returns one line.
func (r Reason) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v: %s", r.Right, r.verdict(), r.Rule)
	if r.Attribute != "" {
		fmt.Fprintf(&b, ": %s is %s", r.Attribute, r.Got)
		if r.Want != "" {
			fmt.Fprintf(&b, ", want %s", r.Want)
		}
	}
	if at := r.At.String(); at != "" {
		fmt.Fprintf(&b, " (%s)", at)
	}
	return b.String()
}

func (r Reason) verdict() string {
	if r.Outcome == Defer {
		return "does not apply"
	}
	return r.Outcome.String()
}

// Decision is the answer to an event.
type Decision struct {
	Outcome    Outcome
	WouldDeny  bool     // a permissive namespace would have denied
	Generation uint64   // of the policy that decided
	Reasons    []Reason // all of them; none where Outcome is Allow, see Engine.Explain

	// Needs are what a load leaves to INIT: the caller adds them to the enclave's
	// Pending, in permissive mode too.
	Needs Needs
	// Grants are the identity's, of this attempt to INIT only.
	Grants Grants
	// Permit are the bits of ATTRIBUTES that policy permits in this attempt.
	Permit uint64
	// Max are the rights that an augmented page may get. Recorded is what
	// enforcing would give; they differ in permissive mode only.
	Max, Recorded isa.Access
}

// Allowed reports whether the caller goes on.
func (d *Decision) Allowed() bool { return d.Outcome != Deny }

// Error is the denial in one line.
func (d *Decision) Error() string {
	var lines []string
	for _, r := range d.Reasons {
		if r.Outcome == Deny {
			lines = append(lines, r.String())
		}
	}
	return "policy: " + strings.Join(lines, "; ")
}
