package launch

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
)

// Mistakes of a signed update.
var (
	ErrNoUpdateKey  = errors.New("the keyset names no update key")
	ErrBadSignature = errors.New("the signature is not that of the keyset's update key")
	ErrOldVersion   = errors.New("the version is not above the one in force")
)

// updateKey is `update ed25519 64-DIGITS;` or `update rsa "BASE64";`, the latter a
// PKCS #1 public key (RFC 8017, appendix A.1.1).
func (p *parser) updateKey(k *Keyset) bool {
	p.advance()
	t, ok := p.word("ed25519 or rsa")
	if !ok {
		return false
	}
	at, key := p.t.at, p.advance().text
	var err error
	switch t.text {
	case "ed25519":
		k.updateKey, err = parseEd25519(key)
	case "rsa":
		k.updateKey, err = parseRSA(key)
	default:
		err = fmt.Errorf("%q is no kind of key: write update ed25519 or update rsa", clip(t.text))
	}
	if err != nil {
		p.fail(at, "%v", err)
		return false
	}
	return p.mark(";")
}

func parseEd25519(text string) (crypto.PublicKey, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("an ed25519 key is %d hexadecimal digits", 2*ed25519.PublicKeySize)
	}
	return ed25519.PublicKey(b), nil
}

func parseRSA(text string) (crypto.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("an RSA key is base64 in quotes: %w", err)
	}
	var key struct {
		N *big.Int
		E int
	}
	if rest, err := asn1.Unmarshal(der, &key); err != nil || len(rest) > 0 {
		return nil, errors.New("an RSA key is the base64 of PKCS #1 DER: openssl rsa -RSAPublicKey_out -outform DER")
	}
	if key.N.Sign() <= 0 || key.N.BitLen() < 2048 || key.N.BitLen() > 8192 || key.E < 3 || key.E%2 == 0 {
		return nil, errors.New("an RSA key has 2048 to 8192 bits and an odd exponent")
	}
	return &rsa.PublicKey{N: key.N, E: key.E}, nil
}

// Update replaces a keyset by a signed text, also a frozen one:
//
//	update "prod" version 7;
//	allow mrsigner … ;
//
// The signature is over these bytes: Ed25519 (RFC 8032), or RSASSA-PKCS1-v1_5 with
// SHA-256 (RFC 8017). The version must rise.
func (e *Engine) Update(text, signature []byte) (generation uint64, err error) {
	name, version, fresh, err := parseUpdate(text)
	if err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	k, err := e.keyset(name)
	if err != nil {
		return 0, err
	}
	if err := k.verify(text, signature); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if version <= k.version {
		return 0, fmt.Errorf("%s: version %d after %d: %w", name, version, k.version, ErrOldVersion)
	}
	k.version = version
	k.entries, k.bySigner, k.byMeasurement = fresh.entries, fresh.bySigner, fresh.byMeasurement
	e.generation++
	return e.generation, nil
}

func (k *Keyset) verify(text, signature []byte) error {
	good := false
	switch key := k.updateKey.(type) {
	case nil:
		return ErrNoUpdateKey
	case ed25519.PublicKey:
		good = ed25519.Verify(key, text, signature)
	case *rsa.PublicKey:
		sum := sha256.Sum256(text)
		good = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	}
	if !good {
		return ErrBadSignature
	}
	return nil
}

// parseUpdate reads the text of an update.
func parseUpdate(text []byte) (name string, version uint64, fresh *Keyset, err error) {
	l := &loader{policy: &Policy{}}
	p := &parser{load: l, s: newScanner("update", string(text), Position{Line: 1, Column: 1}), what: "update"}
	p.advance()
	name, version, ok := p.updateHead()
	fresh = newKeyset(name, Position{})
	for ok && p.t.kind != endToken {
		var entries []Entry
		entries, ok = p.entry(fresh.defaults)
		for i := range entries {
			fresh.add(&entries[i])
		}
	}
	if len(l.errors) > 0 {
		return "", 0, nil, l.errors
	}
	return name, version, fresh, nil
}

func (p *parser) updateHead() (name string, version uint64, ok bool) {
	if t, ok := p.word("update"); !ok || t.text != "update" {
		p.fail(t.at, `an update starts with update "keyset" version N;`)
		return "", 0, false
	}
	t, ok := p.quoted("the name of the keyset")
	if !ok {
		return "", 0, false
	}
	if w, ok := p.word("version"); !ok || w.text != "version" {
		p.fail(w.at, "the keyset's name is followed by version and a number")
		return "", 0, false
	}
	version, ok = p.count(64)
	return t.text, version, ok && p.mark(";")
}
