// Package vdso gives a process's vDSO the function __vdso_sgx_enter_enclave
// without replacing the vDSO: it computes a few pages of our own that hold the
// function and new symbol tables, and the words of the real vDSO that must
// change so that every reader of the image finds them.
//
// The package computes only. The caller reads the image, maps the pages
// readable and executable, writes the patches, and treats the trap site in the
// function as ENCLU.
//
// Readers come in three kinds, and each is served: those that follow DT_HASH
// (the kernel's selftests, musl), those that follow DT_GNU_HASH (glibc, Go), and
// those that follow section headers (Intel's uRTS, Open Enclave).
package vdso
