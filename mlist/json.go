package mlist

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// linkJSON is the JSON form of a link. The template data holds everything; event,
// buffer and record repeat it for people.
type linkJSON struct {
	Seq      uint64    `json:"seq"`
	Time     time.Time `json:"time"`
	PCR      uint32    `json:"pcr"`
	Digest   string    `json:"digest"` // sha1:hex, as in the list
	Template string    `json:"template"`
	Data     string    `json:"template_data"` // hex
	Event    string    `json:"event,omitempty"`
	Buf      string    `json:"buf,omitempty"`
	Record   []Group   `json:"record,omitempty"`
	Chain    Chain     `json:"chain"`
}

const sha1Prefix = "sha1:"

// MarshalJSON writes the JSON form of the link.
func (l Link) MarshalJSON() ([]byte, error) {
	j := linkJSON{
		Seq: l.Seq, Time: l.Time.UTC(), PCR: l.Entry.PCR,
		Digest: sha1Prefix + hex.EncodeToString(l.Entry.Digest[:]), Template: l.Entry.Template,
		Data: hex.EncodeToString(l.Entry.Data), Chain: l.Chain,
	}
	if ev, err := l.Entry.Event(); err == nil {
		j.Event = ev.Name
		j.Buf = Printable(ev.Buf)
		j.Record, _ = ParseRecord(ev.Buf)
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads the JSON form; of an entry's contents only template_data
// counts.
func (l *Link) UnmarshalJSON(b []byte) error {
	var j linkJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("measurement entry in JSON: %w; use what softsgx log show --json prints", err)
	}
	e := Entry{PCR: j.PCR, Template: j.Template}
	digest, ok := strings.CutPrefix(j.Digest, sha1Prefix)
	sum, err := hex.DecodeString(digest)
	if !ok || err != nil || len(sum) != len(e.Digest) {
		return fmt.Errorf("measurement entry in JSON: digest %.60q is not sha1: and 40 hexadecimal digits; use what softsgx log show --json prints", j.Digest)
	}
	copy(e.Digest[:], sum)
	if e.Data, err = hex.DecodeString(j.Data); err != nil {
		return fmt.Errorf("measurement entry in JSON: template_data: %w; use what softsgx log show --json prints", err)
	}
	*l = Link{j.Seq, j.Time, e, j.Chain}
	return nil
}

// Printable is b as text if it is printable ASCII, else hex: and its hexadecimal
// digits.
func Printable(b []byte) string {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return "hex:" + hex.EncodeToString(b)
		}
	}
	return string(b)
}
