//go:build linux && amd64

package supervisor

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"softsgx/uapi"
)

// Source finds the first mapping of the caller that ends above p, as the kernel's
// find_vma does, and tells whether it may become executable: a mapping of a file
// on a noexec mount may not.
func (c *caller) Source(p uapi.UserPtr) (end uapi.UserPtr, mayExec, enclave, ok bool) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", c.tid))
	if err != nil {
		return 0, false, false, false
	}
	defer f.Close()
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		var start, stop uint64
		var rights string
		if n, _ := fmt.Sscanf(scan.Text(), "%x-%x %s", &start, &stop, &rights); n != 3 || stop <= uint64(p) {
			continue
		}
		enclave := c.t.space.overlaps(start, stop)
		anonymous := !strings.Contains(scan.Text(), "/")
		return uapi.UserPtr(stop), anonymous || strings.Contains(rights, "x") || c.mayExec(start), enclave, true
	}
	return 0, false, false, false
}

// mayExec reads the VmFlags of the mapping that starts at start.
func (c *caller) mayExec(start uint64) bool {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps", c.tid))
	if err != nil {
		return false
	}
	defer f.Close()
	head := fmt.Sprintf("%08x-", start)
	scan := bufio.NewScanner(f)
	for found := false; scan.Scan(); {
		line := scan.Text()
		if strings.HasPrefix(line, head) {
			found = true
		}
		if flags, is := strings.CutPrefix(line, "VmFlags:"); found && is {
			return strings.Contains(flags+" ", " me ")
		}
	}
	return false
}
