//go:build linux && amd64

package conformance

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// timed runs testprogs/bench and returns the nanoseconds of its last line, and the
// lines before.
func timed(b *testing.B, supervised bool, args ...string) (ns float64, before []string) {
	b.Helper()
	dir, err := testprogs()
	if err != nil {
		b.Fatal(err)
	}
	p := program{args: append([]string{filepath.Join(dir, "bench")}, args...)}
	if supervised {
		p = p.supervised()
	}
	r := p.run(b)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	ns, err = strconv.ParseFloat(lines[len(lines)-1], 64)
	if err != nil || r.code != 0 {
		b.Fatalf("%q: status %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	return ns, lines[:len(lines)-1]
}

// figures replaces the meaningless time of one iteration by named figures.
func figures(b *testing.B, values map[string]float64) {
	b.ReportMetric(0, "ns/op")
	for name, v := range values {
		b.ReportMetric(v, name)
	}
}

// BenchmarkEntry is an entry and exit by trapped ENCLUs. Its limit is two stops of
// the program, for which the cheapest trapped system call stands.
func BenchmarkEntry(b *testing.B) {
	for b.Loop() {
		stop, _ := timed(b, true, "stop", "20000")
		entry, _ := timed(b, true, "roundtrip", "20000")
		figures(b, map[string]float64{"us/stop": stop / 1e3, "us/round-trip": entry / 1e3, "stops": entry / stop})
	}
}

// BenchmarkException is #UD inside and back: three entries, two exits and one AEX.
func BenchmarkException(b *testing.B) {
	for b.Loop() {
		stop, _ := timed(b, true, "stop", "20000")
		fault, _ := timed(b, true, "fault", "3000")
		figures(b, map[string]float64{"us/exception": fault / 1e3, "stops": fault / stop})
	}
}

// BenchmarkLoad is ADD_PAGES of 256 MiB against SHA-256 of what has to be hashed.
func BenchmarkLoad(b *testing.B) {
	const mib = 256
	for b.Loop() {
		_, before := timed(b, true, "beside", strconv.Itoa(mib))
		hash := hashTime(mib << 20 / 4096)
		load, _ := timed(b, true, "load", strconv.Itoa(mib))
		for range 4 { // the least disturbed of five
			again, _ := timed(b, true, "load", strconv.Itoa(mib))
			load = min(load, again)
		}
		var other float64
		fmt.Sscanf(before[0], "other thread %f", &other)
		figures(b, map[string]float64{
			"ms": load / 1e6, "sha-share": hash / load, "other-thread": other, "supervisor-MiB": peak(b, "load", strconv.Itoa(mib)),
		})
	}
}

// hashTime is SHA-256 over what MRENCLAVE takes of so many pages, 5,184 bytes each: a
// block for EADD, and for each of sixteen EEXTENDs a block and 256 bytes of the page.
func hashTime(pages int) float64 {
	data := make([]byte, pages*4096)
	for i := range data {
		data[i] = byte(i >> 3)
	}
	var block [64]byte
	h := sha256.New()
	start := time.Now()
	for ; len(data) > 0; data = data[4096:] {
		h.Write(block[:])
		for chunk := 0; chunk < 4096; chunk += 256 {
			h.Write(block[:])
			h.Write(data[chunk : chunk+256])
		}
	}
	return float64(time.Since(start))
}

// peak is the most memory that the supervisor itself held while a bench ran.
func peak(b *testing.B, args ...string) float64 {
	b.Helper()
	dir, _ := testprogs()
	cmd := exec.Command(softsgx, append([]string{"run", "--", filepath.Join(dir, "bench")}, args...)...)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var most float64
	for {
		select {
		case err := <-done:
			if err != nil {
				b.Fatal(err)
			}
			return most / 1024
		case <-time.After(10 * time.Millisecond):
			most = max(most, statusKiB(cmd.Process.Pid, "VmHWM:"))
		}
	}
}

func statusKiB(pid int, field string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, field); ok {
			n, _ := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return n
		}
	}
	return 0
}

// BenchmarkUnrelated is software that has nothing to do with SGX, against itself
// without softsgx.
func BenchmarkUnrelated(b *testing.B) {
	for _, work := range [][2]string{{"getppid", "300000"}, {"stat", "20000"}, {"open", "20000"}, {"forkexec", "300"}} {
		b.Run(work[0], func(b *testing.B) {
			for b.Loop() {
				native, _ := timed(b, false, work[0], work[1])
				ours, _ := timed(b, true, work[0], work[1])
				figures(b, map[string]float64{"us-native": native / 1e3, "us": ours / 1e3, "x": ours / native})
			}
		})
	}
	for name, args := range map[string][]string{
		"find": {"find", "/usr/include", "/usr/share/doc", "-newer", "/etc/passwd"},
		"git":  {"git", "-C", root, "status", "--short"},
	} {
		b.Run(name, func(b *testing.B) {
			need(b, name)
			for b.Loop() {
				native, ours := wall(b, program{args: args}), wall(b, program{args: args}.supervised())
				figures(b, map[string]float64{"ms-native": native * 1e3, "ms": ours * 1e3, "x": ours / native})
			}
		})
	}
}

// wall is the shortest of five runs, in seconds.
func wall(b *testing.B, p program) float64 {
	best := time.Hour
	for range 5 {
		start := time.Now()
		p.run(b)
		best = min(best, time.Since(start))
	}
	return best.Seconds()
}
