package mlist

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Chain is a chain value: it stands for an entry and all before it.
type Chain [sha256.Size]byte

// String is the value in hexadecimal.
func (c Chain) String() string { return hex.EncodeToString(c[:]) }

// MarshalText writes the value in hexadecimal.
func (c Chain) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a value in hexadecimal.
func (c *Chain) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(c)) {
		return fmt.Errorf("chain value has %d characters, want %d hexadecimal digits", len(b), hex.EncodedLen(len(c)))
	}
	if _, err := hex.Decode(c[:], b); err != nil {
		return fmt.Errorf("chain value: %w; want hexadecimal digits", err)
	}
	return nil
}

// Head is an anchor: what a list was when it had so many entries. Kept where the
// list's writers cannot reach, it shows whether those entries are still the same.
type Head struct {
	Entries uint64
	Chain   Chain // of the last of them; zeros for none
}

// String is the head as softsgx log verify --expect takes it.
func (h Head) String() string { return fmt.Sprintf("%d:%v", h.Entries, h.Chain) }

// MarshalText writes what String returns.
func (h Head) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what String returns.
func (h *Head) UnmarshalText(b []byte) error {
	number, chain, ok := strings.Cut(string(b), ":")
	if !ok {
		return fmt.Errorf("%.80q is not a head; want ENTRIES:CHAIN, as softsgx log verify prints it", b)
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return fmt.Errorf("head %.80q: %w; want ENTRIES:CHAIN, as softsgx log verify prints it", b, err)
	}
	var c Chain
	if err := c.UnmarshalText([]byte(chain)); err != nil {
		return fmt.Errorf("head %.80q: %w", b, err)
	}
	*h = Head{n, c}
	return nil
}
