package seccomp

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
)

// run interprets p on one struct seccomp_data. x/net/bpf loads big-endian, the
// kernel loads native words, so the data is laid out word by word.
func run(t *testing.T, p Program, nr, arch uint32, ip uint64, args ...uint64) Action {
	t.Helper()
	words := []uint32{nr, arch, uint32(ip), uint32(ip >> 32)}
	for i := range 6 {
		var a uint64
		if i < len(args) {
			a = args[i]
		}
		words = append(words, uint32(a), uint32(a>>32))
	}
	var data []byte
	for _, w := range words {
		data = binary.BigEndian.AppendUint32(data, w)
	}
	var code []bpf.Instruction
	for _, r := range p {
		code = append(code, r.Disassemble())
	}
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return Action(uint32(v))
}

func TestBase(t *testing.T) {
	const none = ^uint64(0)
	for _, tt := range []struct {
		name string
		scan bool
		nr   uint32
		arch uint32
		args []uint64
		want Action
	}{
		{"getppid", false, 110, archX86_64, nil, Allow},
		{"openat", false, sysOpenat, archX86_64, nil, Trace},
		{"SGX ioctl", false, sysIoctl, archX86_64, []uint64{3, 0x4008A400}, Trace},
		{"SGX ioctl, high bits set", false, sysIoctl, archX86_64, []uint64{3, 0x1_4008A400}, Trace},
		{"TCGETS", false, sysIoctl, archX86_64, []uint64{3, 0x5401}, Allow},
		{"shared file mapping", false, sysMmap, archX86_64, []uint64{0, 4096, 1, mapShared, 5, 0}, Trace},
		{"shared anonymous mapping", false, sysMmap, archX86_64, []uint64{0, 4096, 1, mapShared | mapAnon, none, 0}, Allow},
		{"private text mapping", false, sysMmap, archX86_64, []uint64{0, 4096, 5, 2, 5, 0}, Allow},
		{"private text mapping, scanned", true, sysMmap, archX86_64, []uint64{0, 4096, 5, 2, 5, 0}, Trace},
		{"private data mapping, scanned", true, sysMmap, archX86_64, []uint64{0, 4096, 3, 2, 5, 0}, Allow},
		{"SIGILL handler", false, sysRtSigaction, archX86_64, []uint64{sigill, 1}, Trace},
		{"SIGSEGV handler", false, sysRtSigaction, archX86_64, []uint64{sigsegv, 1}, Trace},
		{"SIGCHLD handler", false, sysRtSigaction, archX86_64, []uint64{17, 1}, Allow},
		{"i386 call", false, 5, archI386, nil, TraceForeign},
		{"x32 call", false, x32Bit | 2, archX86_64, nil, Trace},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Base(tt.scan)
			if err != nil {
				t.Fatal(err)
			}
			if got := run(t, p, tt.nr, tt.arch, 0x1234, tt.args...); got != tt.want {
				t.Errorf("got %#x, want %#x", got, tt.want)
			}
		})
	}
}

func TestDevice(t *testing.T) {
	p, err := Device()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		nr   uint32
		args []uint64
		want Action
	}{
		{"malloc", sysMmap, []uint64{0, 4096, 3, 2 | mapAnon}, Allow},
		{"fixed anonymous", sysMmap, []uint64{0, 4096, 3, 2 | mapAnon | mapFixed}, Trace},
		{"private file", sysMmap, []uint64{0, 4096, 1, 2, 3}, Trace},
		{"munmap", sysMunmap, nil, Trace},
		{"openat is the base filter's", sysOpenat, nil, Allow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := run(t, p, tt.nr, archX86_64, 0, tt.args...); got != tt.want {
				t.Errorf("got %#x, want %#x", got, tt.want)
			}
		})
	}
}

func TestEnclaveBounds(t *testing.T) {
	for _, r := range [][2]uint64{{0, 1 << 28}, {0x7f00_0000_0000, 0x7f00_1000_0000}, {0xf000_0000, 1 << 32}, {0x1_8000_0000, 0x3_0000_0000}} {
		p, err := Enclave(r[0], r[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, ip := range []uint64{0, r[0] - 1, r[0], r[0] + 1, (r[0] + r[1]) / 2, r[1] - 1, r[1], r[1] + 1, 1 << 46} {
			want := Allow
			if ip >= r[0] && ip < r[1] {
				want = Trace
			}
			if got := run(t, p, 39, archX86_64, ip); got != want {
				t.Errorf("[%#x,%#x) ip %#x: got %#x, want %#x", r[0], r[1], ip, got, want)
			}
			if want == Trace {
				want = TraceForeign
			}
			if got := run(t, p, 39, archI386, ip); got != want {
				t.Errorf("[%#x,%#x) ip %#x, 32-bit: got %#x, want %#x", r[0], r[1], ip, got, want)
			}
		}
	}
}
