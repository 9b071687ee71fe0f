package launch

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Case is one event with the answer that a policy shall give. Cases are kept beside
// the policy, as a JSON list.
type Case struct {
	Name  string `json:"name"`
	Event Record `json:"event"`
	Want  string `json:"want"`           // allow, log, defer or deny
	Rule  string `json:"rule,omitempty"` // must be among the reasons, as namespace/rule
}

// ReadCases reads the cases of a policy.
func ReadCases(r io.Reader) ([]Case, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var cases []Case
	if err := dec.Decode(&cases); err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	return cases, nil
}

// Check returns nil if e answers as the case says, and else how it answers.
func (c *Case) Check(e *Engine) error {
	want, err := ParseOutcome(c.Want)
	if err != nil {
		return err
	}
	ev, err := c.Event.Build(e)
	if err != nil {
		return err
	}
	d := e.Explain(ev)
	named := func(r Reason) bool { return r.Rule == c.Rule && r.Outcome != Defer }
	switch {
	case d.Outcome != want:
		return fmt.Errorf("%v, want %v%s", d.Outcome, want, reasonLines(d.Reasons))
	case c.Rule != "" && !slices.ContainsFunc(d.Reasons, named):
		return fmt.Errorf("%v, but not by %s%s", d.Outcome, c.Rule, reasonLines(d.Reasons))
	}
	return nil
}

func reasonLines(reasons []Reason) string {
	var b strings.Builder
	for _, r := range reasons {
		fmt.Fprintf(&b, "\n    %v", r)
	}
	return b.String()
}
