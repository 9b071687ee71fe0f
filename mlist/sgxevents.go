package mlist

import (
	"fmt"
	"strconv"
)

// Names of the events that the list records (enclave-security-model.md 5.5).
const (
	EventSupervisorStart = "sgx_supervisor_start"
	EventPolicy          = "sgx_policy"
	EventEnclaveInit     = "sgx_enclave_init"
	EventEnclaveDeny     = "sgx_enclave_deny"
	EventProvision       = "sgx_provision"
)

// Results of a recorded launch.
const (
	ResultAllow     = "allow"
	ResultWouldDeny = "would_deny"
)

// SupervisorStart is recorded when a supervisor begins to use the list.
type SupervisorStart struct {
	Name   string
	BootID string
	Policy [32]byte // SHA-256 of the policy in force
}

// Entry makes the entry of sgx_supervisor_start.
func (s SupervisorStart) Entry(pcr uint32) (Entry, error) {
	return NewEntry(pcr, EventSupervisorStart, FormatRecord(
		Group{{"name", s.Name}, {"boot_id", s.BootID}, {"policy", sha256Value(s.Policy)}}))
}

// PolicyChange is recorded at each change of a keyset.
type PolicyChange struct {
	Namespace  string
	Keyset     string
	Generation uint64
	Digest     [32]byte // SHA-256 of the canonical keyset
	Lock       string   // open, append or frozen
}

// Entry makes the entry of sgx_policy.
func (p PolicyChange) Entry(pcr uint32) (Entry, error) {
	return NewEntry(pcr, EventPolicy, FormatRecord(Group{
		{"namespace", p.Namespace}, {"keyset", p.Keyset}, {"generation", decimal(p.Generation)},
		{"digest", sha256Value(p.Digest)}, {"lock", p.Lock}}))
}

// EnclaveInit is recorded before an enclave is initialized.
type EnclaveInit struct {
	MRENCLAVE  [32]byte
	MRSIGNER   [32]byte
	ISVPRODID  uint16
	ISVSVN     uint16
	ATTRIBUTES uint64
	XFRM       uint64
	MISCSELECT uint32
	Keyset     string // that granted the launch
	Unmeasured uint64 // executable pages with bytes that are not measured
	ExecAnon   uint64 // executable pages from anonymous memory
	ExecDirty  uint64 // pages that may change and then be executed
	Result     string // ResultAllow or ResultWouldDeny
}

// Entry makes the entry of sgx_enclave_init.
func (i EnclaveInit) Entry(pcr uint32) (Entry, error) {
	return NewEntry(pcr, EventEnclaveInit, FormatRecord(
		Group{
			{"mrenclave", sha256Value(i.MRENCLAVE)}, {"mrsigner", sha256Value(i.MRSIGNER)},
			{"isvprodid", decimal(i.ISVPRODID)}, {"isvsvn", decimal(i.ISVSVN)},
			{"attributes", hexadecimal(i.ATTRIBUTES)}, {"xfrm", hexadecimal(i.XFRM)},
			{"miscselect", hexadecimal(i.MISCSELECT)},
		},
		Group{
			{"keyset", i.Keyset}, {"unmeasured", decimal(i.Unmeasured)},
			{"execanon", decimal(i.ExecAnon)}, {"execdirty", decimal(i.ExecDirty)},
		},
		Group{{"result", i.Result}}))
}

// EnclaveDeny is recorded before a denial takes effect.
type EnclaveDeny struct {
	Event      string    // init, load, map...
	Permission string    // LAUNCH, EXECDIRTY...
	MRENCLAVE  *[32]byte // nil where not known yet
	MRSIGNER   *[32]byte // nil where not known yet
	Rule       string    // file or keyset and the place in it
}

// Entry makes the entry of sgx_enclave_deny. What is not known is absent.
func (d EnclaveDeny) Entry(pcr uint32) (Entry, error) {
	g := Group{{"event", d.Event}, {"permission", d.Permission}}
	if d.MRENCLAVE != nil {
		g = append(g, Pair{"mrenclave", sha256Value(*d.MRENCLAVE)})
	}
	if d.MRSIGNER != nil {
		g = append(g, Pair{"mrsigner", sha256Value(*d.MRSIGNER)})
	}
	return NewEntry(pcr, EventEnclaveDeny, FormatRecord(g, Group{{"rule", d.Rule}}))
}

// Provision is recorded when an enclave gets the provision key.
type Provision struct {
	MRSIGNER *[32]byte // whose keyset grants it; nil: the provision node does
}

// Entry makes the entry of sgx_provision.
func (p Provision) Entry(pcr uint32) (Entry, error) {
	by := Pair{"descriptor", "1"}
	if p.MRSIGNER != nil {
		by = Pair{"mrsigner", sha256Value(*p.MRSIGNER)}
	}
	return NewEntry(pcr, EventProvision, FormatRecord(Group{by}))
}

func sha256Value(d [32]byte) string { return fmt.Sprintf("sha256:%x", d) }

func decimal[T uint16 | uint64](n T) string { return strconv.FormatUint(uint64(n), 10) }

func hexadecimal[T uint32 | uint64](n T) string { return fmt.Sprintf("%#x", n) }
