package mlist

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A child is this test binary again, appending to the list that the variable names.
const (
	childList  = "MLIST_TEST_LIST"
	childName  = "MLIST_TEST_NAME"
	childCount = "MLIST_TEST_COUNT" // entries for each goroutine; 0: until killed
)

const childGoroutines = 8

func TestMain(m *testing.M) {
	if path := os.Getenv(childList); path != "" {
		if err := runChild(path, os.Getenv(childName), os.Getenv(childCount)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runChild appends, and says on its output what was acknowledged.
func runChild(path, name, count string) error {
	limit, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Fprintf(os.Stdout, format, args...)
	}
	say("up\n")
	w, err := Open(path, Options{RotateBytes: 2 << 20, Torn: func(int64, int64) { say("torn\n") }})
	if err != nil {
		return err
	}
	errs := make(chan error, childGoroutines)
	for g := range childGoroutines {
		go func() { errs <- childAppends(w, say, fmt.Sprintf("%s.%d", name, g), limit) }()
	}
	for range childGoroutines {
		if err := <-errs; err != nil {
			return err
		}
	}
	return w.Close()
}

func childAppends(w *Writer, say func(string, ...any), name string, limit int) error {
	filler := strings.Repeat("x", 1000)
	for i := 0; limit == 0 || i < limit; i++ {
		buf := fmt.Sprintf("%s.%d", name, i)
		e, err := NewEntry(10, "event", []byte(buf+" "+filler[:rand.IntN(len(filler))]))
		if err != nil {
			return err
		}
		h, err := w.Append(e)
		if err != nil {
			return err
		}
		say("%s %v\n", buf, h)
	}
	return nil
}

// child is a running child and what it has said.
type child struct {
	cmd  *exec.Cmd
	out  bytes.Buffer
	errs bytes.Buffer
	up   chan struct{} // closed when it is about to open the list
	read chan struct{} // closed when it has said all
}

func startChild(t *testing.T, path, name string, count int) *child {
	t.Helper()
	c := &child{cmd: exec.Command("/proc/self/exe"), up: make(chan struct{}), read: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childList+"="+path, childName+"="+name, childCount+"="+strconv.Itoa(count))
	c.cmd.Stderr = &c.errs
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.read)
		said := bufio.NewReader(out)
		said.ReadString('\n')
		close(c.up)
		io.Copy(&c.out, said)
	}()
	return c
}

// wait returns what the child acknowledged, and how often it cut a torn end.
func (c *child) wait(t *testing.T, acknowledged map[string]Head) (torn int) {
	t.Helper()
	<-c.read
	c.cmd.Wait()
	if c.errs.Len() > 0 {
		t.Fatalf("child: %s", c.errs.String())
	}
	for lines := bufio.NewScanner(&c.out); lines.Scan(); {
		buf, head, ok := strings.Cut(lines.Text(), " ")
		var h Head
		switch {
		case buf == "torn":
			torn++
		case !ok || h.UnmarshalText([]byte(head)) != nil: // the kill cut the line
		default:
			acknowledged[buf] = h
		}
	}
	return torn
}

// checkAcknowledged verifies the list and looks for each entry that was acknowledged.
func checkAcknowledged(t *testing.T, path string, acknowledged map[string]Head) (entries int) {
	t.Helper()
	var heads []Head
	for _, h := range acknowledged {
		heads = append(heads, h)
	}
	there := map[string]bool{}
	for _, buf := range readAll(t, path, heads...) {
		name, _, _ := strings.Cut(buf, " ")
		if there[name] {
			t.Errorf("%s is there twice", name)
		}
		there[name] = true
	}
	for name, h := range acknowledged {
		if !there[name] {
			t.Errorf("%s (%v) was acknowledged and is lost", name, h)
		}
	}
	return len(there)
}

func TestSeveralProcessesShareAList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	const each = 100
	var children []*child
	for i := range 4 {
		children = append(children, startChild(t, path, fmt.Sprint(i), each))
	}
	acknowledged := map[string]Head{}
	for _, c := range children {
		if torn := c.wait(t, acknowledged); torn != 0 {
			t.Errorf("%d torn ends without a crash", torn)
		}
	}
	if n := checkAcknowledged(t, path, acknowledged); n != 4*each*childGoroutines || len(acknowledged) != n {
		t.Errorf("%d entries, %d acknowledged", n, len(acknowledged))
	}
}

// Kill -9 at random moments under load: two processes at a time on one list, each
// killed when chance has it.
func TestKilledWritersLoseNothing(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	path := filepath.Join(t.TempDir(), "list")
	acknowledged, torn, done := map[string]Head{}, 0, 0
	for deadline := time.Now().Add(10 * time.Second); done < rounds && time.Now().Before(deadline); done++ {
		var children [2]*child
		for i := range children {
			children[i] = startChild(t, path, fmt.Sprintf("%d.%d", done, i), 0)
		}
		for _, c := range children {
			<-c.up
			time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
			c.cmd.Process.Kill()
		}
		for _, c := range children {
			torn += c.wait(t, acknowledged)
		}
		if done%50 == 0 && len(acknowledged) > 0 { // as the kill left it
			checkAcknowledged(t, path, acknowledged)
		}
	}
	if len(acknowledged) == 0 {
		t.Fatalf("%d rounds without one append: too little load to show anything", done)
	}
	n := checkAcknowledged(t, path, acknowledged)
	if torn += startChild(t, path, "last", 1).wait(t, acknowledged); checkAcknowledged(t, path, acknowledged) < n {
		t.Error("entries are gone after the last opening")
	}
	full, _ := filepath.Glob(path + ".0*")
	t.Logf("%d rounds, %d kills: %d acknowledged of %d entries in %d files, %d torn ends cut off", done, 2*done, len(acknowledged), n, len(full)+1, torn)
}

func BenchmarkAppend(b *testing.B) {
	for _, goroutines := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			dir := os.Getenv("MLIST_BENCH_DIR") // a disk; the default may be memory
			if dir == "" {
				dir = b.TempDir()
			}
			path := filepath.Join(dir, fmt.Sprintf("bench-%d-%d", goroutines, b.N))
			b.Cleanup(func() { os.Remove(path); os.Remove(HeadFile(path)) })
			w := mustOpen(b, path, Options{})
			_, launch := workedExample(b)
			b.ResetTimer()
			var wg sync.WaitGroup
			for g := range goroutines {
				wg.Go(func() {
					for i := g; i < b.N; i += goroutines {
						if _, err := w.Append(launch); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
