package launch

import (
	"fmt"
	"strings"
)

// Grants is what a keyset gives to an identity (security reference, "Identity
// rules").
type Grants uint8

// The grants.
const (
	GrantLaunch     Grants = 1 << iota // LAUNCH
	GrantProvision                     // PROVISION
	GrantEINITTOKEN                    // EINITTOKEN
	GrantDirty                         // EXECDIRTY
	GrantAnon                          // EXECANON
	GrantUnmeasured                    // EXECUNMR
	GrantDebug                         // DEBUG

	allGrants Grants = 1<<iota - 1
)

var grantNames = [...]string{"launch", "provision", "einittoken", "dirty", "anon", "unmeasured", "debug"}

// grantOf is the grant that gives a right, 0 for rights that identities do not get.
var grantOf = [rights]Grants{
	LAUNCH: GrantLaunch, PROVISION: GrantProvision, EINITTOKEN: GrantEINITTOKEN, EXECDIRTY: GrantDirty,
	EXECANON: GrantAnon, EXECUNMR: GrantUnmeasured, DEBUG: GrantDebug,
}

// ParseGrant returns the grant with that name.
func ParseGrant(name string) (Grants, error) {
	for i, n := range grantNames {
		if n == name {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("%q is no grant: the grants are %s", name, strings.Join(grantNames[:], ", "))
}

// String lists the grants.
func (g Grants) String() string {
	var names []string
	for i, n := range grantNames {
		if g>>i&1 != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}
