package launch

import "softsgx/isa"

// Subject is who asks. The caller looks it up at the call and never keeps it
// across an exec.
type Subject struct {
	UID       uint32
	Path      string // of the executable; "" if not known
	SHA256    Digest // of the executable
	Namespace string // of policy: names joined by '/'; "" is the machine's
}

// Enclave is what is known about an enclave. Only an identity that EINIT would
// accept is Known: nothing is granted to a claimed one.
type Enclave struct {
	Known      bool
	MRENCLAVE  Digest
	MRSIGNER   Digest
	ISVPRODID  uint16
	ISVSVN     uint16
	ATTRIBUTES isa.ATTRIBUTES
	Size       uint64 // of ELRANGE in bytes
}

// Origin says where the bytes of a page come from.
type Origin uint8

// The origins.
const (
	FromAnon     Origin = iota // no file, or a file that cannot be named or read
	FromFile                   // equal to the file, on the copy that is used
	FromModified               // of a file, but different
	FromAugment                // added after INIT
)

// String returns the name in events and rules.
func (o Origin) String() string { return [...]string{"anon", "file", "modified", "aug"}[o] }

// Source is the file behind a run of pages.
type Source struct {
	Path   string
	SHA256 Digest // all zeros if it could not be read
	Offset uint64 // of the run in the file
}

// Measured says how much of a run of pages is in MRENCLAVE.
type Measured uint8

// How much is measured.
const (
	MeasuredNone Measured = iota
	MeasuredPart
	MeasuredAll
)

// Pages is a run of pages of one enclave with equal attributes.
type Pages struct {
	Offset   uint64 // from the base of the enclave
	Length   uint64 // in bytes
	Cap      isa.Access
	Origin   Origin
	Source   Source // of FromFile and FromModified
	Measured Measured
}

// Event is one of the events of this package.
type Event interface {
	// frame gives the engine what all events share.
	frame() (*Subject, *Enclave)
}

// CreateEvent is ECREATE. The enclave has attributes and size, no identity.
type CreateEvent struct {
	Subject Subject
	Enclave Enclave
}

// ProvisionEvent is the use of a descriptor that permits PROVISIONKEY.
type ProvisionEvent struct {
	Subject Subject
	Enclave Enclave
}

// LoadEvent is one maximal run of pages with equal attributes, added before INIT.
type LoadEvent struct {
	Subject Subject
	Enclave Enclave
	Pages   Pages
}

// InitEvent is INIT. Enclave.Known says that the signature, the measurement and
// the masks were verified on the copy that EINIT gets.
type InitEvent struct {
	Subject     Subject
	Enclave     Enclave
	Pending     Pending
	ProvisionFD bool   // the enclave holds the grant of a provision descriptor
	SIGSTRUCT   Source // the file that holds it, if one does
	FromFile    bool   // the SIGSTRUCT equals that file
	Token       Token  // the EINITTOKEN, if one was given
	Running     uint32 // initialized enclaves with the same MRENCLAVE
}

// MapEvent is a mapping of the enclave.
type MapEvent struct {
	Subject Subject
	Enclave Enclave
	Rights  isa.Access // effective ones
	Creator bool       // the subject made the enclave
	Dynamic bool       // the range holds pages added after INIT, or none yet
}

// ProtectEvent is a change of the rights of a mapping.
type ProtectEvent MapEvent

// AugmentEvent is the adding of a page after INIT.
type AugmentEvent struct {
	Subject Subject
	Enclave Enclave
	Offset  uint64
	Rights  isa.Access // of the mapping that the page appears in
}

// ModifyEvent is a change of rights or type, or the removal, of pages.
type ModifyEvent struct {
	Subject        Subject
	Enclave        Enclave
	Offset, Length uint64
	Rights         isa.Access
}

// EnterEvent is the first EENTER of a process, or access by a debugger.
type EnterEvent struct {
	Subject Subject
	Enclave Enclave
	Creator bool
	Debug   bool // access by a debugger
}

// PolicyEvent is a change of a keyset; see Engine.Change, which raises it.
type PolicyEvent struct {
	Subject Subject
	Keyset  string
	Edits   []Edit
}

func (e *CreateEvent) frame() (*Subject, *Enclave)    { return &e.Subject, &e.Enclave }
func (e *ProvisionEvent) frame() (*Subject, *Enclave) { return &e.Subject, &e.Enclave }
func (e *LoadEvent) frame() (*Subject, *Enclave)      { return &e.Subject, &e.Enclave }
func (e *InitEvent) frame() (*Subject, *Enclave)      { return &e.Subject, &e.Enclave }
func (e *MapEvent) frame() (*Subject, *Enclave)       { return &e.Subject, &e.Enclave }
func (e *ProtectEvent) frame() (*Subject, *Enclave)   { return &e.Subject, &e.Enclave }
func (e *AugmentEvent) frame() (*Subject, *Enclave)   { return &e.Subject, &e.Enclave }
func (e *ModifyEvent) frame() (*Subject, *Enclave)    { return &e.Subject, &e.Enclave }
func (e *EnterEvent) frame() (*Subject, *Enclave)     { return &e.Subject, &e.Enclave }
func (e *PolicyEvent) frame() (*Subject, *Enclave)    { return &e.Subject, &noEnclave }

var noEnclave Enclave
