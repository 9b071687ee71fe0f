package mlist

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// The worked example of enclave-security-model.md 5.6.
func workedExample(t testing.TB) (start, launch Entry) {
	t.Helper()
	start, err := SupervisorStart{"supervisor", "0", sha256.Sum256([]byte("policy example"))}.Entry(10)
	if err != nil {
		t.Fatal(err)
	}
	launch, err = EnclaveInit{
		MRENCLAVE: sha256.Sum256([]byte("example MRENCLAVE")), MRSIGNER: sha256.Sum256([]byte("example MRSIGNER")),
		ISVPRODID: 1, ISVSVN: 2, ATTRIBUTES: 4, XFRM: 3, Keyset: "default", Result: ResultAllow,
	}.Entry(10)
	if err != nil {
		t.Fatal(err)
	}
	return start, launch
}

func TestWorkedExampleEntries(t *testing.T) {
	start, launch := workedExample(t)
	for _, r := range []struct {
		name                              string
		entry                             Entry
		bufLen, dataLen, size             int
		dng, sha1Digest, sha256Digest, at string
	}{
		{"5.6 entry 1", start, 119, 192, 231,
			"f5234f0018da874807ae7eecf47909a8f9dd6cbd26236bf03170b5292214aa0b",
			"246114962d32f89236a020959cc2378cdca3f5cc",
			"250998b61fed93b0a5b98b620edc28ba37a65a1a847ceb4304cde059a03b53fb",
			"0a000000246114962d32f89236a020959cc2378cdca3f5cc07000000696d612d627566c0000000280000007368613235363a00f5234f00"},
		{"5.6 entry 2", launch, 301, 370, 409,
			"8765deb4baae03de46fd1bfe72a079945a4c05a5485f75dfb0a4ccabd6b521ad",
			"96c72f488d4372f4d56c06fad3f06373b0b23ce2",
			"a079a5fffc55bedbae538918d48cc0c3df67052c968c39c6c2d3b39151d502c4",
			"0a000000"},
	} {
		t.Run(r.name, func(t *testing.T) {
			b, err := r.entry.AppendBinary(nil)
			if err != nil || len(b) != r.size || len(r.entry.Data) != r.dataLen {
				t.Fatalf("%d bytes, %d of data, %v", len(b), len(r.entry.Data), err)
			}
			ev, err := r.entry.Event()
			if err != nil || len(ev.Buf) != r.bufLen || hex.EncodeToString(ev.Digest) != r.dng || ev.Algorithm != "sha256" {
				t.Errorf("event %+v, %v", ev, err)
			}
			if got := hex.EncodeToString(r.entry.TemplateDigest(crypto.SHA1)); got != r.sha1Digest || hex.EncodeToString(r.entry.Digest[:]) != got {
				t.Errorf("SHA-1 digest %s", got)
			}
			if got := hex.EncodeToString(r.entry.TemplateDigest(crypto.SHA256)); got != r.sha256Digest {
				t.Errorf("SHA-256 digest %s", got)
			}
			if !strings.HasPrefix(hex.EncodeToString(b), r.at) {
				t.Errorf("entry %x", b)
			}
			back, rest, err := DecodeEntry(append(b, 7))
			if err != nil || len(rest) != 1 || !bytes.Equal(back.Data, r.entry.Data) || back.Digest != r.entry.Digest || back.Check() != nil {
				t.Errorf("decoded %+v, %v", back, err)
			}
		})
	}
}

