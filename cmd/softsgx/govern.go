//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"softsgx/launch"
	"softsgx/mlist"
	"softsgx/supervisor"
)

// pcr is the register that the list's entries extend (IMA's own).
const pcr = 10

// governance are the flags of run that put enclaves under a policy.
type governance struct {
	Policy string `placeholder:"FILE" type:"existingfile" help:"Policy that decides about enclaves. Without one everything is allowed, as on Linux."`
	List   string `placeholder:"FILE" help:"Measurement list for decisions, appended to. It needs --policy."`
}

// govern sets policy and record of a run.
func (g governance) govern(cfg *supervisor.Config) (closeList func() error, err error) {
	none := func() error { return nil }
	if g.Policy == "" {
		if g.List != "" {
			return none, fmt.Errorf("--list records decisions, and without --policy there are none; give both")
		}
		return none, nil
	}
	dir, name := filepath.Split(g.Policy)
	if dir == "" {
		dir = "."
	}
	policy, err := launch.Load(os.DirFS(dir), name)
	if err != nil {
		return none, err
	}
	cfg.Policy = launch.New(policy, time.Now)
	if g.List == "" {
		cfg.Record = func(ev launch.Event, d *launch.Decision) error {
			tell(ev, d)
			return nil
		}
		return none, nil
	}
	list, err := mlist.Open(g.List, mlist.Options{})
	if err != nil {
		return none, err
	}
	cfg.Record = func(ev launch.Event, d *launch.Decision) error {
		tell(ev, d)
		entry, ok, err := listEntry(ev, d)
		if err != nil || !ok {
			return err
		}
		_, err = list.Append(entry)
		return err
	}
	return list.Close, nil
}

// tell explains a refusal to the person who runs the program.
func tell(ev launch.Event, d *launch.Decision) {
	word := "denied"
	switch {
	case d.WouldDeny:
		word = "would be denied"
	case d.Outcome != launch.Deny:
		return
	}
	fmt.Fprintf(os.Stderr, "softsgx: %s %s\n", eventName(ev), word)
	for _, r := range d.Reasons {
		if r.Outcome == launch.Deny {
			fmt.Fprintf(os.Stderr, "  %v\n", r)
		}
	}
}

// eventName is the word for an event in records.
func eventName(ev launch.Event) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", ev), "*launch.")
	return strings.ToLower(strings.TrimSuffix(name, "Event"))
}

// listEntry makes the entry of a decision; ok is false for what the list does not
// hold.
func listEntry(ev launch.Event, d *launch.Decision) (e mlist.Entry, ok bool, err error) {
	if d.Outcome == launch.Deny {
		e, err = denial(ev, d).Entry(pcr)
		return e, true, err
	}
	switch ev := ev.(type) {
	case *launch.InitEvent:
		e, err = launched(ev, d).Entry(pcr)
	case *launch.ProvisionEvent:
		e, err = mlist.Provision{}.Entry(pcr)
	case *launch.LoadEvent:
		e, err = mlist.NewEntry(pcr, eventSource, mlist.FormatRecord(sourceGroup(ev)))
	default:
		return e, false, nil
	}
	return e, true, err
}

// eventSource is the name of the entry that tells where executable pages came from.
const eventSource = "sgx_enclave_source"

func sourceGroup(ev *launch.LoadEvent) mlist.Group {
	p := &ev.Pages
	g := mlist.Group{
		{Key: "origin", Value: p.Origin.String()}, {Key: "rights", Value: rights(p)},
		{Key: "offset", Value: fmt.Sprintf("%#x", p.Offset)}, {Key: "length", Value: fmt.Sprintf("%#x", p.Length)},
	}
	if p.Source.Path != "" {
		g = append(g, mlist.Pair{Key: "path", Value: p.Source.Path},
			mlist.Pair{Key: "sha256", Value: p.Source.SHA256.String()},
			mlist.Pair{Key: "file_offset", Value: fmt.Sprintf("%#x", p.Source.Offset)})
	}
	return g
}

// rights spells what pages may do, as r-x.
func rights(p *launch.Pages) string {
	s := []byte("---")
	for i, c := range []byte("rwx") {
		if p.Cap>>i&1 != 0 {
			s[i] = c
		}
	}
	return string(s)
}

func launched(ev *launch.InitEvent, d *launch.Decision) mlist.EnclaveInit {
	e := &ev.Enclave
	result := mlist.ResultAllow
	if d.WouldDeny {
		result = mlist.ResultWouldDeny
	}
	return mlist.EnclaveInit{
		MRENCLAVE: e.MRENCLAVE, MRSIGNER: e.MRSIGNER, ISVPRODID: e.ISVPRODID, ISVSVN: e.ISVSVN,
		ATTRIBUTES: e.ATTRIBUTES.Flags, XFRM: e.ATTRIBUTES.XFRM, Result: result,
		Unmeasured: ev.Pending.Range(launch.EXECUNMR).Pages,
		ExecAnon:   ev.Pending.Range(launch.EXECANON).Pages,
		ExecDirty:  ev.Pending.Range(launch.EXECDIRTY).Pages,
	}
}

func denial(ev launch.Event, d *launch.Decision) mlist.EnclaveDeny {
	n := mlist.EnclaveDeny{Event: eventName(ev)}
	for _, r := range d.Reasons {
		if r.Outcome == launch.Deny {
			n.Permission, n.Rule = r.Right.String(), strings.TrimSpace(r.Rule+" "+r.At.String())
			break
		}
	}
	if ev, ok := ev.(*launch.InitEvent); ok && ev.Enclave.Known {
		n.MRENCLAVE, n.MRSIGNER = (*[32]byte)(&ev.Enclave.MRENCLAVE), (*[32]byte)(&ev.Enclave.MRSIGNER)
	}
	return n
}
