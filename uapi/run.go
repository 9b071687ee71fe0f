package uapi

import "encoding/binary"

// Layout of struct sgx_enclave_run, the last argument of
// __vdso_sgx_enter_enclave (Linux 6.1, asm/sgx.h).
const (
	RunTCS                = 0  // u64
	RunFunction           = 8  // u32
	RunExceptionVector    = 12 // u16
	RunExceptionErrorCode = 14 // u16
	RunExceptionAddr      = 16 // u64
	RunUserHandler        = 24 // u64
	RunUserData           = 32 // u64
	RunReserved           = 40 // zero up to RunSize, checked in 8-byte steps

	RunSize = 256
)

// EnclaveRun is struct sgx_enclave_run (Linux 6.1, asm/sgx.h).
type EnclaveRun struct {
	TCS                uint64
	Function           uint32 // EENTER, ERESUME or EEXIT
	ExceptionVector    uint16
	ExceptionErrorCode uint16
	ExceptionAddr      uint64
	UserHandler        UserPtr
	UserData           uint64
	Reserved           [RunSize - RunReserved]byte
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (r *EnclaveRun) UnmarshalBinary(b []byte) error {
	if len(b) != RunSize {
		return &LengthError{Struct: "sgx_enclave_run", Got: len(b), Want: RunSize}
	}
	le := binary.LittleEndian
	r.TCS = le.Uint64(b[RunTCS:])
	r.Function = le.Uint32(b[RunFunction:])
	r.ExceptionVector = le.Uint16(b[RunExceptionVector:])
	r.ExceptionErrorCode = le.Uint16(b[RunExceptionErrorCode:])
	r.ExceptionAddr = le.Uint64(b[RunExceptionAddr:])
	r.UserHandler = UserPtr(le.Uint64(b[RunUserHandler:]))
	r.UserData = le.Uint64(b[RunUserData:])
	copy(r.Reserved[:], b[RunReserved:])
	return nil
}

// AppendBinary implements encoding.BinaryAppender.
func (r *EnclaveRun) AppendBinary(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	b = le.AppendUint64(b, r.TCS)
	b = le.AppendUint32(b, r.Function)
	b = le.AppendUint16(b, r.ExceptionVector)
	b = le.AppendUint16(b, r.ExceptionErrorCode)
	b = le.AppendUint64(b, r.ExceptionAddr)
	b = le.AppendUint64(b, uint64(r.UserHandler))
	b = le.AppendUint64(b, r.UserData)
	return append(b, r.Reserved[:]...), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (r *EnclaveRun) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }
