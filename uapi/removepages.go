package uapi

// EnclaveRemovePagesSize is the size of struct sgx_enclave_remove_pages.
const EnclaveRemovePagesSize = 24

// EnclaveRemovePages is struct sgx_enclave_remove_pages, the argument of
// SGX_IOC_ENCLAVE_REMOVE_PAGES (Linux 6.1, asm/sgx.h).
type EnclaveRemovePages struct {
	Offset uint64
	Length uint64
	Count  uint64 // in: 0; out: bytes done
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (a *EnclaveRemovePages) UnmarshalBinary(b []byte) error {
	return words("sgx_enclave_remove_pages", b, &a.Offset, &a.Length, &a.Count)
}

// AppendBinary implements encoding.BinaryAppender.
func (a *EnclaveRemovePages) AppendBinary(b []byte) ([]byte, error) {
	return appendWords(b, a.Offset, a.Length, a.Count), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (a *EnclaveRemovePages) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }
