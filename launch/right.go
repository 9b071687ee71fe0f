package launch

import (
	"fmt"
	"strings"
)

// Right is something that policy grants or refuses (security reference, "Rights by
// scope").
type Right uint8

// The rights.
const (
	CREATE     Right = iota // of a subject: make an enclave
	DEBUG                   // of a subject or an enclave: ATTRIBUTES.DEBUG
	PROVISION               // of a subject's descriptor and an enclave: PROVISIONKEY
	EINITTOKEN              // of an enclave: EINITTOKEN_KEY, that is, being a launch enclave
	LAUNCH                  // of an enclave: EINIT
	SIGFILE                 // of the file that holds the SIGSTRUCT
	EXECUTE                 // of a file: its bytes as executable pages
	EXECMOD                 // of a file: its bytes, changed or changeable, as executable pages
	EXECANON                // of a subject or an enclave: executable pages from no file
	EXECUNMR                // of a subject or an enclave: executable pages outside MRENCLAVE
	EXECDIRTY               // of an enclave: code that is written or added at run time
	MAPWX                   // of a subject: one mapping both writable and executable
	MAP                     // of a subject: mapping the enclave
	MODIFY                  // of a subject: the SGX2 ioctls
	ENTER                   // of a subject: EENTER

	rights = iota
)

var rightNames = [rights]string{
	"CREATE", "DEBUG", "PROVISION", "EINITTOKEN", "LAUNCH", "SIGFILE", "EXECUTE", "EXECMOD", "EXECANON",
	"EXECUNMR", "EXECDIRTY", "MAPWX", "MAP", "MODIFY", "ENTER",
}

// String returns the name that policy files use.
func (r Right) String() string {
	if int(r) < len(rightNames) {
		return rightNames[r]
	}
	return fmt.Sprintf("right %d", uint8(r))
}

// ParseRight returns the right with that name; case does not matter.
func ParseRight(name string) (Right, error) {
	for r, n := range rightNames {
		if strings.EqualFold(n, name) {
			return Right(r), nil
		}
	}
	return 0, fmt.Errorf("%q is no right: the rights are %s", name, strings.Join(rightNames[:], ", "))
}

// Scope says whose right it is.
type Scope uint8

// The scopes.
const (
	SubjectScope Scope = iota // who asks
	EnclaveScope              // who the enclave is
	EitherScope               // the subject first, then the enclave at INIT
	FileScope                 // which file the bytes come from
)

// String returns the name in records.
func (s Scope) String() string {
	return [...]string{"subject", "enclave", "subject or enclave", "file"}[s]
}

var scopes = [rights]Scope{
	DEBUG: EitherScope, PROVISION: EitherScope, EINITTOKEN: EnclaveScope, LAUNCH: EnclaveScope,
	SIGFILE: FileScope, EXECUTE: FileScope, EXECMOD: FileScope,
	EXECANON: EitherScope, EXECUNMR: EitherScope, EXECDIRTY: EnclaveScope,
}

// Scope returns whose right r is.
func (r Right) Scope() Scope { return scopes[r] }

// defaults is what an enforcing policy answers where it says nothing (security
// reference, "Rights by scope", last column).
var defaults = [rights]Outcome{
	CREATE: Allow, DEBUG: Deny, PROVISION: Deny, EINITTOKEN: Deny, LAUNCH: Deny, SIGFILE: Allow,
	EXECUTE: Deny, EXECMOD: Deny, EXECANON: Deny, EXECUNMR: Log, EXECDIRTY: Deny,
	MAPWX: Deny, MAP: Allow, MODIFY: Allow, ENTER: Allow,
}

// RightSet is a set of rights.
type RightSet uint32

// Has reports whether r is in the set.
func (s RightSet) Has(r Right) bool { return s>>r&1 != 0 }

// With returns the set and r.
func (s RightSet) With(r Right) RightSet { return s | 1<<r }

// String lists the rights.
func (s RightSet) String() string {
	var names []string
	for r := range Right(rights) {
		if s.Has(r) {
			names = append(names, r.String())
		}
	}
	return strings.Join(names, ",")
}

const allRights RightSet = 1<<rights - 1
