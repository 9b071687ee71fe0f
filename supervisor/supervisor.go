//go:build linux && amd64

// Package supervisor gives a real program a machine with SGX: it runs it under
// ptrace with a seccomp filter, answers what concerns the device, the driver and
// the CPU from packages driver and cpu, and lets everything else run natively.
//
// One OS thread makes all ptrace requests (Run locks it). State of tracees
// belongs to that thread; only ADD_PAGES of large ranges runs on a worker, while
// the calling tracee thread stays stopped.
package supervisor

import (
	"errors"
	"fmt"
	"os"

	"softsgx/cpu"
	"softsgx/driver"
	"softsgx/probe"
	"softsgx/ptrace"
	"softsgx/seccomp"
	"softsgx/uapi"

	"golang.org/x/sys/unix"
)

// Config says what machine the program gets.
type Config struct {
	Args   []string // program and its arguments
	Env    []string
	CPU    *cpu.CPU
	Policy Policy // launch policy; nil is Linux 6.1's behaviour
	Record Record // of the policy's decisions
	Host   probe.Host
	Trace  func(format string, args ...any) // events for --trace; nil is silent

	// Ended is told of every enclave when it is gone; nil is nobody.
	Ended func(Summary)

	// Signals are passed on to the program.
	Signals <-chan os.Signal
}

// Supervisor runs one program and all its children.
type Supervisor struct {
	cfg     Config
	cpu     *cpu.CPU
	driver  *driver.Driver
	threads map[int]*Thread
	early   map[int]ptrace.Stop // first stops of children not announced yet
	queue   []ptrace.Stop       // reports taken while waiting for one thread
	files   map[inode]*File
	filters filters
	vdso    []byte // the host's vDSO image
	code    codeCache

	governor  *governor   // nil without a policy
	snapshots snapshots   // of files that enclave pages came from
	asked     chan func() // what workers want done on the tracer thread
	current   *Thread     // whose system call or leaf is being answered
	near      colocation

	everywhere bool     // all processes have the second filter: a descriptor may have been sent
	root       int      // tgid of the program we started
	stage      *os.File // from the second stage, nil once the program began
	status     Status
}

type filters struct{ base, device seccomp.Program }

// Status is how the program ended.
type Status struct {
	Code   int
	Signal unix.Signal // nonzero if a signal ended it
}

// Run starts the program, supervises it and everything it starts, and returns
// how it ended once the last of them is gone. It must be called on the main
// goroutine with its thread locked.
func Run(cfg Config) (Status, error) {
	s, err := newSupervisor(cfg)
	if err != nil {
		return Status{}, err
	}
	if err := s.start(); err != nil {
		return Status{}, err
	}
	if err := s.loop(); err != nil {
		return Status{}, err
	}
	if s.stage != nil {
		return Status{}, s.stageError()
	}
	return s.status, nil
}

func newSupervisor(cfg Config) (*Supervisor, error) {
	if cfg.Trace == nil {
		cfg.Trace = func(string, ...any) {}
	}
	s := &Supervisor{
		cfg: cfg, cpu: cfg.CPU,
		threads: map[int]*Thread{},
		early:   map[int]ptrace.Stop{},
		files:   map[inode]*File{},
		asked:   make(chan func(), 64),
		near:    newColocation(),
	}
	var err error
	if s.filters.base, err = seccomp.Base(!cfg.Host.CPUIDFaulting); err != nil {
		return nil, err
	}
	if s.filters.device, err = seccomp.Device(); err != nil {
		return nil, err
	}
	var hooks driver.Hooks
	if cfg.Policy != nil {
		s.governor = newGovernor(s, cfg.Policy, cfg.Record)
		hooks = s.governor
	}
	s.driver, err = driver.New(driver.Config{
		CPU: cfg.CPU, Hooks: hooks, SGX2: true, AEXNotify: true,
		Rights: s.rights, IPI: s.ipi, Revoked: s.revoked,
		Explain: func(e *driver.Enclave, cmd uapi.Cmd, err error) {
			s.cfg.Trace("refused enclave=%d %v: %v", e.ID(), cmd, err)
		},
	})
	if err != nil {
		return nil, err
	}
	if s.vdso, err = hostVDSO(); err != nil {
		return nil, err
	}
	if err = installBell(); err != nil {
		return nil, err
	}
	return s, nil
}