func TestR29ReplayComesToTheValuesOfAnIMAVerifier(t *testing.T) {
	start, launch := workedExample(t)
	for _, r := range []struct {
		name    string
		bank    crypto.Hash
		padded  bool
		entries []Entry
		want    string
	}{
		{"5.6 SHA-1 after 1", crypto.SHA1, false, []Entry{start}, "407e21650110a7c15cf2fa0a97139091c52aa680"},
		{"5.6 SHA-256 after 1", crypto.SHA256, false, []Entry{start}, "809514332ae0bf017ce9150a62d3a3773677d3d606bd3ff509111555ab9cff7f"},
		{"5.6 SHA-1 after 2", crypto.SHA1, false, []Entry{start, launch}, "8eee501b057b7aec585328e5fa2cc4e9ad3a5a52"},
		{"5.6 SHA-256 after 2", crypto.SHA256, false, []Entry{start, launch}, "7e733d8f9cfcfe78096e37de37fa979d5057f8d65dd4891dd4798b3bb82a06af"},
		{"5.6 padded", crypto.SHA256, true, []Entry{launch}, "74b959834fd6837a3d5c6bade3dcf09c7dfa9e40cd76cbd3bb310e6b3ab4d977"},
	} {
		t.Run(r.name, func(t *testing.T) {
			replay, err := NewReplayer(r.bank)
			if r.padded {
				replay, err = NewPaddedReplayer(r.bank)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range r.entries {
				replay.Add(e)
			}
			if got := hex.EncodeToString(replay.Value(10)); got != r.want {
				t.Errorf("%s, want %s", got, r.want)
			}
		})
	}
	if _, err := NewReplayer(crypto.MD5); err == nil {
		t.Error("an MD5 bank was accepted")
	}
}

func TestHashOption(t *testing.T) {
	_, launch := workedExample(t)
	ev, err := launch.Event()
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(ev.Buf)
	e, err := NewEntry(10, EventEnclaveInit, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	hashed, err := e.Event()
	if err != nil || hex.EncodeToString(hashed.Digest) != "8b5ce8d5d424aa26df872eeb5fb040ebb1731b92322d9d5083cf8aea8abfddbc" || len(e.Data) != 101 {
		t.Errorf("%+v, %v", hashed, err)
	}
	if got := hex.EncodeToString(e.TemplateDigest(crypto.SHA256)); got != "cacbe5f4eee4681685eedc3043accc2b203349cbb4688bdcea0a9b3756c4abbe" {
		t.Error(got)
	}
}

func TestViolationExtendsOnes(t *testing.T) {
	_, e := workedExample(t)
	e.Digest = [20]byte{}
	want := Extend(crypto.SHA256, make([]byte, 32), bytes.Repeat([]byte{0xff}, 32))
	for _, make := range []func(crypto.Hash) (*Replayer, error){NewReplayer, NewPaddedReplayer} {
		r, _ := make(crypto.SHA256)
		if r.Add(e); !bytes.Equal(r.Value(10), want) {
			t.Errorf("%x", r.Value(10))
		}
	}
}

func TestNewEntryRefuses(t *testing.T) {
	for _, r := range []struct {
		name  string
		pcr   uint32
		event string
		buf   int
	}{
		{"PCR out of range", 24, "e", 0}, {"no name", 10, "", 0}, {"NUL in the name", 10, "a\x00b", 0},
		{"long name", 10, strings.Repeat("n", 256), 0}, {"long buffer", 10, "e", MaxEntry},
	} {
		if _, err := NewEntry(r.pcr, r.event, make([]byte, r.buf)); err == nil {
			t.Errorf("%s: accepted", r.name)
		}
	}
	e, err := NewEntry(10, "a name with spaces", nil)
	if ev, _ := e.Event(); err != nil || ev.Name != "a_name_with_spaces" {
		t.Errorf("%+v, %v", ev, err)
	}
}

func TestEachFieldIsChecked(t *testing.T) {
	_, launch := workedExample(t)
	b, _ := launch.AppendBinary(nil)
	for off := range b {
		if off < 4 {
			continue // the PCR index is the chain's to keep
		}
		b[off] ^= 1
		if e, _, err := DecodeEntry(b); err == nil && e.Check() == nil {
			t.Errorf("byte %d changed and not seen", off)
		}
		b[off] ^= 1
	}
	for n := range b {
		if _, _, err := DecodeEntry(b[:n]); err == nil {
			t.Errorf("%d of %d bytes accepted", n, len(b))
		}
	}
}

func FuzzDecodeEntry(f *testing.F) {
	start, launch := workedExample(f)
	for _, e := range []Entry{start, launch} {
		b, _ := e.AppendBinary(nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, rest, err := DecodeEntry(b)
		if err != nil {
			return
		}
		back, err := e.AppendBinary(nil)
		if err != nil || !bytes.Equal(append(back, rest...), b) {
			t.Errorf("%x becomes %x, %v", b, back, err)
		}
		e.Check()
		if ev, err := e.Event(); err == nil {
			ParseRecord(ev.Buf)
		}
	})
}
