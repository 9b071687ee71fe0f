/*
 * What a signal frame shows after an asynchronous exit: the synthetic state
 * (SDM vol. 3D, "Synthetic State on Asynchronous Enclave Exit").
 */
#ifndef AEX_H
#define AEX_H

#include "loader.h"
#include "xstate.h"

#include <signal.h>
#include <ucontext.h>

/* aex_inside tells whether the signal came in enclave mode: RIP = RCX = the AEP, RAX = ERESUME. */
bool aex_inside(const ucontext_t *uc, const struct enclave *e, unsigned thread);
/* aex_check checks every register of a frame for which aex_inside holds. r is what entered by
 * enter_raw, for RSP and RBP, or NULL. */
void aex_check(const ucontext_t *uc, const struct enclave *e, unsigned thread, const struct registers *r);
/* aex_frame_xstate copies the XSAVE image of a frame out and returns its components. */
uint64_t aex_frame_xstate(const ucontext_t *uc, struct xstate *x);
/* aex_handle installs a SA_SIGINFO handler. */
void aex_handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags);

#endif
