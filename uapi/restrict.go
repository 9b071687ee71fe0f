package uapi

// EnclaveRestrictPermissionsSize is the size of
// struct sgx_enclave_restrict_permissions.
const EnclaveRestrictPermissionsSize = 40

// EnclaveRestrictPermissions is struct sgx_enclave_restrict_permissions, the
// argument of SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS (Linux 6.1, asm/sgx.h).
type EnclaveRestrictPermissions struct {
	Offset      uint64
	Length      uint64
	Permissions uint64 // R 1, W 2, X 4
	Result      uint64 // in: 0; out: SGX code of EMODPR
	Count       uint64 // in: 0; out: bytes done
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (a *EnclaveRestrictPermissions) UnmarshalBinary(b []byte) error {
	return words("sgx_enclave_restrict_permissions", b, &a.Offset, &a.Length, &a.Permissions,
		&a.Result, &a.Count)
}

// AppendBinary implements encoding.BinaryAppender.
func (a *EnclaveRestrictPermissions) AppendBinary(b []byte) ([]byte, error) {
	return appendWords(b, a.Offset, a.Length, a.Permissions, a.Result, a.Count), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (a *EnclaveRestrictPermissions) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }
