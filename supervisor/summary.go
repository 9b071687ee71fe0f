//go:build linux && amd64

package supervisor

import (
	"softsgx/cpu"
	"softsgx/driver"
	"softsgx/isa"
)

// Summary is what became of one open of the enclave device.
type Summary struct {
	driver.Identity
	ID          uint64
	Initialized bool
	Base        isa.LinAddr
	Size        uint64
	Pages       int // at its end
	Counts
}

// Counts are the passages between the program and one enclave.
type Counts struct {
	EENTER, ERESUME, EEXIT uint64
	AEX                    map[uint8]uint64 // by vector
	Interrupts             uint64           // AEX that the enclave is not told about
}

// passed counts a leaf that entered or left an enclave.
func (t *Thread) passed(leaf isa.Leaf) {
	if leaf == isa.EENTER || leaf == isa.ERESUME {
		v := t.space.find(uint64(t.lp.TCS()))
		if v == nil {
			return
		}
		t.at = v.file
	}
	if t.at == nil {
		return
	}
	switch leaf {
	case isa.EENTER:
		t.at.counts.EENTER++
	case isa.ERESUME:
		t.at.counts.ERESUME++
	case isa.EEXIT:
		t.at.counts.EEXIT++
		t.at = nil
	}
}

// left counts an asynchronous exit.
func (t *Thread) left(ev cpu.Event) {
	f := t.at
	t.at = nil
	switch {
	case f == nil:
	case !ev.Valid:
		f.counts.Interrupts++
	default:
		if f.counts.AEX == nil {
			f.counts.AEX = map[uint8]uint64{}
		}
		f.counts.AEX[ev.Vector]++
	}
}

// summary describes the enclave of the file.
func (f *File) summary() Summary {
	m := Summary{ID: f.enclave.ID(), Pages: f.enclave.Stats().Pages, Counts: f.counts}
	m.Identity, m.Initialized = f.enclave.Identity()
	m.Base, m.Size, _ = f.enclave.Range()
	return m
}
