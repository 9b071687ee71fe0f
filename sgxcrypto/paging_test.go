package sgxcrypto

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"softsgx/isa"
)

// labelPaging makes the vectors' paging key, which hardware draws at random.
const labelPaging = "sgx-model/paging/v1"

const vectorVER = 0x0102030405060708

func vectorPagingKey() *PagingKey {
	return NewPagingKey(NewRootKey(vectorRoot()).labelled(labelPaging))
}

func vectorHeader() *isa.MACHEADER {
	return &isa.MACHEADER{EID: 0x1122334455667788, LINADDR: 0x00007F0000001000, SECINFO: isa.SECINFO{Flags: 0x203}}
}

func vectorPage() *[isa.PageSize]byte {
	page := new([isa.PageSize]byte)
	for i := range page {
		page[i] = byte(i)
	}
	return page
}

func TestPagingVector(t *testing.T) {
	var sealed [isa.PageSize]byte
	mac := vectorPagingKey().Seal(&sealed, vectorPage(), vectorVER, vectorHeader())
	digest := sha256.Sum256(sealed[:])
	for _, r := range []struct {
		name string
		got  []byte
		want string
	}{
		{"isa 6.6 first 16", sealed[:16], "ca2f56b64d5c835e2d2211593b6b8b54"},
		{"isa 6.6 last 16", sealed[isa.PageSize-16:], "d5eadbb91afe1a06de2fef0bdaeec532"},
		{"isa 6.6 tag", mac[:], "c5868cfea523183c99f9c6ba3473167f"},
		{"isa 6.6 SHA-256 of all", digest[:], "76bf934934a3f41164cf6ee90a703e6d85d026eeb4f399c5019ef27784dde9c0"},
	} {
		t.Run(r.name, func(t *testing.T) {
			if hex.EncodeToString(r.got) != r.want {
				t.Errorf("%x, want %s", r.got, r.want)
			}
		})
	}
}

// evicted is all that ELDU needs to bring a page back.
type evicted struct {
	key    *PagingKey
	page   [isa.PageSize]byte
	mac    [MACSize]byte
	ver    uint64
	header isa.MACHEADER
}

func evict() *evicted {
	e := &evicted{key: vectorPagingKey(), ver: vectorVER, header: *vectorHeader()}
	e.mac = e.key.Seal(&e.page, vectorPage(), e.ver, &e.header)
	return e
}

func TestPagingTamper(t *testing.T) {
	rows := []struct {
		name   string
		change func(*evicted)
		intact bool
	}{
		{"isa 6.6 nothing", func(*evicted) {}, true},
		{"isa 6.6 ciphertext", func(e *evicted) { e.page[4095] ^= 1 }, false},
		{"isa 6.6 MAC", func(e *evicted) { e.mac[0] ^= 1 }, false},
		{"isa 6.6 LINADDR", func(e *evicted) { e.header.LINADDR += isa.PageSize }, false},
		{"isa 6.6 SECINFO rights", func(e *evicted) { e.header.SECINFO.Flags ^= isa.SECINFO_X }, false},
		{"isa 6.6 SECINFO reserved", func(e *evicted) { e.header.SECINFO.Reserved[55] = 1 }, false},
		{"isa 6.6 PCMD.RESERVED", func(e *evicted) { e.header.RSVD[39] = 1 }, false},
		{"isa 6.6 other EID", func(e *evicted) { e.header.EID++ }, false},
		{"isa 6.6 other slot", func(e *evicted) { e.ver += 8 }, false},
		{"isa 6.6 after reset", func(e *evicted) { e.key = NewPagingKey([16]byte{1}) }, false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			e := evict()
			r.change(e)
			checkOpen(t, e, r.intact)
		})
	}
}

func checkOpen(t *testing.T, e *evicted, intact bool) {
	t.Helper()
	var page [isa.PageSize]byte
	err := e.key.Open(&page, &e.page, e.mac, e.ver, &e.header)
	if intact {
		if err != nil || page != *vectorPage() {
			t.Errorf("page does not come back: %v", err)
		}
		return
	}
	if !errors.Is(err, isa.SGX_MAC_COMPARE_FAIL) {
		t.Errorf("error %v", err)
	}
	if page != [isa.PageSize]byte{} {
		t.Error("page was written")
	}
}

func TestPagingInPlace(t *testing.T) {
	k, page := vectorPagingKey(), vectorPage()
	mac := k.Seal(page, page, 8, vectorHeader())
	if *page == *vectorPage() {
		t.Fatal("not encrypted")
	}
	if err := k.Open(page, page, mac, 8, vectorHeader()); err != nil || *page != *vectorPage() {
		t.Errorf("page does not come back: %v", err)
	}
}
