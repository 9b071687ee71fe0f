//go:build linux && amd64

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"softsgx/launch"
	"softsgx/supervisor"
)

// policyCmd works on policy files. Its exit statuses: 0 for yes, 1 for no (mistakes in
// the file, a denied event, a case that fails), 125 if there is no answer.
type policyCmd struct {
	Check   policyCheckCmd   `cmd:"" help:"Check a policy file. Status 0: right; 1: mistakes, each with its place."`
	Explain policyExplainCmd `cmd:"" help:"Show what a policy answers to one event, and why. Status 0: allowed; 1: denied."`
	Test    policyTestCmd    `cmd:"" help:"Run the cases kept beside a policy. Status 0: all as wanted; 1: some not."`
	Schema  policySchemaCmd  `cmd:"" help:"Print what rules can ask, as a Cedar schema."`
}

// exitNo is the status of a question that was answered with no.
const exitNo = 1

func answeredNo() error { return programStatus(supervisor.Status{Code: exitNo}) }

// loadPolicy reads a policy, with includes from its directory and below. It prints
// the mistakes.
func loadPolicy(file string) (*launch.Policy, error) {
	p, err := launch.Load(os.DirFS(filepath.Dir(file)), filepath.Base(file))
	if err == nil {
		return p, nil
	}
	if _, statErr := os.Stat(file); statErr != nil {
		return nil, fmt.Errorf("policy: %w", statErr)
	}
	fmt.Fprintln(os.Stderr, err)
	return nil, answeredNo()
}

func loadEngine(file string) (*launch.Engine, error) {
	p, err := loadPolicy(file)
	if err != nil {
		return nil, err
	}
	return launch.New(p, time.Now), nil
}

type policyCheckCmd struct {
	File string `arg:"" help:"Policy file."`
}

// Run prints what the policy holds.
func (c policyCheckCmd) Run() error {
	p, err := loadPolicy(c.File)
	if err != nil {
		return err
	}
	namespaces, rules, entries := p.Size()
	fmt.Printf("%s: good: %d files, %d namespaces, %d rules, %d keyset entries\n",
		c.File, len(p.Files()), namespaces, rules, entries)
	return nil
}

type policyExplainCmd struct {
	File  string `arg:"" help:"Policy file."`
	Event string `required:"" placeholder:"EVENT.json" help:"The event; - is standard input."`
}

// Run prints the outcome and every reason.
func (c policyExplainCmd) Run() error {
	e, err := loadEngine(c.File)
	if err != nil {
		return err
	}
	ev, err := readEvent(c.Event, e)
	if err != nil {
		return err
	}
	d := e.Explain(ev)
	writeDecision(os.Stdout, &d)
	if !d.Allowed() {
		return answeredNo()
	}
	return nil
}

func readEvent(name string, e *launch.Engine) (launch.Event, error) {
	f := os.Stdin
	if name != "-" {
		opened, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("event: %w", err)
		}
		defer opened.Close()
		f = opened
	}
	rec, err := launch.ReadRecord(f)
	if err != nil {
		return nil, err
	}
	return rec.Build(e)
}

func writeDecision(w io.Writer, d *launch.Decision) {
	fmt.Fprint(w, d.Outcome)
	if d.WouldDeny {
		fmt.Fprint(w, " (permissive: would deny)")
	}
	fmt.Fprintln(w)
	for _, r := range d.Reasons {
		fmt.Fprintf(w, "  %v\n", r)
	}
	if n := d.Needs.Rights(); n != 0 {
		fmt.Fprintf(w, "  left to INIT: %v\n", n)
	}
	if d.Grants != 0 {
		fmt.Fprintf(w, "  the identity is granted: %v\n", d.Grants)
	}
}

type policyTestCmd struct {
	File  string `arg:"" help:"Policy file."`
	Cases string `arg:"" optional:"" help:"Cases; else FILE with .cases.json for its extension."`
}

// Run checks every case and prints those that fail.
func (c policyTestCmd) Run() error {
	e, err := loadEngine(c.File)
	if err != nil {
		return err
	}
	name := c.Cases
	if name == "" {
		name = strings.TrimSuffix(c.File, filepath.Ext(c.File)) + ".cases.json"
	}
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	defer f.Close()
	cases, err := launch.ReadCases(f)
	if err != nil {
		return err
	}
	failed := 0
	for i := range cases {
		if err := cases[i].Check(e); err != nil {
			failed++
			fmt.Printf("FAIL %s: %v\n", cases[i].Name, err)
		}
	}
	fmt.Printf("%d cases, %d failed\n", len(cases), failed)
	if failed > 0 {
		return answeredNo()
	}
	return nil
}

type policySchemaCmd struct{}

// Run prints the schema.
func (policySchemaCmd) Run() error {
	fmt.Print(launch.Schema())
	return nil
}
