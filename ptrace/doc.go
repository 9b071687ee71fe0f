// Package ptrace is the tracer's side of ptrace(2) on x86-64 Linux: raw requests,
// stops as typed values, registers, extended state and memory of tracees.
//
// Every request must come from the OS thread that seized the tracee; the caller
// locks that thread. ReadMem, WriteMem and everything under /proc work from any
// thread. ESRCH ("it died meanwhile") is an ordinary result of every request.
package ptrace
