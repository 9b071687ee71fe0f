// Package cpu is a software SGX processor: the EPC and its EPCM, the ENCLS and
// ENCLU leaf functions, asynchronous exits, keys and launch control, one file
// per leaf. It makes no system call and knows no process: contents of enclave
// pages are reached through isa.Memory, address translation through Space,
// extended state through XState, entropy through Config.
//
// A leaf returns nil, an *isa.Fault (nothing happened) or an isa.Code (the
// instruction completed with that number in RAX). Checks stand in the order of
// the SDM's pseudocode; comments count them as its reference tables do.
//
// # Locks
//
//	CPU.mu            EPCM entries, SECS and TCS state, lists of threads inside
//	  isa.Memory.Page   is called with CPU.mu held: it must not call the CPU
//
// CPU.mu is never held while hashing, copying pages, calling Space or XState,
// or calling isa.Memory.Release. What such slow parts rely on is protected by
// the architecture's own locks instead (SDM vol. 3D, "Concurrency
// Restrictions"): try-locks in EPCM entries and SECSs, guarded by CPU.mu, whose
// refusal is #GP or a code. No leaf ever waits.
package cpu
