package sgxcrypto

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"

	"softsgx/isa"
)

const pageChunks = isa.PageSize / ChunkSize

func secinfo(t isa.PageType, rwx isa.Access) *isa.SECINFO {
	si := isa.NewSECINFO(t, rwx)
	return &si
}

// extend measures all of a page.
func extend(m *Measurement, off uint64, page []byte) {
	for o := 0; o < isa.PageSize; o += ChunkSize {
		m.EEXTEND(off+uint64(o), (*[ChunkSize]byte)(page[o:]))
	}
}

func onePage(rwx isa.Access, chunks int) *Measurement {
	m := NewMeasurement(1, 0x2000)
	m.EADD(0, secinfo(isa.PT_REG, rwx))
	for i := range chunks {
		m.EEXTEND(uint64(i)*ChunkSize, new([ChunkSize]byte))
	}
	return m
}

func threePages(t *testing.T) *Measurement {
	t.Helper()
	tcs := isa.TCS{OSSA: 0x2000, NSSA: 1, OENTRY: 0x1000, FSLIMIT: 0xFFFFFFFF, GSLIMIT: 0xFFFFFFFF}
	page, err := tcs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	code := make([]byte, isa.PageSize)
	copy(code, []byte{0x0F, 0x01, 0xD7})
	m := NewMeasurement(1, 0x4000)
	m.EADD(0, secinfo(isa.PT_TCS, 0))
	extend(m, 0, page)
	m.EADD(0x1000, secinfo(isa.PT_REG, isa.Read|isa.Exec))
	extend(m, 0x1000, code)
	m.EADD(0x2000, secinfo(isa.PT_REG, isa.Read|isa.Write))
	extend(m, 0x2000, make([]byte, isa.PageSize))
	return m
}

func TestMeasurement(t *testing.T) {
	const rx, rw = isa.Read | isa.Exec, isa.Read | isa.Write
	rows := []struct {
		name string
		m    *Measurement
		want string
	}{
		{"isa 5.4 ECREATE", NewMeasurement(1, 0x2000), "9e197c8837c6d65632dbdd59cd7df4f1a25b68d8e4e5eb6ca3b20b05311fecb8"},
		{"isa 114 EADD without EEXTEND", onePage(rx, 0), "3f99cac3ea1b17cb29333f4129e9a658ff85bd679f90fdc4fd92a5e9136f59f2"},
		{"isa 5.4 chunk 0", onePage(rx, 1), "34cbe64747552cbb381d15a3278cb2ac796827a622dd1a98a09f47ae42e3d117"},
		{"isa 5.4 chunk 1", onePage(rx, 2), "ba5b6b5e7ab4b26613b90cb608cdf956d032e038d1cfaab26bca01ce682b19c2"},
		{"isa 113 all chunks", onePage(rx, pageChunks), exampleMRENCLAVE},
		{"isa 115 RW- page", onePage(rw, pageChunks), "1f2cf80bd03ffd8bfac33f7cba128aff511c3af666b93bb66e7ef718418bdade"},
		{"isa 116 three pages", threePages(t), "a4d5d7478ae34682e318dc82a0e00a6f0520e0b5ec570f2c1024fb47ec9b3651"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got := r.m.Sum()
			if hex.EncodeToString(got[:]) != r.want {
				t.Errorf("%x, want %s", got, r.want)
			}
		})
	}
}

func TestChunkOrder(t *testing.T) {
	whole := onePage(isa.Read, pageChunks).Sum()
	t.Run("isa 111 same chunk twice", func(t *testing.T) {
		m := onePage(isa.Read, pageChunks)
		m.EEXTEND(0, new([ChunkSize]byte))
		if m.Sum() == whole {
			t.Error("same MRENCLAVE")
		}
	})
	t.Run("isa 112 reverse order", func(t *testing.T) {
		m := onePage(isa.Read, 0)
		for i := range pageChunks {
			m.EEXTEND(uint64(pageChunks-1-i)*ChunkSize, new([ChunkSize]byte))
		}
		if m.Sum() == whole {
			t.Error("same MRENCLAVE")
		}
	})
}

// TestBlocks compares with SHA-256 over the blocks written out.
func TestBlocks(t *testing.T) {
	t.Run("isa 110 chunk offset and SECINFO bytes", func(t *testing.T) {
		si := secinfo(isa.PT_REG, isa.Read)
		si.Reserved[39], si.Reserved[40] = 0x77, 0x88 // only the first 48 bytes count
		chunk := [ChunkSize]byte{1, 2, 3}
		m := NewMeasurement(2, 0x8000)
		m.EADD(0x3000, si)
		m.EEXTEND(0x3F00, &chunk)

		ecreate := slices.Concat([]byte("ECREATE\x00\x02\x00\x00\x00\x00\x80"), make([]byte, 50))
		eadd := slices.Concat([]byte("EADD\x00\x00\x00\x00\x00\x30\x00\x00\x00\x00\x00\x00\x01\x02"), make([]byte, 45), []byte{0x77})
		eextend := slices.Concat([]byte("EEXTEND\x00\x00\x3F"), make([]byte, 54))
		if want := sha256.Sum256(slices.Concat(ecreate, eadd, eextend, chunk[:])); m.Sum() != want {
			t.Errorf("%x, want %x", m.Sum(), want)
		}
	})
}

func TestMeasurementGoesOnAfterSum(t *testing.T) {
	t.Run("isa 167", func(t *testing.T) {
		m := onePage(isa.Read|isa.Exec, 1)
		m.Sum()
		for i := 1; i < pageChunks; i++ {
			m.EEXTEND(uint64(i)*ChunkSize, new([ChunkSize]byte))
		}
		if m.Sum() != vectorMRENCLAVE(t) {
			t.Errorf("%x", m.Sum())
		}
	})
}

func TestClone(t *testing.T) {
	m := onePage(isa.Read, 3)
	before := m.Sum()
	c, err := m.Clone()
	if err != nil {
		t.Fatal(err)
	}
	c.EEXTEND(0, new([ChunkSize]byte))
	if m.Sum() != before || c.Sum() == before {
		t.Error("the clone is not on its own")
	}
	m.EEXTEND(0, new([ChunkSize]byte))
	if m.Sum() != c.Sum() {
		t.Error("the clone did not begin where the original was")
	}
}

func BenchmarkMeasurePage(b *testing.B) {
	m := NewMeasurement(1, 1<<30)
	page := make([]byte, isa.PageSize)
	si := secinfo(isa.PT_REG, isa.Read)
	b.SetBytes(isa.PageSize)
	b.ReportAllocs()
	for b.Loop() {
		m.EADD(0, si)
		extend(m, 0, page)
	}
}
