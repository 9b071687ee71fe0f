package vdso

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// sysvHash is the hash of DT_HASH (System V ABI, "Hash Table").
func sysvHash(name string) uint32 {
	var h uint32
	for _, c := range []byte(name) {
		h = h<<4 + uint32(c)
		top := h & 0xF0000000
		h ^= top >> 24
		h &^= top
	}
	return h
}

// gnuHash is the hash of DT_GNU_HASH: Bernstein's, from 5381 by 33 (binutils,
// bfd_elf_gnu_hash).
func gnuHash(name string) uint32 {
	h := uint32(5381)
	for _, c := range []byte(name) {
		h = h*33 + uint32(c)
	}
	return h
}

// buckets is how many chains n symbols are spread over.
func buckets(n int) uint32 { return uint32(max(1, n/2)) }

// sysvTable builds DT_HASH: nbucket, nchain, the buckets and the chains, all as
// 32-bit words. Chain 0 ends a list.
func sysvTable(symbols []symbol) []byte {
	n := buckets(len(symbols))
	heads := make([]uint32, n)
	chains := make([]uint32, len(symbols))
	for i := len(symbols) - 1; i > 0; i-- { // backwards: lists come out ascending
		b := sysvHash(symbols[i].name) % n
		chains[i], heads[b] = heads[b], uint32(i)
	}
	t := appendWords(nil, n, uint32(len(symbols)))
	t = appendWords(t, heads...)
	return appendWords(t, chains...)
}

// Geometry of the GNU table. One Bloom word of 64 bits is enough for a vDSO.
const (
	bloomWords = 1
	bloomShift = 6
)

// sortForGNU orders the symbols as DT_GNU_HASH wants them: those nobody may find
// first, then the others by bucket. It returns the index of the first findable
// one.
func sortForGNU(symbols []symbol) int {
	first := 1
	for i := 1; i < len(symbols); i++ {
		if symbols[i].shndx == 0 {
			symbols[first], symbols[i] = symbols[i], symbols[first]
			first++
		}
	}
	n := buckets(len(symbols) - first)
	slices.SortStableFunc(symbols[first:], func(x, y symbol) int {
		return int(gnuHash(x.name)%n) - int(gnuHash(y.name)%n)
	})
	return first
}

// gnuTable builds DT_GNU_HASH over symbols in the order of sortForGNU: a header
// of four words, the Bloom filter, the buckets, and one hash per findable symbol
// whose lowest bit ends a chain.
func gnuTable(symbols []symbol, first int) []byte {
	found := symbols[first:]
	n := buckets(len(found))
	var bloom uint64
	heads := make([]uint32, n)
	hashes := make([]uint32, len(found))
	for i, s := range found {
		h := gnuHash(s.name)
		bloom |= 1<<(h%64) | 1<<(h>>bloomShift%64)
		if heads[h%n] == 0 {
			heads[h%n] = uint32(first + i)
		}
		hashes[i] = h &^ 1
		if i+1 == len(found) || gnuHash(found[i+1].name)%n != h%n {
			hashes[i] |= 1
		}
	}
	t := appendWords(nil, n, uint32(first), bloomWords, bloomShift)
	t = binary.LittleEndian.AppendUint64(t, bloom)
	t = appendWords(t, heads...)
	return appendWords(t, hashes...)
}

// gnuHashCount returns the number of symbols that a DT_GNU_HASH table implies:
// one more than the last index of the last chain.
func gnuHashCount(h []byte) (int, error) {
	le := binary.LittleEndian
	if len(h) < 16 {
		return 0, errTruncated
	}
	n, first, words := uint64(le.Uint32(h)), uint64(le.Uint32(h[4:])), uint64(le.Uint32(h[8:]))
	heads := 16 + words*8
	chains := heads + n*4
	if chains > uint64(len(h)) {
		return 0, errTruncated
	}
	last := uint64(0)
	for i := range n {
		last = max(last, uint64(le.Uint32(h[heads+i*4:])))
	}
	if last == 0 {
		return int(first), nil
	}
	if last < first {
		return 0, fmt.Errorf("bucket names symbol %d, below %d", last, first)
	}
	for ; ; last++ {
		at := chains + (last-first)*4
		if at+4 > uint64(len(h)) {
			return 0, errTruncated
		}
		if le.Uint32(h[at:])&1 != 0 {
			return int(last) + 1, nil
		}
	}
}

// appendWords appends 32-bit words.
func appendWords(b []byte, words ...uint32) []byte {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}
