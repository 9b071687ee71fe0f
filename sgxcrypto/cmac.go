package sgxcrypto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// MACSize is the size of a MAC and of a key.
const MACSize = aes.BlockSize

// CMACKey computes AES-128-CMAC (RFC 4493; NIST SP 800-38B) under one key. It is
// safe for concurrent use.
type CMACKey struct {
	block  cipher.Block
	k1, k2 [aes.BlockSize]byte // subkeys for a whole and a padded last block
}

// NewCMACKey prepares a key.
func NewCMACKey(key [MACSize]byte) *CMACKey {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the size of the key is right
	}
	k := &CMACKey{block: block}
	var l [aes.BlockSize]byte
	block.Encrypt(l[:], l[:])
	k.k1 = double(l)
	k.k2 = double(k.k1)
	return k
}

// double multiplies by x in the field of CMAC.
func double(b [aes.BlockSize]byte) (d [aes.BlockSize]byte) {
	const last = aes.BlockSize - 1
	carry := b[0] >> 7
	for i := range last {
		d[i] = b[i]<<1 | b[i+1]>>7
	}
	d[last] = b[last]<<1 ^ carry*0x87
	return d
}

// Sum returns the MAC of msg.
func (k *CMACKey) Sum(msg []byte) [MACSize]byte {
	var x [aes.BlockSize]byte
	for len(msg) > aes.BlockSize {
		subtle.XORBytes(x[:], x[:], msg)
		k.block.Encrypt(x[:], x[:])
		msg = msg[aes.BlockSize:]
	}
	subkey := &k.k1
	if len(msg) < aes.BlockSize {
		subkey = &k.k2
		x[len(msg)] ^= 0x80
	}
	subtle.XORBytes(x[:], x[:], msg)
	subtle.XORBytes(x[:], x[:], subkey[:])
	k.block.Encrypt(x[:], x[:])
	return x
}

// CMAC returns the AES-128-CMAC of msg under a key that is used once.
func CMAC(key [MACSize]byte, msg []byte) [MACSize]byte { return NewCMACKey(key).Sum(msg) }

// EqualMAC compares two MACs in constant time.
func EqualMAC(a, b [MACSize]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
