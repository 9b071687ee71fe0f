//go:build linux && amd64

// Command softsgx runs unmodified SGX programs on machines without SGX.
package main

import (
	"errors"
	"fmt"
	"os"
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
	Help   helpCmd   `cmd:"" help:"Explain softsgx and its commands."`
}

func main() {
	switch os.Args[0] {
	case supervisor.StageName:
		fmt.Fprintln(os.Stderr, "softsgx:", supervisor.SecondStage(os.Args))
		os.Exit(127)
	case probe.Int80Child:
		probe.RunInt80()
		return
	}
	var c cli
	parser := kong.Must(&c,
		kong.Name("softsgx"),
		kong.Description("The Linux SGX driver and the SGX CPU in user space.\n\n"+
			"softsgx gives no secrecy from the host: its keys and reports are those of a software platform."),
		kong.UsageOnError(),
	)
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	if err := ctx.Run(parser); err != nil {
		exit(err)
	}
}

// exit ends the way the error says: with the supervised program's own status, or
// with a message and status 125, which no common program uses.
func exit(err error) {
	var status programStatus
	if !errors.As(err, &status) {
		fmt.Fprintln(os.Stderr, "softsgx:", err)
		os.Exit(125)
	}
	if status.Signal != 0 {
		dieBy(status.Signal)
	}
	os.Exit(status.Code)
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
