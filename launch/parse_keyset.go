package launch

import (
	"strconv"
	"strings"
	"time"
)

// keyset is `keyset "prod" { … }`. A keyset that was declared before is continued.
func (p *parser) keyset() bool {
	p.advance()
	name, ok := p.quoted(`a name, as keyset "prod"`)
	if !ok {
		return false
	}
	if name.text == "" || strings.ContainsAny(name.text, "/\\") {
		p.fail(name.at, "a keyset's name is not empty and has no / or \\")
		return false
	}
	p.what = "keyset " + clip(name.text)
	if !p.mark("{") {
		return false
	}
	k := p.load.keyset(p.into, name.text, name.at)
	for !p.is("}") {
		if p.t.kind == endToken || len(p.load.errors) >= maxErrors {
			p.fail(name.at, "the keyset is not closed by }")
			return true
		}
		if !p.line(k) {
			p.skipLine()
		}
	}
	p.advance()
	return true
}

// skipLine passes to the end of one line of a keyset.
func (p *parser) skipLine() {
	for p.t.kind != endToken && !p.is("}") {
		if t := p.advance(); t.kind == markToken && t.text == ";" {
			return
		}
	}
}

// line is an entry, or one of grants, lock and update.
func (p *parser) line(k *Keyset) bool {
	switch p.t.text {
	case "grants":
		p.advance()
		g, ok := p.grantList()
		k.defaults = g
		return ok && p.mark(";")
	case "lock":
		p.advance()
		l, ok := p.lockLevel()
		k.lock = max(k.lock, l)
		return ok && p.mark(";")
	case "update":
		return p.updateKey(k)
	}
	entries, ok := p.entry(k.defaults)
	for i := range entries {
		k.add(&entries[i])
	}
	return ok
}

func (p *parser) lockLevel() (LockLevel, bool) {
	t, ok := p.word("append or frozen")
	switch {
	case !ok:
	case t.text == "append":
		return AppendOnly, true
	case t.text == "frozen":
		return Frozen, true
	default:
		p.fail(t.at, "%q is no lock level: write lock append or lock frozen", clip(t.text))
	}
	return Open, false
}

func (p *parser) grantList() (Grants, bool) {
	var all Grants
	for {
		t, ok := p.word("a grant")
		if !ok {
			return 0, false
		}
		g, err := ParseGrant(t.text)
		if err != nil {
			p.fail(t.at, "%v", err)
			return 0, false
		}
		all |= g
		if !p.is(",") {
			return all, true
		}
		p.advance()
	}
}

// entry is `allow mrsigner … prodid 1 minsvn 3 require !DEBUG: launch, dirty;`. More
// than one mrenclave makes as many entries.
func (p *parser) entry(defaults Grants) ([]Entry, bool) {
	e := Entry{At: p.t.at}
	switch p.t.text {
	case "allow":
	case "deny":
		e.Deny = true
	default:
		p.fail(p.t.at, "%s starts no entry: write allow or deny, or grants, lock or update", p.found())
		return nil, false
	}
	p.advance()
	var enclaves []Digest
	for p.t.kind == wordToken {
		if !p.condition(&e, &enclaves) {
			return nil, false
		}
	}
	e.Grants = defaults
	if e.Deny {
		e.Grants = allGrants
	}
	if p.is(":") {
		p.advance()
		g, ok := p.grantList()
		if !ok {
			return nil, false
		}
		e.Grants = g
	}
	if !p.mark(";") {
		return nil, false
	}
	return p.expand(e, enclaves)
}

func (p *parser) expand(e Entry, enclaves []Digest) ([]Entry, bool) {
	if !e.MRSIGNER.Known() && len(enclaves) == 0 {
		p.fail(e.At, "an entry names a signer or an enclave: write mrsigner or mrenclave and 64 digits, not all zeros")
		return nil, false
	}
	if len(enclaves) == 0 {
		return []Entry{e}, true
	}
	var all []Entry
	for _, d := range enclaves {
		e.MRENCLAVE = d
		all = append(all, e)
	}
	return all, true
}

// condition is one word of an entry with its value.
func (p *parser) condition(e *Entry, enclaves *[]Digest) bool {
	word := p.advance()
	switch word.text {
	case "mrsigner":
		return p.digest(&e.MRSIGNER)
	case "mrenclave":
		var d Digest
		ok := p.digest(&d)
		*enclaves = append(*enclaves, d)
		return ok
	case "prodid":
		e.HasProdID = true
		return p.short(&e.ProdID)
	case "minsvn":
		return p.short(&e.MinSVN)
	case "maxsvn":
		e.HasMaxSVN = true
		return p.short(&e.MaxSVN)
	case "require":
		return p.flags(e)
	case "from":
		return p.date(&e.NotBefore)
	case "until":
		return p.date(&e.NotAfter)
	case "instances":
		n, ok := p.count(32)
		e.Instances = uint32(n)
		return ok
	case "size":
		n, ok := p.count(64)
		e.Size = n
		return ok
	}
	p.fail(word.at, "%q is no condition: they are mrsigner, mrenclave, prodid, minsvn, maxsvn, require, from, until, instances and size",
		clip(word.text))
	return false
}

func (p *parser) digest(into *Digest) bool {
	t, ok := p.word("64 hexadecimal digits")
	if !ok {
		return false
	}
	d, err := ParseDigest(t.text)
	if err == nil && !d.Known() {
		p.fail(t.at, "all zeros names nobody")
		return false
	}
	if err != nil {
		p.fail(t.at, "%v", err)
	}
	*into = d
	return err == nil
}

// count is a decimal number of at most that many bits, at least 1.
func (p *parser) count(bits int) (uint64, bool) {
	at := p.t.at
	n, ok := p.number(bits)
	if ok && n == 0 {
		p.fail(at, "0 allows nothing: write deny instead, or leave the limit out")
		return 0, false
	}
	return n, ok
}

func (p *parser) number(bits int) (uint64, bool) {
	t, ok := p.word("a number")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(t.text, 10, bits)
	if err != nil {
		p.fail(t.at, "%q is no number below 2^%d", clip(t.text), bits)
		return 0, false
	}
	return n, true
}

func (p *parser) short(into *uint16) bool {
	n, ok := p.number(16)
	*into = uint16(n)
	return ok
}

// flags are names of ATTRIBUTES bits, with ! before those that must be clear.
func (p *parser) flags(e *Entry) bool {
	for {
		unset := p.is("!")
		if unset {
			p.advance()
		}
		t, ok := p.word("an attribute, as DEBUG or !DEBUG")
		if !ok {
			return false
		}
		bit, err := parseFlag(t.text)
		if err != nil {
			p.fail(t.at, "%v", err)
			return false
		}
		e.AttrMask |= bit
		if !unset {
			e.AttrValue |= bit
		}
		if _, err := parseFlag(p.t.text); err != nil && !p.is("!") {
			return true
		}
	}
}

// date is "2026-11-21" or "2026-11-21T10:00:00Z".
func (p *parser) date(into *int64) bool {
	t, ok := p.quoted(`a date, as "2026-11-21"`)
	if !ok {
		return false
	}
	for _, layout := range []string{"2006-01-02", time.RFC3339} {
		if d, err := time.Parse(layout, t.text); err == nil {
			*into = d.Unix()
			return true
		}
	}
	p.fail(t.at, `%q is no date: write "2026-11-21" or "2026-11-21T10:00:00Z"`, clip(t.text))
	return false
}
