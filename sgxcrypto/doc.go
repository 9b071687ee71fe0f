// Package sgxcrypto holds the cryptography of SGX: the measurement of an
// enclave, the signature on it, the derivation of keys and the encryption of
// evicted pages. It knows no enclave and keeps no state of one.
//
// Derivation and paging follow the project's documented model, because the
// processor's own are not public. Everything else is as in SDM vol. 3D.
package sgxcrypto
