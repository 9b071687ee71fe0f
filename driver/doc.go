// Package driver is the Linux SGX driver in user space: enclaves as open files,
// the ioctls of /dev/sgx_enclave, the mapping rules and the page-fault path,
// with the order of checks, the errnos and the results of Linux 6.1
// (arch/x86/kernel/cpu/sgx). It makes no system call: the CPU is behind ENCLS,
// the calling task behind Caller, the contents of enclave pages behind Memory.
//
// # Locks
//
//	Enclave.busy     one ioctl per enclave at a time; a second one fails at once
//	  Enclave.mu     page records, state, size; held over one page's leaves at most
//	    epc.mu       free EPC pages
//	Driver.launch    IA32_SGXLEPUBKEYHASH and the EINIT that reads it
//
// Caller, Hooks, Config.IPI and Config.Revoked are called with neither mu nor
// launch held, so they may block and may call back into MayMap, Fault, Page and
// Runs. Memory and Config.Rights are called with mu held (Prefiller is not) and must
// not call back into the enclave.
package driver
