//go:build linux && amd64

package supervisor

import (
	"fmt"
	"time"
	"unsafe"

	"softsgx/probe"

	"golang.org/x/sys/unix"
)

// bell is the signal that wakes the tracer thread out of wait4 when a worker wants
// it. Go's own handlers restart system calls, so the bell has a handler of its own
// that does nothing.
const bell = unix.Signal(40)

// installBell sets the handler: `ret`, with rt_sigreturn to return to.
func installBell() error {
	code := probe.Code([]byte{
		0xc3,                // ret
		0xb8, 0x0f, 0, 0, 0, // mov eax, 15 (rt_sigreturn)
		0x0f, 0x05, // syscall
	})
	const (
		saOnstack  = 0x08000000
		saRestorer = 0x04000000
	)
	handler := uint64(uintptr(unsafe.Pointer(code)))
	act := [4]uint64{handler, saOnstack | saRestorer, handler + 1}
	if _, _, e := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(bell), uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0); e != 0 {
		return fmt.Errorf("installing the handler of signal %d: %w", bell, e)
	}
	return nil
}

// ring hands f to the tracer thread and returns when it has run there. A bell that
// rings just before wait4 is not heard, so it rings until it is answered.
func (s *Supervisor) ring(f func()) {
	done := make(chan struct{})
	s.asked <- func() { f(); close(done) }
	for wait := 50 * time.Microsecond; ; wait = min(2*wait, 5*time.Millisecond) {
		unix.Tgkill(unix.Getpid(), s.near.tracer, bell)
		select {
		case <-done:
			return
		case <-time.After(wait):
		}
	}
}

// background runs work on a goroutine and then finish on the tracer thread.
func (s *Supervisor) background(work func(), finish func()) {
	go func() {
		work()
		s.ring(finish)
	}()
}