// loop handles reports until no tracee is left.
func (s *Supervisor) loop() error {
	for {
		stop, ok, err := s.next()
		switch {
		case errors.Is(err, unix.ECHILD):
			return nil
		case err != nil:
			return fmt.Errorf("waiting for tracees: %w", err)
		case ok:
			s.handle(stop)
		}
	}
}

// next returns the next report. What workers ask for comes first.
func (s *Supervisor) next() (ptrace.Stop, bool, error) {
	for {
		select {
		case fn := <-s.asked:
			fn()
			continue
		default:
		}
		break
	}
	if len(s.queue) > 0 {
		stop := s.queue[0]
		s.queue = s.queue[1:]
		return stop, true, nil
	}
	return ptrace.Wait(0)
}

// handle answers one report.
func (s *Supervisor) handle(stop ptrace.Stop) {
	t := s.threads[stop.TID]
	if t == nil {
		s.unknown(stop)
		return
	}
	s.current = t
	defer func() { s.current = nil }()
	s.near.stopped(t)
	switch stop.Kind {
	case ptrace.Exited, ptrace.Killed:
		s.ended(t, stop)
	case ptrace.Event:
		s.event(t, stop)
	case ptrace.NewChild:
		t.cont(0)
	case ptrace.GroupStop:
		ptrace.Listen(t.tid)
		s.stopToo(t, stop.Sig)
	case ptrace.Syscall:
		s.syscallStop(t)
	case ptrace.Signal:
		s.signal(t, stop.Sig)
	default:
		t.cont(0)
	}
}

// stopToo stops softsgx itself when the terminal stops the program, so that the shell
// that waits for us sees a stopped job. What continues the job continues both.
func (s *Supervisor) stopToo(t *Thread, sig unix.Signal) {
	if t.tid == s.root && (sig == unix.SIGTSTP || sig == unix.SIGTTIN || sig == unix.SIGTTOU) {
		unix.Kill(unix.Getpid(), unix.SIGSTOP)
	}
}

// unknown holds the first stop of a child whose parent's event is still to come,
// and forgets ends of threads that we dropped already.
func (s *Supervisor) unknown(stop ptrace.Stop) {
	if stop.Kind == ptrace.NewChild || stop.Kind == ptrace.Signal {
		s.early[stop.TID] = stop
		return
	}
	delete(s.early, stop.TID)
	if stop.Kind != ptrace.Exited && stop.Kind != ptrace.Killed {
		ptrace.Cont(stop.TID, 0)
	}
}

func (s *Supervisor) event(t *Thread, stop ptrace.Stop) {
	switch stop.Event {
	case unix.PTRACE_EVENT_SECCOMP:
		s.seccompStop(t)
	case unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK, unix.PTRACE_EVENT_CLONE:
		s.cloned(t, stop.Event)
	case unix.PTRACE_EVENT_VFORK_DONE:
		t.vforking = false
		t.cont(0)
	case unix.PTRACE_EVENT_EXEC:
		s.execed(t)
	case unix.PTRACE_EVENT_EXIT:
		t.lp.Abandon()
		t.cont(0)
	default:
		t.cont(0)
	}
}

// ended forgets a thread, and with the last thread of a process everything that
// the process held.
func (s *Supervisor) ended(t *Thread, stop ptrace.Stop) {
	t.lp.Abandon()
	s.near.forget(t)
	delete(s.threads, t.tid)
	t.dead = true
	t.proc.threads--
	if t.tid == s.root {
		s.status = Status{Code: stop.Code, Signal: stop.Sig}
		if stop.Kind == ptrace.Exited {
			s.status.Signal = 0
		}
	}
	if t.proc.threads == 0 {
		s.forgetProcess(t.proc)
		s.dropSpace(t.space)
		s.sweep()
	}
}

// forgetProcess drops what is held of a process that ended or became another by exec.
func (s *Supervisor) forgetProcess(p *Process) {
	p.maps.close()
	if s.governor != nil {
		s.governor.ended(p)
	}
}

// warn tells the user one line on standard error.
func (s *Supervisor) warn(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "softsgx: "+format+"\n", args...)
}
