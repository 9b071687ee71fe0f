package uapi

// EnclaveCreateSize is the size of struct sgx_enclave_create.
const EnclaveCreateSize = 8

// EnclaveCreate is struct sgx_enclave_create, the argument of
// SGX_IOC_ENCLAVE_CREATE (Linux 6.1, asm/sgx.h).
type EnclaveCreate struct {
	Src UserPtr // 4096 bytes of SECS, any alignment
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (a *EnclaveCreate) UnmarshalBinary(b []byte) error {
	return words("sgx_enclave_create", b, (*uint64)(&a.Src))
}

// AppendBinary implements encoding.BinaryAppender.
func (a *EnclaveCreate) AppendBinary(b []byte) ([]byte, error) {
	return appendWords(b, uint64(a.Src)), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (a *EnclaveCreate) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }
