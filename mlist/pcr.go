package mlist

import (
	"bytes"
	"crypto"
	_ "crypto/sha1"   // bank
	_ "crypto/sha256" // bank
	_ "crypto/sha512" // bank
	"fmt"
	"maps"
	"slices"
)

// TemplateDigest is the digest that the entry extends into the bank's PCR: that of
// the template data, or all ones for a violation (Linux ima_calc_field_array_hash,
// ima_add_template_entry).
func (e Entry) TemplateDigest(bank crypto.Hash) []byte {
	if e.Violation() {
		return bytes.Repeat([]byte{0xff}, bank.Size())
	}
	h := bank.New()
	h.Write(e.Data)
	return h.Sum(nil)
}

// Extend returns the value of a PCR after digest was extended into it (TPM 2.0
// Library part 1, "PCR": new value = H(old value, digest)).
func Extend(bank crypto.Hash, value, digest []byte) []byte {
	h := bank.New()
	h.Write(value)
	h.Write(digest)
	return h.Sum(nil)
}

// Replayer computes PCRs of one bank from the entries of a list. PCRs begin as zeros.
type Replayer struct {
	bank   crypto.Hash
	padded bool
	pcrs   map[uint32][]byte
}

// NewReplayer begins a replay for a bank of SHA-1, SHA-256, SHA-384 or SHA-512.
func NewReplayer(bank crypto.Hash) (*Replayer, error) {
	switch bank {
	case crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512:
		return &Replayer{bank: bank, pcrs: map[uint32][]byte{}}, nil
	}
	return nil, fmt.Errorf("PCR bank %v is not supported; use SHA-1, SHA-256, SHA-384 or SHA-512", bank)
}

// NewPaddedReplayer begins a replay as Linux did before 5.8, when the SHA-1 template
// digest was extended into each bank with zeros after it.
func NewPaddedReplayer(bank crypto.Hash) (*Replayer, error) {
	r, err := NewReplayer(bank)
	if err == nil {
		r.padded = true
	}
	return r, err
}

// Add extends the entry's PCR.
func (r *Replayer) Add(e Entry) {
	digest := e.TemplateDigest(r.bank)
	if r.padded && !e.Violation() {
		digest = make([]byte, r.bank.Size())
		copy(digest, e.TemplateDigest(crypto.SHA1))
	}
	r.pcrs[e.PCR] = Extend(r.bank, r.Value(e.PCR), digest)
}

// Value is the value of the PCR with index i.
func (r *Replayer) Value(i uint32) []byte {
	if v, ok := r.pcrs[i]; ok {
		return v
	}
	return make([]byte, r.bank.Size())
}

// PCRs are the indexes that were extended, in order.
func (r *Replayer) PCRs() []uint32 { return slices.Sorted(maps.Keys(r.pcrs)) }
