package sgxcrypto

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"softsgx/isa"
)

// ChunkSize is how much of a page one EEXTEND measures.
const ChunkSize = 256

const blockSize = 64

// Tags that begin a block of the measurement.
const (
	tagECREATE = "ECREATE\x00"
	tagEADD    = "EADD\x00\x00\x00\x00"
	tagEEXTEND = "EEXTEND\x00"
)

// Measurement is MRENCLAVE while it grows (SDM vol. 3D, "ECREATE", "EADD",
// "EEXTEND", "EINIT"). It is not safe for concurrent use.
type Measurement struct {
	h     hash.Cloner
	block [blockSize]byte
}

// NewMeasurement begins a measurement as ECREATE does.
func NewMeasurement(ssaFrameSize uint32, size uint64) *Measurement {
	m := &Measurement{h: sha256.New().(hash.Cloner)}
	m.begin(tagECREATE)
	binary.LittleEndian.PutUint32(m.block[8:], ssaFrameSize)
	binary.LittleEndian.PutUint64(m.block[12:], size)
	m.h.Write(m.block[:])
	return m
}

// EADD measures the addition of the page at offset in the enclave. The SECINFO
// is the one that EADD put in the EPCM.
func (m *Measurement) EADD(offset uint64, si *isa.SECINFO) {
	m.begin(tagEADD)
	binary.LittleEndian.PutUint64(m.block[8:], offset)
	binary.LittleEndian.PutUint64(m.block[16:], si.Flags)
	copy(m.block[24:], si.Reserved[:])
	m.h.Write(m.block[:])
}

// EEXTEND measures the chunk at offset in the enclave.
func (m *Measurement) EEXTEND(offset uint64, chunk *[ChunkSize]byte) {
	m.begin(tagEEXTEND)
	binary.LittleEndian.PutUint64(m.block[8:], offset)
	m.h.Write(m.block[:])
	m.h.Write(chunk[:])
}

// Sum returns what MRENCLAVE would be if EINIT came now. The measurement may go on.
func (m *Measurement) Sum() [sha256.Size]byte {
	return [sha256.Size]byte(m.h.Sum(nil))
}

// Clone returns a measurement that goes on from here on its own.
func (m *Measurement) Clone() (*Measurement, error) {
	h, err := m.h.Clone()
	if err != nil {
		return nil, fmt.Errorf("sgxcrypto: clone measurement: %w", err)
	}
	return &Measurement{h: h}, nil
}

func (m *Measurement) begin(tag string) {
	m.block = [blockSize]byte{}
	copy(m.block[:], tag)
}
