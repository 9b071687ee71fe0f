package launch

import (
	"fmt"

	"softsgx/isa"
)

// attribute is something that a rule can ask about.
type attribute uint8

// The attributes, as principal, resource and context name them.
const (
	noAttribute attribute = iota
	principalUID
	principalPath
	principalSHA256
	principalNamespace
	resourcePath
	resourceSHA256
	resourceMRENCLAVE
	resourceMRSIGNER
	resourceISVPRODID
	resourceISVSVN
	resourceDebug
	resourceProvisionKey
	resourceEINITTOKENKey
	resourceKSS
	resourceXFRM
	resourceSize
	contextRead
	contextWrite
	contextExec
	contextCreator
	contextDynamic
	contextDebugger
	contextOrigin
	contextMeasured
	contextOffset
	contextLength
	contextRunning
	inKeyset // resource in Keyset::"name"
)

// kind is the type of an attribute.
type kind uint8

const (
	boolKind kind = iota
	longKind
	textKind
	digestKind
)

func (k kind) String() string { return [...]string{"Bool", "Long", "String", "String"}[k] }

// fact describes an attribute.
type fact struct {
	of, name string
	kind     kind
	optional bool     // it can be unknown; a rule may ask with has
	rights   RightSet // that know it
	about    string
}

const (
	fileRights    RightSet = 1<<EXECUTE | 1<<EXECMOD | 1<<SIGFILE
	enclaveRights          = allRights &^ fileRights
	loadRights    RightSet = 1<<EXECUTE | 1<<EXECMOD | 1<<EXECANON | 1<<EXECUNMR
	mapRights     RightSet = 1<<MAP | 1<<MAPWX | 1<<EXECDIRTY
)

var facts = [...]fact{
	principalUID:          {"principal", "uid", longKind, false, allRights, "real user id of the process"},
	principalPath:         {"principal", "path", textKind, true, allRights, "executable of the process"},
	principalSHA256:       {"principal", "sha256", digestKind, true, allRights, "SHA-256 of that executable, 64 lower-case digits"},
	principalNamespace:    {"principal", "namespace", textKind, false, allRights, "policy namespace, names joined by '/'"},
	resourcePath:          {"resource", "path", textKind, true, fileRights, "the file that the bytes come from"},
	resourceSHA256:        {"resource", "sha256", digestKind, true, fileRights, "SHA-256 of that file"},
	resourceMRENCLAVE:     {"resource", "mrenclave", digestKind, true, enclaveRights &^ (1 << CREATE), "verified; known from INIT on"},
	resourceMRSIGNER:      {"resource", "mrsigner", digestKind, true, enclaveRights &^ (1 << CREATE), "verified; known from INIT on"},
	resourceISVPRODID:     {"resource", "isvprodid", longKind, true, enclaveRights &^ (1 << CREATE), "product of the signer"},
	resourceISVSVN:        {"resource", "isvsvn", longKind, true, enclaveRights &^ (1 << CREATE), "security version of the product"},
	resourceDebug:         {"resource", "debug", boolKind, false, enclaveRights, "ATTRIBUTES.DEBUG"},
	resourceProvisionKey:  {"resource", "provisionkey", boolKind, false, enclaveRights, "ATTRIBUTES.PROVISIONKEY"},
	resourceEINITTOKENKey: {"resource", "einittokenkey", boolKind, false, enclaveRights, "ATTRIBUTES.EINITTOKEN_KEY"},
	resourceKSS:           {"resource", "kss", boolKind, false, enclaveRights, "ATTRIBUTES.KSS"},
	resourceXFRM:          {"resource", "xfrm", longKind, false, enclaveRights, "ATTRIBUTES.XFRM"},
	resourceSize:          {"resource", "size", longKind, false, enclaveRights, "ELRANGE in bytes"},
	contextRead:           {"context", "read", boolKind, false, loadRights | mapRights | 1<<MODIFY, "R among the rights asked for"},
	contextWrite:          {"context", "write", boolKind, false, loadRights | mapRights | 1<<MODIFY, "W among the rights asked for"},
	contextExec:           {"context", "exec", boolKind, false, loadRights | mapRights | 1<<MODIFY, "X among the rights asked for"},
	contextCreator:        {"context", "creator", boolKind, false, mapRights | 1<<ENTER, "the process made the enclave"},
	contextDynamic:        {"context", "dynamic", boolKind, false, mapRights, "pages added after INIT are concerned"},
	contextDebugger:       {"context", "debugger", boolKind, false, 1 << DEBUG, "a debugger reads or writes the enclave"},
	contextOrigin:         {"context", "origin", textKind, true, loadRights, "anon, file, modified or aug; while loading"},
	contextMeasured:       {"context", "measured", boolKind, true, loadRights, "all of the pages is in MRENCLAVE; while loading"},
	contextOffset:         {"context", "offset", longKind, true, loadRights, "of the pages in the enclave; while loading"},
	contextLength:         {"context", "length", longKind, true, loadRights, "of the pages in bytes; while loading"},
	contextRunning:        {"context", "running", longKind, false, 1 << LAUNCH, "enclaves of the same MRENCLAVE that run"},
	inKeyset:              {"resource", "in Keyset", boolKind, false, enclaveRights &^ (1 << CREATE), "an entry of the keyset allows the identity"},
}

