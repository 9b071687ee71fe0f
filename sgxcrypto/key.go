package sgxcrypto

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"math/big"

	"softsgx/isa"
)

const (
	keyBits     = 8 * isa.KeySize
	keyExponent = int(isa.SIGSTRUCT_EXPONENT)
	primeBits   = keyBits / 2

	// primeRounds is the number of Miller-Rabin rounds, beside Baillie-PSW.
	primeRounds = 20
)

// ErrKey says that a key cannot sign enclaves: they need RSA with a modulus of
// 3072 bits and the exponent 3.
var ErrKey = errors.New("sgxcrypto: not an RSA key of 3072 bits with exponent 3")

func checkKey(key *rsa.PrivateKey) error {
	if key.N.BitLen() != keyBits || key.E != keyExponent {
		return fmt.Errorf("%w: %d bits, exponent %d", ErrKey, key.N.BitLen(), key.E)
	}
	return nil
}

// GenerateKey makes a key that can sign enclaves, from the bytes of random.
// (crypto/rsa makes keys with another exponent only.)
func GenerateKey(random io.Reader) (*rsa.PrivateKey, error) {
	p, err := prime(random)
	if err != nil {
		return nil, err
	}
	q, err := prime(random)
	if err != nil {
		return nil, err
	}
	key, err := keyFromPrimes(p, q)
	if err != nil {
		return nil, fmt.Errorf("sgxcrypto: generate key: %w", err)
	}
	return key, nil
}

func keyFromPrimes(p, q *big.Int) (*rsa.PrivateKey, error) {
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: keyExponent},
		D:         new(big.Int).ModInverse(big.NewInt(int64(keyExponent)), phi),
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	return key, key.Validate()
}

// prime returns a prime p of primeBits bits. Its two highest bits are set, so
// that the product of two has keyBits bits, and p mod 3 is 2, so that 3 has an
// inverse modulo p-1.
func prime(random io.Reader) (*big.Int, error) {
	three := big.NewInt(3)
	b := make([]byte, primeBits/8)
	for {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, fmt.Errorf("sgxcrypto: generate prime: %w", err)
		}
		b[0] |= 0xC0
		b[len(b)-1] |= 1
		p := new(big.Int).SetBytes(b)
		if new(big.Int).Mod(p, three).Int64() == 2 && p.ProbablyPrime(primeRounds) {
			return p, nil
		}
	}
}
