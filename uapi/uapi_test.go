package uapi

import (
	"bytes"
	"encoding"
	"errors"
	"testing"
)

// arg is what every ioctl structure implements.
type arg interface {
	encoding.BinaryUnmarshaler
	encoding.BinaryMarshaler
	encoding.BinaryAppender
}

func TestCommandNumbers(t *testing.T) {
	rows := []struct {
		name string
		cmd  Cmd
		want uint32
		size int
		arg  arg
	}{
		{"driver 32/create", SGX_IOC_ENCLAVE_CREATE, 0x4008A400, 8, &EnclaveCreate{}},
		{"driver 32/add pages", SGX_IOC_ENCLAVE_ADD_PAGES, 0xC030A401, 48, &EnclaveAddPages{}},
		{"driver 32/init", SGX_IOC_ENCLAVE_INIT, 0x4008A402, 8, &EnclaveInit{}},
		{"driver 32/provision", SGX_IOC_ENCLAVE_PROVISION, 0x4008A403, 8, &EnclaveProvision{}},
		{"driver 32/vepc remove all", SGX_IOC_VEPC_REMOVE_ALL, 0x0000A404, 0, nil},
		{"driver 32/restrict", SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, 0xC028A405, 40, &EnclaveRestrictPermissions{}},
		{"driver 32/modify types", SGX_IOC_ENCLAVE_MODIFY_TYPES, 0xC028A406, 40, &EnclaveModifyTypes{}},
		{"driver 32/remove pages", SGX_IOC_ENCLAVE_REMOVE_PAGES, 0xC018A407, 24, &EnclaveRemovePages{}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if uint32(r.cmd) != r.want {
				t.Errorf("number %#x, want %#x", uint32(r.cmd), r.want)
			}
			if r.cmd.Size() != r.size {
				t.Errorf("size %d, want %d", r.cmd.Size(), r.size)
			}
			if r.arg == nil {
				return
			}
			b, err := r.arg.MarshalBinary()
			if err != nil || len(b) != r.size {
				t.Errorf("MarshalBinary: %d bytes, %v; want %d", len(b), err, r.size)
			}
			if _, ok := cmdNames[r.cmd]; !ok {
				t.Error("no name")
			}
		})
	}
}

func TestFieldOffsets(t *testing.T) {
	rows := []struct {
		name   string
		arg    arg
		offset int // of the byte that is 0x5A
	}{
		{"create src", &EnclaveCreate{Src: 0x5A}, 0},
		{"add src", &EnclaveAddPages{Src: 0x5A}, 0},
		{"add offset", &EnclaveAddPages{Offset: 0x5A}, 8},
		{"add length", &EnclaveAddPages{Length: 0x5A}, 16},
		{"add secinfo", &EnclaveAddPages{SECINFO: 0x5A}, 24},
		{"add flags", &EnclaveAddPages{Flags: 0x5A}, 32},
		{"add count", &EnclaveAddPages{Count: 0x5A}, 40},
		{"init sigstruct", &EnclaveInit{SIGSTRUCT: 0x5A}, 0},
		{"provision fd", &EnclaveProvision{FD: 0x5A}, 0},
		{"restrict permissions", &EnclaveRestrictPermissions{Permissions: 0x5A}, 16},
		{"restrict result", &EnclaveRestrictPermissions{Result: 0x5A}, 24},
		{"restrict count", &EnclaveRestrictPermissions{Count: 0x5A}, 32},
		{"modify type", &EnclaveModifyTypes{PageType: 0x5A}, 16},
		{"modify result", &EnclaveModifyTypes{Result: 0x5A}, 24},
		{"modify count", &EnclaveModifyTypes{Count: 0x5A}, 32},
		{"remove count", &EnclaveRemovePages{Count: 0x5A}, 16},
		{"run tcs", &EnclaveRun{TCS: 0x5A}, RunTCS},
		{"run function", &EnclaveRun{Function: 0x5A}, RunFunction},
		{"run vector", &EnclaveRun{ExceptionVector: 0x5A}, RunExceptionVector},
		{"run error code", &EnclaveRun{ExceptionErrorCode: 0x5A}, RunExceptionErrorCode},
		{"run addr", &EnclaveRun{ExceptionAddr: 0x5A}, RunExceptionAddr},
		{"run handler", &EnclaveRun{UserHandler: 0x5A}, RunUserHandler},
		{"run data", &EnclaveRun{UserData: 0x5A}, RunUserData},
		{"run reserved", &EnclaveRun{Reserved: [RunSize - RunReserved]byte{0x5A}}, RunReserved},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			b, err := r.arg.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.IndexByte(b, 0x5A); got != r.offset {
				t.Errorf("offset %d, want %d", got, r.offset)
			}
		})
	}
}

func TestWrongLength(t *testing.T) {
	for _, a := range structures() {
		var le *LengthError
		if err := a.UnmarshalBinary(make([]byte, 7)); !errors.As(err, &le) {
			t.Errorf("%T: %v, want a LengthError", a, err)
		}
	}
}

func TestNames(t *testing.T) {
	if s := SGX_IOC_ENCLAVE_INIT.String(); s != "SGX_IOC_ENCLAVE_INIT" {
		t.Error(s)
	}
	if s := Cmd(0xA408).String(); s != "ioctl 0x0000a408" {
		t.Error(s)
	}
	if s := EINVAL.Error(); s != "EINVAL" {
		t.Error(s)
	}
	if s := Errno(200).Error(); s != "errno 200" {
		t.Error(s)
	}
}

func structures() []arg {
	return []arg{
		&EnclaveCreate{}, &EnclaveAddPages{}, &EnclaveInit{}, &EnclaveProvision{},
		&EnclaveRestrictPermissions{}, &EnclaveModifyTypes{}, &EnclaveRemovePages{}, &EnclaveRun{},
	}
}

// FuzzStructures holds that parsing loses nothing, for every structure.
func FuzzStructures(f *testing.F) {
	for n := 8; n <= RunSize; n += 8 {
		f.Add(bytes.Repeat([]byte{0xA4}, n))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, a := range structures() {
			if a.UnmarshalBinary(b) != nil {
				continue
			}
			out, err := a.MarshalBinary()
			if err != nil || !bytes.Equal(out, b) {
				t.Errorf("%T: %x became %x, %v", a, b, out, err)
			}
		}
	})
}
