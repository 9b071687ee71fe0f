//go:build linux && amd64

package main

import (
	"bufio"
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"softsgx/mlist"

	"github.com/alecthomas/kong"
)

type logCmd struct {
	Show   logShowCmd   `cmd:"" help:"Print the entries of a measurement list."`
	Verify logVerifyCmd `cmd:"" help:"Tell whether a measurement list is what was written, and where it is not."`
	Replay logReplayCmd `cmd:"" help:"Compute the PCR values that a measurement list leads to."`
}

// logFile is the list that a command reads, with the older files that lie beside it.
type logFile struct {
	File string `arg:"" placeholder:"FILE" help:"The list. Full files of it that lie beside it (FILE.000001...) are read too."`
}

type logShowCmd struct {
	logFile
	JSON bool `help:"One JSON object for each entry."`
	IMA  bool `help:"The binary list of IMA, for other verifiers."`
}

// Run prints the entries, oldest first.
func (c logShowCmd) Run(k *kong.Kong) error {
	if c.JSON && c.IMA {
		return fmt.Errorf("--json and --ima exclude each other; choose one")
	}
	out := bufio.NewWriter(k.Stdout)
	write := writeText
	switch {
	case c.JSON:
		write = writeJSON
	case c.IMA:
		write = writeIMA
	}
	v := mlist.NewVerifier()
	var failed error
	v.Visit = func(l mlist.Link) {
		if failed == nil {
			failed = write(out, l)
		}
	}
	_, _, err := c.verify(v)
	if failed == nil {
		failed = out.Flush()
	}
	if failed != nil {
		return fmt.Errorf("log show: %w", failed)
	}
	return err
}

func writeText(w io.Writer, l mlist.Link) error {
	name, text := l.Entry.Template, fmt.Sprintf("%x", l.Entry.Data)
	if ev, err := l.Entry.Event(); err == nil {
		name, text = ev.Name, mlist.Printable(ev.Buf)
	}
	_, err := fmt.Fprintf(w, "%d %s pcr=%d %s %s\n", l.Seq, l.Time.UTC().Format(time.RFC3339Nano), l.Entry.PCR, mlist.Printable([]byte(name)), text)
	return err
}

func writeJSON(w io.Writer, l mlist.Link) error { return json.NewEncoder(w).Encode(l) }

func writeIMA(w io.Writer, l mlist.Link) error {
	b, err := l.Entry.AppendBinary(nil)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

type logVerifyCmd struct {
	logFile
	Expect  []mlist.Head `placeholder:"HEAD" help:"A head (ENTRIES:CHAIN) that the list had before and still has to contain. May be given several times."`
	Partial bool         `help:"Older files of the list may be missing."`
}

// Run verifies the list and prints its head, or every problem.
func (c logVerifyCmd) Run(k *kong.Kong) error {
	r, missing, err := c.verify(mlist.NewVerifier(c.Expect...))
	for _, p := range r.Problems {
		fmt.Fprintln(k.Stdout, p)
	}
	if len(r.Problems) > 0 {
		return fmt.Errorf("%s: %w: %d problems, told above; keep the files as evidence and begin a new list", c.File, mlist.ErrTampered, len(r.Problems))
	}
	if err != nil {
		return err
	}
	if missing > 0 && !c.Partial {
		return fmt.Errorf("%s: %d older files of the list, with %d entries, are not beside it; put them back, or give --partial to verify the rest", c.File, missing, r.First)
	}
	if r.Torn != nil {
		fmt.Fprintf(k.Stdout, "behind the last entry lies what a crash left of an append that was never acknowledged; the next writer cuts it off (%v)\n", *r.Torn)
	}
	fmt.Fprintf(k.Stdout, "%s: sound, %d entries, %d bytes\nhead %v\n", c.File, r.Head.Entries-r.First, r.Bytes, r.Head)
	return nil
}

// verify puts the list through v; the head that its writers keep is expected too.
func (c logFile) verify(v *mlist.Verifier) (mlist.Report, uint64, error) {
	list, err := mlist.OpenList(c.File)
	if err != nil {
		return mlist.Report{}, 0, err
	}
	defer list.Close()
	if list.Recorded != nil {
		v.Expect(*list.Recorded)
	}
	r, err := list.Verify(v)
	return r, list.Missing, err
}

type logReplayCmd struct {
	logFile
	Bank []string `default:"sha1,sha256" placeholder:"NAME" help:"PCR banks: sha1, sha256, sha384, sha512 (default sha1 and sha256)."`
}

var banks = map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}

// Run prints each PCR that the list extends. The list may also be a binary list of
// IMA, such as the kernel's own.
func (c logReplayCmd) Run(k *kong.Kong) error {
	var replayers []*mlist.Replayer
	for _, name := range c.Bank {
		bank, ok := banks[strings.ToLower(name)]
		if !ok {
			return fmt.Errorf("%q is not a PCR bank; use sha1, sha256, sha384 or sha512", name)
		}
		r, err := mlist.NewReplayer(bank)
		if err != nil {
			return err
		}
		replayers = append(replayers, r)
	}
	add := func(e mlist.Entry) {
		for _, r := range replayers {
			r.Add(e)
		}
	}
	if err := c.replay(add); err != nil {
		return err
	}
	for i, r := range replayers {
		for _, pcr := range r.PCRs() {
			fmt.Fprintf(k.Stdout, "pcr %d %s %x\n", pcr, strings.ToLower(c.Bank[i]), r.Value(pcr))
		}
	}
	return nil
}

func (c logReplayCmd) replay(add func(mlist.Entry)) error {
	if f, err := os.Open(c.File); err == nil {
		defer f.Close()
		r := bufio.NewReader(f)
		if !mlist.IsList(r) {
			return mlist.ReadIMA(r, add)
		}
	}
	v := mlist.NewVerifier()
	v.Visit = func(l mlist.Link) { add(l.Entry) }
	_, missing, err := c.verify(v)
	if err == nil && missing > 0 {
		err = fmt.Errorf("%s: %d older files of the list are not beside it, and PCRs begin with the first entry; put them back", c.File, missing)
	}
	return err
}
