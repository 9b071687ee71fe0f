package uapi

// EnclaveInitSize is the size of struct sgx_enclave_init.
const EnclaveInitSize = 8

// EnclaveInit is struct sgx_enclave_init, the argument of
// SGX_IOC_ENCLAVE_INIT (Linux 6.1, asm/sgx.h).
type EnclaveInit struct {
	SIGSTRUCT UserPtr // 1808 bytes, any alignment
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (a *EnclaveInit) UnmarshalBinary(b []byte) error {
	return words("sgx_enclave_init", b, (*uint64)(&a.SIGSTRUCT))
}

// AppendBinary implements encoding.BinaryAppender.
func (a *EnclaveInit) AppendBinary(b []byte) ([]byte, error) {
	return appendWords(b, uint64(a.SIGSTRUCT)), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (a *EnclaveInit) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }
