//go:build linux && amd64

package main

import (
	"fmt"

	"softsgx/probe"
)

type doctorCmd struct{}

// Run prints what the host offers; the status is 1 if no program can run here.
func (doctorCmd) Run() error {
	broken := false
	for _, f := range probe.Probe().Findings() {
		mark := "ok  "
		if !f.OK {
			mark = "lack"
			if f.Need {
				mark, broken = "NEED", true
			}
		}
		fmt.Printf("%s  %-16s %s\n", mark, f.Name, f.Seen)
		if !f.OK {
			fmt.Printf("      costs: %s\n      do:    %s\n", f.Cost, f.Do)
		}
	}
	if broken {
		return fmt.Errorf("softsgx cannot run programs on this host; see NEED above")
	}
	return nil
}
