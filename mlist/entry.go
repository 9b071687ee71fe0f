package mlist

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// Limits of an entry.
const (
	// MaxEntry is the most bytes that an encoded entry has.
	MaxEntry = 64 << 10
	// MaxName is the most bytes of an event name (Linux IMA_EVENT_NAME_LEN_MAX).
	MaxName = 255
	// MaxPCR is the highest index of a PCR that a TPM of the PC client profile has.
	MaxPCR = 23
)

// TemplateBuf is the template of all entries that this project makes
// (Linux ima_template.c: "d-ng|n-ng|buf").
const TemplateBuf = "ima-buf"

// Sizes and offsets in an encoded entry (Linux ima_fs.c, ima_measurements_show).
const (
	offDigest   = 4
	offNameLen  = offDigest + sha1.Size
	offName     = offNameLen + 4
	minEntry    = offName + 4 // empty name and no data
	maxTemplate = 32          // bytes of a template name
)

// dngPrefix begins the d-ng field of our entries: algorithm, colon, NUL.
const dngPrefix = "sha256:\x00"

// Entry is one entry of IMA's binary list.
type Entry struct {
	// PCR is the index of the register that the entry extends.
	PCR uint32
	// Digest is the template digest in its SHA-1 form, as IMA's list has it. All
	// zeros mark a violation.
	Digest [sha1.Size]byte
	// Template is the name of the template, "ima-buf" for ours.
	Template string
	// Data is the template data: each field with a u32 length before it.
	Data []byte
}

// Event is what the fields of an ima-buf entry say.
type Event struct {
	Name      string // n-ng
	Algorithm string // of d-ng
	Digest    []byte // of d-ng, over Buf
	Buf       []byte
}

// NewEntry makes an ima-buf entry with the given event name and buffer. Spaces in
// the name become underscores, as in IMA.
func NewEntry(pcr uint32, name string, buf []byte) (Entry, error) {
	if pcr > MaxPCR {
		return Entry{}, fmt.Errorf("measurement entry: PCR %d does not exist; choose one of 0 to %d", pcr, MaxPCR)
	}
	if name == "" || len(name) > MaxName || strings.ContainsRune(name, 0) {
		return Entry{}, fmt.Errorf("measurement entry: event name %.40q: 1 to %d bytes without NUL are allowed; choose another name", name, MaxName)
	}
	e := Entry{PCR: pcr, Template: TemplateBuf, Data: bufData(strings.ReplaceAll(name, " ", "_"), buf)}
	if n := e.size(); n > MaxEntry {
		return Entry{}, fmt.Errorf("measurement entry %s: %d bytes, the limit is %d; put the digest of the buffer in its place", name, n, MaxEntry)
	}
	e.Digest = sha1.Sum(e.Data)
	return e, nil
}

// bufData encodes the fields of template ima-buf.
func bufData(name string, buf []byte) []byte {
	digest := sha256.Sum256(buf)
	b := make([]byte, 0, 12+len(dngPrefix)+sha256.Size+len(name)+1+len(buf))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(dngPrefix)+sha256.Size))
	b = append(b, dngPrefix...)
	b = append(b, digest[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(name)+1))
	b = append(b, name...)
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(buf)))
	return append(b, buf...)
}

func (e Entry) size() int { return minEntry + len(e.Template) + len(e.Data) }

// Violation reports whether the entry stands for a violation of the measurement
// (Linux ima_add_violation).
func (e Entry) Violation() bool { return e.Digest == [sha1.Size]byte{} }

// AppendBinary appends the entry to b in the form of IMA's binary list.
func (e Entry) AppendBinary(b []byte) ([]byte, error) {
	if len(e.Template) == 0 || len(e.Template) > maxTemplate || e.size() > MaxEntry {
		return nil, fmt.Errorf("measurement entry: template name of %d bytes (1 to %d), %d bytes in all (at most %d); make the entry smaller",
			len(e.Template), maxTemplate, e.size(), MaxEntry)
	}
	b = binary.LittleEndian.AppendUint32(b, e.PCR)
	b = append(b, e.Digest[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Template)))
	b = append(b, e.Template...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Data)))
	return append(b, e.Data...), nil
}

// DecodeEntry reads one entry from the front of b, and returns what follows it. The
// entry's Data lies in b. Entries of template "ima", which have no length of data,
// are refused.
func DecodeEntry(b []byte) (e Entry, rest []byte, err error) {
	if len(b) < minEntry {
		return e, nil, fmt.Errorf("measurement entry: %d bytes, the shortest has %d; the list ends inside it", len(b), minEntry)
	}
	e.PCR = binary.LittleEndian.Uint32(b)
	e.Digest = [sha1.Size]byte(b[offDigest:])
	name, rest, ok := sized(b[offNameLen:])
	if !ok || len(name) == 0 || len(name) > maxTemplate {
		return e, nil, fmt.Errorf("measurement entry: the template name is not 1 to %d bytes; this is no binary IMA list in little-endian order", maxTemplate)
	}
	e.Template = templateName(name)
	if e.Template == "ima" {
		return e, nil, fmt.Errorf("measurement entry: template ima is not supported; measure with ima-buf or ima-ng")
	}
	if e.Data, rest, ok = sized(rest); !ok {
		return e, nil, fmt.Errorf("measurement entry: the template data is longer than what follows; the list ends inside it")
	}
	if e.size() > MaxEntry {
		return e, nil, fmt.Errorf("measurement entry: %d bytes, the limit is %d; this is no list of ours", e.size(), MaxEntry)
	}
	return e, rest, nil
}

// templateName is string(b), without an allocation for the usual name.
func templateName(b []byte) string {
	if string(b) == TemplateBuf {
		return TemplateBuf
	}
	return string(b)
}

// sized splits off the front of b a field with a u32 length before it.
func sized(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if n > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n : 4+n], b[4+n:], true
}
