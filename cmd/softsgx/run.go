//go:build linux && amd64

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"unsafe"

	"softsgx/cpu"
	"softsgx/isa"
	"softsgx/platform"
	"softsgx/probe"
	"softsgx/supervisor"

	"golang.org/x/sys/unix"
)

type runCmd struct {
	EPC     size   `default:"64M" placeholder:"SIZE" help:"EPC that CPUID reports, as 64M or 2G (default 64M). It is elastic: enclaves may use more."`
	Trace   string `placeholder:"FILE" help:"Write driver and CPU events to FILE."`
	Summary bool   `help:"At the end, show each enclave: identity, pages, entries and exits."`
	governance
	Program []string `arg:"" passthrough:"partial" help:"Program and its arguments, after --."`
}

// size is a number of bytes with an optional K, M or G.
type size uint64

// UnmarshalText reads a size such as 64M.
func (s *size) UnmarshalText(b []byte) error {
	text := strings.ToUpper(string(b))
	shift := 0
	for suffix, n := range map[string]int{"K": 10, "M": 20, "G": 30} {
		if t, ok := strings.CutSuffix(text, suffix); ok {
			text, shift = t, n
		}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || n > 1<<40>>shift {
		return fmt.Errorf("%q is not a size: write a number and K, M or G, as 64M", b)
	}
	*s = size(n << shift)
	return nil
}

// programStatus is how the supervised program ended.
type programStatus supervisor.Status

func (s programStatus) Error() string { return fmt.Sprintf("program ended with status %d", s.Code) }

// epcBase is where CPUID says that the EPC lies in physical memory.
const epcBase isa.EPCAddr = 0x20_0000_0000

// Run supervises the program and ends as it ended.
func (r runCmd) Run() error {
	args := r.Program
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return fmt.Errorf("no program given: softsgx run -- PROGRAM [ARGS]")
	}
	host := probe.Probe()
	if !host.CPUIDFaulting && !host.Int80 {
		fmt.Fprintln(os.Stderr, "softsgx: CPUID cannot be answered on this host, so programs that ask it will not see SGX; "+
			"softsgx doctor says what to do")
	}
	machine, err := newCPU(host, uint64(r.EPC))
	if err != nil {
		return err
	}
	cfg := supervisor.Config{Args: args, Env: os.Environ(), CPU: machine, Host: host}
	if r.Summary {
		cfg.Ended = func(e supervisor.Summary) { writeSummary(os.Stderr, e) }
	}
	if r.Trace != "" {
		f, err := os.OpenFile(r.Trace, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("trace file: %w", err)
		}
		defer f.Close()
		cfg.Trace = func(format string, args ...any) { fmt.Fprintf(f, format+"\n", args...) }
	}
	closeList, err := r.govern(&cfg)
	if err != nil {
		return err
	}
	cfg.Signals = programSignals()
	status, err := supervisor.Run(cfg)
	if err = errors.Join(err, closeList()); err != nil {
		return err
	}
	return programStatus(status)
}

// newCPU builds the software CPU of this platform for this host.
func newCPU(host probe.Host, epc uint64) (*cpu.CPU, error) {
	root, err := platformRoot()
	if err != nil {
		return nil, err
	}
	return cpu.New(cpu.Config{
		Base: epcBase, Pages: int(epc / isa.PageSize), Elastic: true,
		XLayout: host.XLayout,
		SGX2:    true, KSS: true, EXINFO: true, AEXNotify: true,
		Root: root, Entropy: rand.Reader,
	})
}

// platformRoot is the machine's, or a throwaway one where no state can be kept.
func platformRoot() (platform.Root, error) {
	dir, err := platform.Dir()
	if err != nil {
		return platform.Throwaway(), nil
	}
	root, err := platform.Load(dir)
	if os.IsPermission(err) {
		fmt.Fprintf(os.Stderr, "softsgx: %v; using a platform that ends with this run\n", err)
		return platform.Throwaway(), nil
	}
	return root, err
}

// programSignals are the signals sent to softsgx that the program has to get: all
// that a user or a service manager sends. What the terminal sends goes to the whole
// foreground group, so the program has got it already.
func programSignals() <-chan os.Signal {
	got, pass := make(chan os.Signal, 16), make(chan os.Signal, 16)
	signal.Notify(got, unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGTTOU, unix.SIGTTIN, unix.SIGHUP,
		unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGCONT)
	go func() {
		for sig := range got {
			if !fromTerminal(sig) {
				pass <- sig
			}
		}
	}()
	return pass
}

func fromTerminal(sig os.Signal) bool {
	switch sig {
	case unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGTTOU, unix.SIGTTIN, unix.SIGHUP, unix.SIGCONT:
	default:
		return false
	}
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// defaultAction gives sig back its default action, behind Go's back.
func defaultAction(sig unix.Signal) {
	var act [4]uint64
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0)
	mask := uint64(1) << (sig - 1)
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&mask)), 0, 8, 0, 0)
}
