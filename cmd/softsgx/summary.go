//go:build linux && amd64

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"softsgx/isa"
	"softsgx/supervisor"
)

// writeSummary shows what softsgx saw of one enclave.
func writeSummary(w io.Writer, e supervisor.Summary) {
	fmt.Fprintf(w, "softsgx: enclave %d", e.ID)
	if e.Size == 0 {
		fmt.Fprintln(w, ": opened, never created")
		return
	}
	fmt.Fprintf(w, " at %#x, %d KiB of addresses\n", uint64(e.Base), e.Size>>10)
	if !e.Initialized {
		fmt.Fprintf(w, "  never initialized; %d pages at its end\n", e.Pages)
		return
	}
	fmt.Fprintf(w, "  MRENCLAVE  %x\n  MRSIGNER   %x\n", e.MRENCLAVE, e.MRSIGNER)
	fmt.Fprintf(w, "  ISVPRODID  %d, ISVSVN %d, attributes %#x%s\n", e.ISVPRODID, e.ISVSVN, e.ATTRIBUTES, debugMark(e.ATTRIBUTES))
	fmt.Fprintf(w, "  pages      %d at its end\n", e.Pages)
	fmt.Fprintf(w, "  entries    %d EENTER, %d ERESUME\n", e.EENTER, e.ERESUME)
	fmt.Fprintf(w, "  exits      %d EEXIT, %s\n", e.EEXIT, exits(e.Counts))
}

func debugMark(attributes uint64) string {
	if attributes&isa.ATTR_DEBUG != 0 {
		return " (debug)"
	}
	return ""
}

// exits lists the asynchronous exits by cause.
func exits(c supervisor.Counts) string {
	parts := []string{fmt.Sprintf("%d AEX by signals", c.Interrupts)}
	for _, vector := range slices.Sorted(maps.Keys(c.AEX)) {
		parts = append(parts, fmt.Sprintf("%d by %s", c.AEX[vector], isa.VectorName(vector)))
	}
	return strings.Join(parts, ", ")
}
