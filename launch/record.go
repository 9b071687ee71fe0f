package launch

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"softsgx/isa"
)

// Record is an event as JSON: what `policy explain` and `policy test` read. Fields
// that the event does not have are left out.
type Record struct {
	Event     string `json:"event"` // create, provision, load, init, map, protect, augment, modify, enter
	UID       uint32 `json:"uid"`
	Path      string `json:"path,omitempty"`
	SHA256    Digest `json:"sha256,omitzero"`
	Namespace string `json:"namespace,omitempty"`

	Verified   bool     `json:"verified,omitempty"`
	MRENCLAVE  Digest   `json:"mrenclave,omitzero"`
	MRSIGNER   Digest   `json:"mrsigner,omitzero"`
	ISVPRODID  uint16   `json:"isvprodid,omitempty"`
	ISVSVN     uint16   `json:"isvsvn,omitempty"`
	Attributes []string `json:"attributes,omitempty"` // names of bits of ATTRIBUTES
	XFRM       uint64   `json:"xfrm,omitempty"`
	Size       uint64   `json:"size,omitempty"`

	Offset   uint64        `json:"offset,omitempty"`
	Length   uint64        `json:"length,omitempty"`
	Rights   string        `json:"rights,omitempty"` // as rwx
	Origin   string        `json:"origin,omitempty"` // anon, file, modified
	Source   *RecordSource `json:"source,omitempty"`
	Measured string        `json:"measured,omitempty"` // all, part, none

	Loads       []Record      `json:"loads,omitempty"` // of init: what was loaded before
	Descriptor  bool          `json:"provision_descriptor,omitempty"`
	SIGSTRUCT   *RecordSource `json:"sigstruct,omitempty"`
	TokenSigner Digest        `json:"token_mrsigner,omitzero"` // of a launch enclave whose token holds
	Running     uint32        `json:"running,omitempty"`

	Creator  bool `json:"creator,omitempty"`
	Dynamic  bool `json:"dynamic,omitempty"`
	Debugger bool `json:"debugger,omitempty"`
}

// RecordSource is a file in a Record.
type RecordSource struct {
	Path   string `json:"path"`
	SHA256 Digest `json:"sha256,omitzero"`
	Offset uint64 `json:"offset,omitempty"`
}

// ReadRecord reads one event. Names that no event has are errors.
func ReadRecord(r io.Reader) (*Record, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var rec Record
	if err := dec.Decode(&rec); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	return &rec, nil
}

// Build returns the event that the engine decides. For an init, e is asked about
// the loads first, as a driver would.
func (r *Record) Build(e *Engine) (Event, error) {
	s, i, err := r.frame()
	if err != nil {
		return nil, err
	}
	rwx, err := parseAccess(r.Rights)
	if err != nil {
		return nil, err
	}
	switch r.Event {
	case "create":
		return &CreateEvent{s, i}, nil
	case "provision":
		return &ProvisionEvent{s, i}, nil
	case "load":
		return r.load(s, i, rwx)
	case "init":
		return r.init(e, s, i)
	case "map":
		return &MapEvent{s, i, rwx, r.Creator, r.Dynamic}, nil
	case "protect":
		return &ProtectEvent{s, i, rwx, r.Creator, r.Dynamic}, nil
	case "augment":
		return &AugmentEvent{s, i, r.Offset, rwx}, nil
	case "modify":
		return &ModifyEvent{s, i, r.Offset, r.Length, rwx}, nil
	case "enter":
		return &EnterEvent{s, i, r.Creator, r.Debugger}, nil
	}
	return nil, fmt.Errorf("%q is no event: they are create, provision, load, init, map, protect, augment, modify and enter", clip(r.Event))
}

func (r *Record) frame() (Subject, Enclave, error) {
	s := Subject{UID: r.UID, Path: r.Path, SHA256: r.SHA256, Namespace: r.Namespace}
	i := Enclave{Known: r.Verified, MRENCLAVE: r.MRENCLAVE, MRSIGNER: r.MRSIGNER, ISVPRODID: r.ISVPRODID, ISVSVN: r.ISVSVN,
		ATTRIBUTES: isa.ATTRIBUTES{XFRM: r.XFRM}, Size: r.Size}
	for _, name := range r.Attributes {
		bit, err := parseFlag(name)
		if err != nil {
			return s, i, err
		}
		i.ATTRIBUTES.Flags |= bit
	}
	return s, i, nil
}

func (r *Record) load(s Subject, i Enclave, rwx isa.Access) (*LoadEvent, error) {
	p := Pages{Offset: r.Offset, Length: r.Length, Cap: rwx, Source: r.Source.source()}
	var err error
	if p.Origin, err = pick[Origin](r.Origin, "origin", "anon", "file", "modified"); err != nil {
		return nil, err
	}
	if p.Measured, err = pick[Measured](r.Measured, "measured", "none", "part", "all"); err != nil {
		return nil, err
	}
	return &LoadEvent{s, i, p}, nil
}

// pick returns the place of a word among words, the first for none.
func pick[T ~uint8](word, field string, words ...string) (T, error) {
	for i, w := range words {
		if w == word || word == "" {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("%s: %q is none of %s", field, clip(word), strings.Join(words, ", "))
}

func (r *Record) init(e *Engine, s Subject, i Enclave) (*InitEvent, error) {
	ev := &InitEvent{Subject: s, Enclave: i, ProvisionFD: r.Descriptor, Running: r.Running,
		SIGSTRUCT: r.SIGSTRUCT.source(), FromFile: r.SIGSTRUCT != nil}
	if r.TokenSigner.Known() {
		ev.Token = Token{Checked: true, MRSIGNER: r.TokenSigner}
	}
	for n := range r.Loads {
		load, err := r.Loads[n].Build(e)
		if err != nil {
			return nil, fmt.Errorf("loads: %w", err)
		}
		l, ok := load.(*LoadEvent)
		if !ok {
			return nil, fmt.Errorf("loads: %q is no load", clip(r.Loads[n].Event))
		}
		l.Subject = s
		d := e.Decide(l)
		ev.Pending.Add(l, &d)
	}
	return ev, nil
}

func (s *RecordSource) source() Source {
	if s == nil {
		return Source{}
	}
	return Source{Path: s.Path, SHA256: s.SHA256, Offset: s.Offset}
}

// parseAccess reads rights as rwx, r-x or rx.
func parseAccess(text string) (isa.Access, error) {
	var a isa.Access
	for _, c := range text {
		switch c {
		case 'r':
			a |= isa.Read
		case 'w':
			a |= isa.Write
		case 'x':
			a |= isa.Exec
		case '-':
		default:
			return 0, fmt.Errorf("rights: %q is not made of r, w and x", clip(text))
		}
	}
	return a, nil
}
