package mlist

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"testing"
)

// parseIMA is a reader of IMA's binary list that shares nothing with the package, as
// far as a replay needs one: PCR, template digest, event name.
func parseIMA(b []byte) (pcrs []uint32, digests [][]byte, names []string) {
	u32 := func() uint32 { v := binary.LittleEndian.Uint32(b); b = b[4:]; return v }
	take := func(n uint32) []byte { v := b[:n]; b = b[n:]; return v }
	for len(b) > 0 {
		pcrs = append(pcrs, u32())
		digests = append(digests, take(20))
		take(u32()) // template name
		u32()       // length of the template data
		take(u32()) // d-ng
		names = append(names, string(bytes.TrimRight(take(u32()), "\x00")))
		take(u32()) // buf
	}
	return pcrs, digests, names
}

func TestR29ListOfIMARoundTrip(t *testing.T) {
	start, launch := workedExample(t)
	other := Entry{PCR: 10, Template: "ima-ng", Data: []byte("\x02\x00\x00\x00ab\x02\x00\x00\x00n\x00")}
	want := []Entry{start, launch, start}
	var list []byte
	for _, e := range want {
		list, _ = e.AppendBinary(list)
	}
	pcrs, digests, names := parseIMA(list)
	for i, e := range want {
		if ev, _ := e.Event(); pcrs[i] != e.PCR || !bytes.Equal(digests[i], e.Digest[:]) || names[i] != ev.Name {
			t.Errorf("entry %d: %d %x %s", i, pcrs[i], digests[i], names[i])
		}
	}
	list, _ = other.AppendBinary(list)
	want = append(want, other)
	var got []Entry
	if err := ReadIMA(bytes.NewReader(list), func(e Entry) { got = append(got, e) }); err != nil || len(got) != len(want) {
		t.Fatal(len(got), err)
	}
	for i, e := range got {
		if !bytes.Equal(e.Data, want[i].Data) || e.Digest != want[i].Digest {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	whole := map[int]bool{0: true, 231: true, 231 + 409: true, 231 + 409 + 231: true}
	for n := range list { // 5.7: truncated in the middle of an entry
		if err := ReadIMA(bytes.NewReader(list[:n]), func(Entry) {}); (err == nil) != whole[n] {
			t.Fatalf("%d of %d bytes: %v", n, len(list), err)
		}
	}
}

func TestIMAListsThatAreRefused(t *testing.T) {
	u32 := binary.LittleEndian.AppendUint32
	entry := func(name string, data uint32) []byte {
		b := append(u32(u32(nil, 10), 1), make([]byte, 16)...)
		return u32(append(u32(b, uint32(len(name))), name...), data)
	}
	for name, b := range map[string][]byte{
		"template ima":           append(entry("ima", 4), 1, 2, 3, 4),
		"no template name":       entry("", 0),
		"endless template name":  entry(string(make([]byte, 40)), 0),
		"endless template data":  entry("ima-buf", 1<<31),
		"list in network order":  {0, 0, 0, 10, 24: 0, 25: 0, 26: 0, 27: 7, 28: 'i', 60: 0},
		"length beyond the rest": entry("ima-buf", 5),
	} {
		if err := ReadIMA(bytes.NewReader(b), func(Entry) {}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if IsList(bufio.NewReader(bytes.NewReader(entry("ima-buf", 0)))) {
		t.Error("a list of IMA was taken for ours")
	}
	if !IsList(bufio.NewReader(bytes.NewReader(Header{Segment: 1}.encode()))) {
		t.Error("our list was not recognized")
	}
}
