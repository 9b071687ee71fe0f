package uapi

// Device nodes of the mainline driver (Linux 6.1 sgx/driver.c, sgx/virt.c and
// sgx/main.c).
const (
	EnclaveNode   = "/dev/sgx_enclave"
	ProvisionNode = "/dev/sgx_provision"
	VEPCNode      = "/dev/sgx_vepc"
)

// Names of the misc devices behind the nodes, as /proc/misc lists them.
const (
	EnclaveDevice   = "sgx_enclave"
	ProvisionDevice = "sgx_provision"
	VEPCDevice      = "sgx_vepc"
)

// DefaultNodeMode is the permission of all three nodes before udev rules.
const DefaultNodeMode = 0o600
