//go:build linux && amd64

// Command softsgx runs unmodified SGX programs on machines without SGX.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"

	"softsgx/probe"
	"softsgx/supervisor"

	"github.com/alecthomas/kong"
	"golang.org/x/sys/unix"
)

// All ptrace requests come from the main thread.
func init() { runtime.LockOSThread() }

type cli struct {
	Run    runCmd    `cmd:"" help:"Run a program, and all it starts, on a machine with SGX."`
	Doctor doctorCmd `cmd:"" help:"Tell what this host offers, what each lack costs and what to do."`
	Policy policyCmd `cmd:"" help:"Check, explain and test policy files: who may launch which enclave."`
	Log    logCmd    `cmd:"" help:"Read, verify and replay a measurement list."`
	Help   helpCmd   `cmd:"" help:"Explain softsgx and its commands."`
}

func main() {
	switch os.Args[0] {
	case supervisor.StageName:
		supervisor.SecondStage(os.Args)
		os.Exit(exitOwn)
	case probe.Int80Child:
		probe.RunInt80()
		return
	}
	var c cli
	parser := kong.Must(&c,
		kong.Name("softsgx"),
		kong.Description("The Linux SGX driver and the SGX CPU in user space.\n\n"+
			"softsgx gives no secrecy from the host: its keys and reports are those of a software platform."),
	)
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		exit(fmt.Errorf("%w; `softsgx help` shows what there is", err))
	}
	if err := ctx.Run(parser); err != nil {
		exit(err)
	}
}

// Exit statuses of softsgx itself, as those of env(1) and timeout(1).
const (
	exitOwn      = 125 // softsgx failed
	exitCannot   = 126 // the program cannot be executed
	exitNotFound = 127 // there is no such program
)

// exit ends the way the error says: with the supervised program's own status, or
// with a message.
func exit(err error) {
	var status programStatus
	if errors.As(err, &status) {
		if status.Signal != 0 {
			dieBy(status.Signal)
		}
		os.Exit(status.Code)
	}
	fmt.Fprintln(os.Stderr, "softsgx:", err)
	var program *supervisor.ProgramError
	switch {
	case !errors.As(err, &program):
		os.Exit(exitOwn)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		os.Exit(exitNotFound)
	}
	os.Exit(exitCannot)
}

// dieBy ends this process by the signal that ended the program, without a core of
// our own.
func dieBy(sig unix.Signal) {
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	defaultAction(sig)
	unix.Kill(unix.Getpid(), sig)
	unix.Nanosleep(&unix.Timespec{Nsec: 50e6}, nil)
	os.Exit(128 + int(sig))
}

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"Command to explain."`
}

// Run shows the same text as --help.
func (h helpCmd) Run(k *kong.Kong) error {
	_, err := k.Parse(append(h.Command, "--help"))
	return err
}
