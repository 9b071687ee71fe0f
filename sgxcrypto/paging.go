package sgxcrypto

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"slices"

	"softsgx/isa"
)

// PagingKey encrypts pages that leave the EPC (SDM vol. 3D, "EWB", "ELDB/ELDU").
// A version must not serve twice under one key. It is safe for concurrent use.
type PagingKey struct{ gcm cipher.AEAD }

// NewPagingKey prepares a key, which hardware draws at every boot.
func NewPagingKey(key [16]byte) *PagingKey {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the size of the key is right
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size of GCM
	}
	return &PagingKey{gcm}
}

// Seal encrypts page into dst, which may be the same, and returns the MAC over
// it and the header.
func (k *PagingKey) Seal(dst, page *[isa.PageSize]byte, ver uint64, h *isa.MACHEADER) [MACSize]byte {
	aad := h.Bytes()
	sealed := k.gcm.Seal(nil, nonce(ver), page[:], aad[:])
	copy(dst[:], sealed)
	return [MACSize]byte(sealed[isa.PageSize:])
}

// Open decrypts sealed into dst, which may be the same. The error wraps
// SGX_MAC_COMPARE_FAIL and leaves dst alone.
func (k *PagingKey) Open(dst, sealed *[isa.PageSize]byte, mac [MACSize]byte, ver uint64, h *isa.MACHEADER) error {
	aad := h.Bytes()
	page, err := k.gcm.Open(nil, nonce(ver), slices.Concat(sealed[:], mac[:]), aad[:])
	if err != nil {
		return fmt.Errorf("sgxcrypto: open page: %w", isa.SGX_MAC_COMPARE_FAIL)
	}
	copy(dst[:], page)
	return nil
}

// nonce is 4 zero bytes and the version, most significant byte first.
func nonce(ver uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), ver)
}
