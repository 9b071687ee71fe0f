package driver

import (
	"crypto/sha256"
	"testing"

	"softsgx/isa"
	"softsgx/sgxcrypto"
	"softsgx/uapi"
)

// A benchmark adds this many bytes.
const benchLength = 64 << 20

// hashedPerPage is how many bytes SHA-256 sees of a measured page: a block for
// EADD, and for each EEXTEND a block and the chunk.
const hashedPerPage = sha256.BlockSize + isa.PageSize/sgxcrypto.ChunkSize*(sha256.BlockSize+sgxcrypto.ChunkSize)

// benchSource is memory without zero pages.
func benchSource(c *fakeCaller) {
	b := c.mmap(1<<32, benchLength).b
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
}

// BenchmarkAddPages64MiB is one measured ADD_PAGES on the real CPU.
// BenchmarkSHA256 is its floor.
func BenchmarkAddPages64MiB(b *testing.B) { benchAddPages(b, uapi.SGX_PAGE_MEASURE) }

// BenchmarkAddPages64MiBUnmeasured leaves the content out of the measurement.
func BenchmarkAddPages64MiBUnmeasured(b *testing.B) { benchAddPages(b, 0) }

func benchAddPages(b *testing.B, flags uint64) {
	b.SetBytes(benchLength)
	secs := newSECS()
	secs.SIZE = 2 * benchLength
	image, err := secs.MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	h := newHardware(b, benchLength/isa.PageSize+100)
	benchSource(h.c)
	data := h.c.find(dataAddr).b
	h.e.Put()
	for b.Loop() {
		b.StopTimer()
		h.e = h.d.Open(h.mem)
		copy(data, image)
		benchIoctl(b, h, uapi.SGX_IOC_ENCLAVE_CREATE, &uapi.EnclaveCreate{Src: dataAddr})
		copy(data, secinfoOperand(isa.NewSECINFO(isa.PT_REG, rw)).Bytes)
		b.StartTimer()
		benchIoctl(b, h, add, &uapi.EnclaveAddPages{Src: 1 << 32, Length: benchLength, SECINFO: dataAddr, Flags: flags})
		b.StopTimer()
		h.e.Put()
		b.StartTimer()
	}
}

func benchIoctl(b *testing.B, h *hardware, cmd uapi.Cmd, a argument) {
	b.Helper()
	image, err := a.MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	copy(h.c.find(argAddr).b, image)
	if err := h.e.Ioctl(h.c, uint32(cmd), argAddr); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSHA256 hashes as many bytes as BenchmarkAddPages64MiB has hashed, in one go. Its throughput is given per byte added.
func BenchmarkSHA256(b *testing.B) {
	b.SetBytes(benchLength)
	buf := make([]byte, 1<<20)
	for b.Loop() {
		x := sha256.New()
		for left := benchLength / isa.PageSize * hashedPerPage; left > 0; left -= len(buf) {
			x.Write(buf[:min(left, len(buf))])
		}
		x.Sum(nil)
	}
}
