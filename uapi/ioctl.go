package uapi

import "fmt"

// Cmd is the command word of ioctl(2).
type Cmd uint32

// Fields of a command word (Linux 6.1, asm-generic/ioctl.h).
const (
	iocWrite Cmd = 1 << 30 // user space writes the structure
	iocRead  Cmd = 2 << 30 // user space reads the structure

	sizeShift = 16
	typeShift = 8
)

// SGX_MAGIC is the type byte of every SGX command (asm/sgx.h).
const SGX_MAGIC = 0xA4

// Commands of /dev/sgx_enclave, and of /dev/sgx_vepc for the one that says so
// (Linux 6.1, asm/sgx.h).
const (
	SGX_IOC_ENCLAVE_CREATE                   = iocWrite | EnclaveCreateSize<<sizeShift | SGX_MAGIC<<typeShift // number 0
	SGX_IOC_ENCLAVE_ADD_PAGES                = iocRead | iocWrite | EnclaveAddPagesSize<<sizeShift | SGX_MAGIC<<typeShift | 0x01
	SGX_IOC_ENCLAVE_INIT                     = iocWrite | EnclaveInitSize<<sizeShift | SGX_MAGIC<<typeShift | 0x02
	SGX_IOC_ENCLAVE_PROVISION                = iocWrite | EnclaveProvisionSize<<sizeShift | SGX_MAGIC<<typeShift | 0x03
	SGX_IOC_VEPC_REMOVE_ALL              Cmd = SGX_MAGIC<<typeShift | 0x04 // the vEPC node
	SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS     = iocRead | iocWrite | EnclaveRestrictPermissionsSize<<sizeShift | SGX_MAGIC<<typeShift | 0x05
	SGX_IOC_ENCLAVE_MODIFY_TYPES             = iocRead | iocWrite | EnclaveModifyTypesSize<<sizeShift | SGX_MAGIC<<typeShift | 0x06
	SGX_IOC_ENCLAVE_REMOVE_PAGES             = iocRead | iocWrite | EnclaveRemovePagesSize<<sizeShift | SGX_MAGIC<<typeShift | 0x07
)

var cmdNames = map[Cmd]string{
	SGX_IOC_ENCLAVE_CREATE:               "SGX_IOC_ENCLAVE_CREATE",
	SGX_IOC_ENCLAVE_ADD_PAGES:            "SGX_IOC_ENCLAVE_ADD_PAGES",
	SGX_IOC_ENCLAVE_INIT:                 "SGX_IOC_ENCLAVE_INIT",
	SGX_IOC_ENCLAVE_PROVISION:            "SGX_IOC_ENCLAVE_PROVISION",
	SGX_IOC_VEPC_REMOVE_ALL:              "SGX_IOC_VEPC_REMOVE_ALL",
	SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS: "SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS",
	SGX_IOC_ENCLAVE_MODIFY_TYPES:         "SGX_IOC_ENCLAVE_MODIFY_TYPES",
	SGX_IOC_ENCLAVE_REMOVE_PAGES:         "SGX_IOC_ENCLAVE_REMOVE_PAGES",
}

// String returns the command's name in asm/sgx.h, or its number.
func (c Cmd) String() string {
	if n, ok := cmdNames[c]; ok {
		return n
	}
	return fmt.Sprintf("ioctl %#08x", uint32(c))
}

// Size returns the structure size that the command word carries.
func (c Cmd) Size() int { return int(c >> sizeShift & 0x3FFF) }
