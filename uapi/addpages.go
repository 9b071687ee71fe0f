package uapi

// SGX_PAGE_MEASURE in EnclaveAddPages.Flags asks for EEXTEND of the whole page
// (Linux 6.1, asm/sgx.h, enum sgx_page_flags). The driver ignores other bits.
const SGX_PAGE_MEASURE = 1 << 0

// EnclaveAddPagesSize is the size of struct sgx_enclave_add_pages.
const EnclaveAddPagesSize = 48

// EnclaveAddPages is struct sgx_enclave_add_pages, the argument of
// SGX_IOC_ENCLAVE_ADD_PAGES (Linux 6.1, asm/sgx.h).
type EnclaveAddPages struct {
	Src     UserPtr // page aligned data
	Offset  uint64  // page aligned, from SECS.BASEADDR
	Length  uint64  // bytes, a nonzero multiple of the page size
	SECINFO UserPtr // 64 bytes, any alignment
	Flags   uint64
	Count   uint64 // out: bytes added
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (a *EnclaveAddPages) UnmarshalBinary(b []byte) error {
	return words("sgx_enclave_add_pages", b, (*uint64)(&a.Src), &a.Offset, &a.Length,
		(*uint64)(&a.SECINFO), &a.Flags, &a.Count)
}

// AppendBinary implements encoding.BinaryAppender.
func (a *EnclaveAddPages) AppendBinary(b []byte) ([]byte, error) {
	return appendWords(b, uint64(a.Src), a.Offset, a.Length, uint64(a.SECINFO), a.Flags, a.Count), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (a *EnclaveAddPages) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }
