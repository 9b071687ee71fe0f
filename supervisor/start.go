//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"softsgx/ptrace"

	"golang.org/x/sys/unix"
)

// StageName is argv[0] of the second stage: our own binary, re-executed to install
// the filter on itself and then become the program.
const StageName = "softsgx-second-stage"

// start runs the program under the base filter, traced from its first instruction.
//
// The second stage reports ready on one pipe and waits on another, so that it is
// seized neither before its own exec event is over nor after the program began.
func (s *Supervisor) start() error {
	name, err := exec.LookPath(s.cfg.Args[0])
	if err != nil {
		return fmt.Errorf("%s: %w", s.cfg.Args[0], err)
	}
	readyR, readyW, err := os.Pipe()
	if err != nil {
		return err
	}
	goR, goW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer closeAll(readyR, goW)
	quietSIGCHLD()
	args := append([]string{StageName, name}, s.cfg.Args...)
	pid, err := syscall.ForkExec("/proc/self/exe", args, &syscall.ProcAttr{
		Env:   s.cfg.Env,
		Files: []uintptr{0, 1, 2, readyW.Fd(), goR.Fd()},
	})
	closeAll(readyW, goR)
	if err != nil {
		return fmt.Errorf("starting the second stage: %w", err)
	}
	if _, err := io.ReadFull(readyR, make([]byte, 1)); err != nil {
		return fmt.Errorf("the second stage did not start: %w", err)
	}
	if err := ptrace.Seize(pid); err != nil {
		return fmt.Errorf("tracing process %d: %w (softsgx doctor tells what this host allows)", pid, err)
	}
	sp := &Space{users: 1, sites: map[uint64]site{}}
	s.newThread(pid, &Process{tgid: pid}, sp)
	s.root = pid
	_, err = goW.Write(s.filters.base.Bytes())
	return err
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// SecondStage waits for its tracer, installs the filter it sends and executes the
// program: args are StageName, the file and the program's argv. It runs on the
// main thread and returns only on failure.
func SecondStage(args []string) error {
	runtime.LockOSThread()
	ready, wait := os.NewFile(3, "ready"), os.NewFile(4, "go")
	if _, err := ready.Write([]byte{0}); err != nil {
		return err
	}
	ready.Close()
	filter, err := io.ReadAll(wait)
	if err != nil || len(filter) == 0 {
		return errors.New("the supervisor went away")
	}
	wait.Close()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	prog := binary.LittleEndian.AppendUint64(nil, uint64(len(filter)/8))
	prog = binary.LittleEndian.AppendUint64(prog, uint64(uintptr(unsafe.Pointer(&filter[0]))))
	if _, _, e := unix.RawSyscall(unix.SYS_SECCOMP, seccompSetModeFilter, 0, uintptr(unsafe.Pointer(&prog[0]))); e != 0 {
		return fmt.Errorf("installing the seccomp filter: %w", e)
	}
	runtime.KeepAlive(filter)
	err = syscall.Exec(args[1], args[2:], os.Environ())
	return fmt.Errorf("%s: %w", args[1], err)
}

// quietSIGCHLD keeps every stop of a tracee from running Go's signal handler,
// which halves the cost of a stop. wait4 still wakes.
func quietSIGCHLD() {
	const saNocldstop = 1
	act := [4]uint64{0, saNocldstop} // SIG_DFL
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD), uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0)
}
