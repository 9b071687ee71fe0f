//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// ProgramError is a program that could not be started.
type ProgramError struct {
	Name string
	Err  error // fs.ErrNotExist, fs.ErrPermission or another reason
}

func (e *ProgramError) Error() string { return fmt.Sprintf("cannot run %s: %v", e.Name, e.Err) }

func (e *ProgramError) Unwrap() error { return e.Err }

// start runs the program under the base filter, traced from its first instruction.
//
// The second stage reports ready on one pipe and waits on another, so that it is
// seized neither before its own exec event is over nor after the program began.
// What makes it fail comes through the first pipe.
func (s *Supervisor) start() error {
	name, err := exec.LookPath(s.cfg.Args[0])
	if err != nil {
		return &ProgramError{s.cfg.Args[0], lookError(err)}
	}
	readyR, readyW, err := os.Pipe()
	if err != nil {
		return err
	}
	goR, goW, err := os.Pipe()
	if err != nil {
		closeAll(readyR, readyW)
		return err
	}
	defer goW.Close()
	s.stage = readyR
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
		return seizeError(err)
	}
	sp := &Space{users: 1, sites: map[uint64]site{}}
	s.newThread(pid, &Process{tgid: pid}, sp)
	s.root = pid
	if _, err = goW.Write(s.filters.base.Bytes()); err != nil {
		return err
	}
	go forward(s.cfg.Signals, pid)
	return nil
}

// lookError drops the name that exec.LookPath repeats.
func lookError(err error) error {
	var e *exec.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err
}

func seizeError(err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("cannot trace the program: it is traced already (by strace, a debugger or another softsgx), " +
			"or this host forbids ptrace; run softsgx outermost, and see softsgx doctor")
	}
	return fmt.Errorf("cannot trace the program: %w; see softsgx doctor", err)
}

// forward sends the program the signals that were sent to softsgx.
func forward(signals <-chan os.Signal, pid int) {
	for sig := range signals {
		if n, ok := sig.(unix.Signal); ok {
			unix.Kill(pid, n)
		}
	}
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// SecondStage waits for its tracer, installs the filter it sends and executes the
// program: args are StageName, the file and the program's argv. It runs on the
// main thread; what makes it fail goes to the tracer.
func SecondStage(args []string) {
	runtime.LockOSThread()
	ready, wait := os.NewFile(3, "ready"), os.NewFile(4, "go")
	unix.CloseOnExec(3)
	if _, err := ready.Write([]byte{0}); err != nil {
		return
	}
	filter, err := io.ReadAll(wait)
	if err != nil || len(filter) == 0 {
		return // the supervisor went away
	}
	wait.Close()
	if err := installFilter(filter); err != nil {
		fmt.Fprintf(ready, "%v", err)
		return
	}
	name, argv, env := args[1], args[2:], os.Environ()
	err = syscall.Exec(name, argv, env)
	if err == unix.ENOEXEC { // as execvp and every shell
		err = syscall.Exec("/bin/sh", append([]string{"/bin/sh", name}, argv[1:]...), env)
	}
	var e unix.Errno
	errors.As(err, &e)
	ready.Write([]byte{0, byte(e)})
}

// installFilter adds the filter to this process. A program may keep gaining
// privileges by set-uid only where the kernel lets us.
func installFilter(filter []byte) error {
	prog := binary.LittleEndian.AppendUint64(nil, uint64(len(filter)/8))
	prog = binary.LittleEndian.AppendUint64(prog, uint64(uintptr(unsafe.Pointer(&filter[0]))))
	install := func() unix.Errno {
		_, _, e := unix.RawSyscall(unix.SYS_SECCOMP, seccompSetModeFilter, 0, uintptr(unsafe.Pointer(&prog[0])))
		return e
	}
	e := install()
	if e == unix.EACCES {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("no_new_privs: %w", err)
		}
		e = install()
	}
	runtime.KeepAlive(filter)
	if e != 0 {
		return fmt.Errorf("this host refuses seccomp filters (%w), without which no system call can be answered; "+
			"see softsgx doctor", e)
	}
	return nil
}

// stageError reads why the second stage ended before the program began.
func (s *Supervisor) stageError() error {
	b, _ := io.ReadAll(s.stage)
	switch {
	case len(b) == 2 && b[0] == 0:
		return &ProgramError{s.cfg.Args[0], unix.Errno(b[1])}
	case len(b) > 0:
		return errors.New(string(b))
	}
	return errors.New("the second stage ended before it started the program")
}

// quietSIGCHLD keeps every stop of a tracee from running Go's signal handler,
// which halves the cost of a stop. wait4 still wakes.
func quietSIGCHLD() {
	const saNocldstop = 1
	act := [4]uint64{0, saNocldstop} // SIG_DFL
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD), uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0)
}
