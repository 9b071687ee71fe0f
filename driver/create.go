package driver

import (
	"fmt"
	"math"
	"math/bits"

	"softsgx/isa"
	"softsgx/uapi"
)

// create is SGX_IOC_ENCLAVE_CREATE (Linux 6.1 sgx/ioctl.c
// sgx_ioc_enclave_create).
func (e *Enclave) create(c Caller, arg uapi.UserPtr) error {
	if created, _ := e.state(); created {
		return uapi.EINVAL
	}
	var a uapi.EnclaveCreate
	if err := copyIn(c, arg, uapi.EnclaveCreateSize, &a); err != nil {
		return err
	}
	image := make([]byte, isa.SECSSize)
	if c.CopyIn(a.Src, image) != nil {
		return uapi.EFAULT
	}
	var secs isa.SECS
	if err := secs.UnmarshalBinary(image); err != nil {
		return err
	}
	if bits.OnesCount64(secs.SIZE) != 1 {
		return uapi.EINVAL
	}
	if h := e.d.cfg.Hooks; h != nil {
		if err := h.EnclaveCreate(&CreateEvent{Enclave: e, Caller: c, SECS: &secs}); err != nil {
			return denied(err)
		}
	}
	return e.build(&secs, image)
}

// build makes the enclave whose SECS is given (Linux 6.1 sgx/ioctl.c
// sgx_encl_create). After a failure the enclave is EMPTY again.
func (e *Enclave) build(secs *isa.SECS, image []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.grow(); err != nil {
		return err
	}
	if err := e.ecreate(secs, image); err != nil {
		e.shrink(true)
		return err
	}
	e.created = true
	e.base, e.size = secs.BASEADDR, secs.SIZE
	e.pages = table{}
	e.attributes = secs.ATTRIBUTES.Flags
	e.permitted = e.d.platform.permitted // a grant made before is lost
	return nil
}

// ecreate makes the SECS and gives it memory. Linux sets the backing file up
// before ECREATE; here the memory comes after, so that it sees only ranges that
// ECREATE found legal.
func (e *Enclave) ecreate(secs *isa.SECS, image []byte) error {
	if !backable(secs.SIZE) {
		return uapi.EINVAL
	}
	p, err := e.d.epc.alloc()
	if err != nil {
		return err
	}
	pi := isa.PAGEINFO{
		Addr:    kernelBuffer,
		SRCPGE:  operand(image),
		SECINFO: secinfoOperand(isa.NewSECINFO(isa.PT_SECS, 0)),
	}
	if err := e.d.cfg.CPU.ECREATE(&pi, p.addr(), e.mem); err != nil {
		e.d.epc.release(p)
		return refused(isa.ECREATE, err)
	}
	if err := e.mem.Map(secs.BASEADDR, secs.SIZE); err != nil {
		e.d.epc.release(p)
		return fmt.Errorf("memory of the enclave: %w: %w", err, errnoOf(err, uapi.ENOMEM))
	}
	e.secs = p
	return nil
}

// backable reports whether shmem takes a backing file for an enclave of that
// size: its pages, the SECS and 1/32 more for PCMD (Linux 6.1 sgx/ioctl.c
// sgx_encl_create, mm/shmem.c).
func backable(size uint64) bool {
	const maxFile = math.MaxInt64 // MAX_LFS_FILESIZE
	file := size + isa.PageSize
	return file <= maxFile && file+file>>5 <= maxFile
}