func (a attribute) name() string { return facts[a].of + "." + facts[a].name }

// lookupAttribute finds principal.uid and the like; rights decide between those of a
// file and of an enclave.
func lookupAttribute(of, name string) (attribute, bool) {
	for a, f := range facts {
		if f.of == of && f.name == name && attribute(a) != inKeyset && a != 0 {
			return attribute(a), true
		}
	}
	return noAttribute, false
}

// value is an attribute of one question.
type value struct {
	known  bool
	truth  bool
	number int64
	text   string
	digest Digest
}

// show is the value for a reason.
func (a attribute) show(q *question) string {
	v := a.value(q)
	switch {
	case a == inKeyset && q.enclave.Known:
		return q.enclave.MRSIGNER.String()
	case a == inKeyset, !v.known:
		return "unknown"
	case facts[a].kind == boolKind:
		return fmt.Sprint(v.truth)
	case facts[a].kind == longKind:
		return fmt.Sprint(v.number)
	case facts[a].kind == digestKind:
		return v.digest.String()
	}
	return v.text
}

func (a attribute) value(q *question) value {
	switch facts[a].of {
	case "principal":
		return a.ofSubject(q.subject)
	case "context":
		return a.ofContext(q)
	}
	if a == resourcePath || a == resourceSHA256 {
		return a.ofFile(q.file)
	}
	return a.ofEnclave(q.enclave)
}

func (a attribute) ofSubject(s *Subject) value {
	switch a {
	case principalUID:
		return number(int64(s.UID))
	case principalPath:
		return text(s.Path)
	case principalSHA256:
		return digest(s.SHA256)
	}
	return value{known: true, text: s.Namespace}
}

func (a attribute) ofFile(f *Source) value {
	switch {
	case f == nil:
		return value{}
	case a == resourcePath:
		return text(f.Path)
	}
	return digest(f.SHA256)
}

func (a attribute) ofEnclave(e *Enclave) value {
	flags := e.ATTRIBUTES
	switch a {
	case resourceMRENCLAVE:
		return value{known: e.Known, digest: e.MRENCLAVE}
	case resourceMRSIGNER:
		return value{known: e.Known, digest: e.MRSIGNER}
	case resourceISVPRODID:
		return value{known: e.Known, number: int64(e.ISVPRODID)}
	case resourceISVSVN:
		return value{known: e.Known, number: int64(e.ISVSVN)}
	case resourceDebug:
		return truth(flags.Has(isa.ATTR_DEBUG))
	case resourceProvisionKey:
		return truth(flags.Has(isa.ATTR_PROVISIONKEY))
	case resourceEINITTOKENKey:
		return truth(flags.Has(isa.ATTR_EINITTOKEN_KEY))
	case resourceKSS:
		return truth(flags.Has(isa.ATTR_KSS))
	case resourceXFRM:
		return number(int64(flags.XFRM))
	}
	return number(int64(e.Size))
}

func (a attribute) ofContext(q *question) value {
	switch a {
	case contextRead:
		return truth(q.rights&isa.Read != 0)
	case contextWrite:
		return truth(q.rights&isa.Write != 0)
	case contextExec:
		return truth(q.rights&isa.Exec != 0)
	case contextCreator:
		return truth(q.creator)
	case contextDynamic:
		return truth(q.dynamic)
	case contextDebugger:
		return truth(q.debug)
	case contextRunning:
		return number(int64(q.running))
	}
	return a.ofPages(q.pages)
}

func (a attribute) ofPages(p *Pages) value {
	switch {
	case p == nil:
		return value{}
	case a == contextOrigin:
		return text(p.Origin.String())
	case a == contextMeasured:
		return truth(p.Measured == MeasuredAll)
	case a == contextOffset:
		return number(int64(p.Offset))
	}
	return number(int64(p.Length))
}

func truth(b bool) value    { return value{known: true, truth: b} }
func number(n int64) value  { return value{known: true, number: n} }
func text(s string) value   { return value{known: s != "", text: s} }
func digest(d Digest) value { return value{known: d.Known(), digest: d} }
