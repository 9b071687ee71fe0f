package launch

import (
	"time"

	"softsgx/isa"
)

// question is one event on its way through the engine. It lives on the stack of
// Decide: nothing that it is passed to may keep it.
type question struct {
	subject *Subject
	enclave *Enclave
	file    *Source // that EXECUTE, EXECMOD and SIGFILE are about
	pages   *Pages
	rights  isa.Access
	creator bool
	dynamic bool
	debug   bool
	running uint32
	token   *Token
	clock   func() time.Time

	now    int64 // of clock, 0 before it was asked
	chain  []*namespace
	grants [maxDepth]knownGrants
	trace  *[]Reason // nil on the way that must not allocate
}

// knownGrants keeps what the keysets of one namespace answered.
type knownGrants struct {
	done        bool
	allow, deny Grants
}

func (q *question) time() int64 {
	if q.now == 0 {
		q.now = q.clock().Unix()
	}
	return q.now
}

func (q *question) note(r Reason) {
	if q.trace != nil {
		*q.trace = append(*q.trace, r)
	}
}

// Token is an EINITTOKEN whose MAC the processor accepts.
type Token struct {
	Checked    bool   // its MAC, MRENCLAVE, MRSIGNER and attributes hold
	MRSIGNER   Digest // of the launch enclave that made it
	ISVPRODID  uint16
	ISVSVN     uint16
	ATTRIBUTES isa.ATTRIBUTES // of the launch enclave, masked
}

// maker is the launch enclave as an identity.
func (t *Token) maker() Enclave {
	return Enclave{Known: true, MRSIGNER: t.MRSIGNER, ISVPRODID: t.ISVPRODID, ISVSVN: t.ISVSVN, ATTRIBUTES: t.ATTRIBUTES}
}
