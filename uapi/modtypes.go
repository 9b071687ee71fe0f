package uapi

// EnclaveModifyTypesSize is the size of struct sgx_enclave_modify_types.
const EnclaveModifyTypesSize = 40

// EnclaveModifyTypes is struct sgx_enclave_modify_types, the argument of
// SGX_IOC_ENCLAVE_MODIFY_TYPES (Linux 6.1, asm/sgx.h).
type EnclaveModifyTypes struct {
	Offset   uint64
	Length   uint64
	PageType uint64 // TCS 1 or TRIM 4
	Result   uint64 // in: 0; out: SGX code of EMODT
	Count    uint64 // in: 0; out: bytes done
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (a *EnclaveModifyTypes) UnmarshalBinary(b []byte) error {
	return words("sgx_enclave_modify_types", b, &a.Offset, &a.Length, &a.PageType,
		&a.Result, &a.Count)
}

// AppendBinary implements encoding.BinaryAppender.
func (a *EnclaveModifyTypes) AppendBinary(b []byte) ([]byte, error) {
	return appendWords(b, a.Offset, a.Length, a.PageType, a.Result, a.Count), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (a *EnclaveModifyTypes) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }
