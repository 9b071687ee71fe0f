package uapi

// EnclaveProvisionSize is the size of struct sgx_enclave_provision.
const EnclaveProvisionSize = 8

// EnclaveProvision is struct sgx_enclave_provision, the argument of
// SGX_IOC_ENCLAVE_PROVISION (Linux 6.1, asm/sgx.h).
type EnclaveProvision struct {
	FD uint64 // open /dev/sgx_provision; the driver uses the low 32 bits
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (a *EnclaveProvision) UnmarshalBinary(b []byte) error {
	return words("sgx_enclave_provision", b, &a.FD)
}

// AppendBinary implements encoding.BinaryAppender.
func (a *EnclaveProvision) AppendBinary(b []byte) ([]byte, error) {
	return appendWords(b, a.FD), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (a *EnclaveProvision) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }
