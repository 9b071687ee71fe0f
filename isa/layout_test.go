package isa

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"
)

// field is a row of a layout table in the reference. The empty name is a
// reserved area.
type field struct {
	off, size int
	name      string
}

// layouts are the tables of the reference, section 1, row by row.
var layouts = []struct {
	section string
	new     func() structure
	fields  []field
}{
	{"1.1 SECS", func() structure { return new(SECS) }, []field{
		{0, 8, "SIZE"}, {8, 8, "BASEADDR"}, {16, 4, "SSAFRAMESIZE"}, {20, 4, "MISCSELECT"},
		{24, 8, "CET_LEG_BITMAP_OFFSET"}, {32, 1, "CET_ATTRIBUTES"}, {33, 15, ""}, {48, 16, "ATTRIBUTES"},
		{64, 32, "MRENCLAVE"}, {96, 32, ""}, {128, 32, "MRSIGNER"}, {160, 32, ""}, {192, 64, "CONFIGID"},
		{256, 2, "ISVPRODID"}, {258, 2, "ISVSVN"}, {260, 2, "CONFIGSVN"}, {262, 3834, ""},
	}},
	{"1.4 TCS", func() structure { return new(TCS) }, []field{
		{0, 8, "STATE"}, {8, 8, "FLAGS"}, {16, 8, "OSSA"}, {24, 4, "CSSA"}, {28, 4, "NSSA"}, {32, 8, "OENTRY"},
		{40, 8, "AEP"}, {48, 8, "OFSBASE"}, {56, 8, "OGSBASE"}, {64, 4, "FSLIMIT"}, {68, 4, "GSLIMIT"},
		{72, 8, ""}, {80, 8, ""}, {88, 4008, ""},
	}},
	{"1.5 GPRSGX", func() structure { return new(GPRSGX) }, []field{
		{0, 8, "RAX"}, {8, 8, "RCX"}, {16, 8, "RDX"}, {24, 8, "RBX"}, {32, 8, "RSP"}, {40, 8, "RBP"},
		{48, 8, "RSI"}, {56, 8, "RDI"}, {64, 8, "R8"}, {72, 8, "R9"}, {80, 8, "R10"}, {88, 8, "R11"},
		{96, 8, "R12"}, {104, 8, "R13"}, {112, 8, "R14"}, {120, 8, "R15"}, {128, 8, "RFLAGS"}, {136, 8, "RIP"},
		{144, 8, "URSP"}, {152, 8, "URBP"}, {160, 4, "EXITINFO"}, {164, 3, "Reserved164"}, {167, 1, "AEXNOTIFY"},
		{168, 8, "FSBASE"}, {176, 8, "GSBASE"},
	}},
	{"1.5 EXINFO", func() structure { return new(EXINFO) }, []field{
		{0, 8, "MADDR"}, {8, 4, "ERRCD"}, {12, 4, "Reserved12"},
	}},
	{"1.7 SECINFO", func() structure { return new(SECINFO) }, []field{{0, 8, "Flags"}, {8, 56, "Reserved"}}},
	{"1.8 PCMD", func() structure { return new(PCMD) }, []field{
		{0, 64, "SECINFO"}, {64, 8, "ENCLAVEID"}, {72, 40, "RESERVED"}, {112, 16, "MAC"},
	}},
	{"1.10 SIGSTRUCT", func() structure { return new(SIGSTRUCT) }, []field{
		{0, 16, "HEADER"}, {16, 4, "VENDOR"}, {20, 4, "DATE"}, {24, 16, "HEADER2"}, {40, 4, "SWDEFINED"},
		{44, 84, "Reserved44"}, {128, 384, "MODULUS"}, {512, 4, "EXPONENT"}, {516, 384, "SIGNATURE"},
		{900, 4, "MISCSELECT"}, {904, 4, "MISCMASK"}, {908, 1, "CET_ATTRIBUTES"}, {909, 1, "CET_ATTRIBUTES_MASK"},
		{910, 2, "Reserved910"}, {912, 16, "ISVFAMILYID"}, {928, 16, "ATTRIBUTES"}, {944, 16, "ATTRIBUTEMASK"},
		{960, 32, "ENCLAVEHASH"}, {992, 16, "Reserved992"}, {1008, 16, "ISVEXTPRODID"}, {1024, 2, "ISVPRODID"},
		{1026, 2, "ISVSVN"}, {1028, 12, "Reserved1028"}, {1040, 384, "Q1"}, {1424, 384, "Q2"},
	}},
	{"1.11 EINITTOKEN", func() structure { return new(EINITTOKEN) }, []field{
		{0, 4, "VALID"}, {4, 44, "Reserved4"}, {48, 16, "ATTRIBUTES"}, {64, 32, "MRENCLAVE"}, {96, 32, "Reserved96"},
		{128, 32, "MRSIGNER"}, {160, 32, "Reserved160"}, {192, 16, "CPUSVNLE"}, {208, 2, "ISVPRODIDLE"},
		{210, 2, "ISVSVNLE"}, {212, 24, "Reserved212"}, {236, 4, "MASKEDMISCSELECTLE"},
		{240, 16, "MASKEDATTRIBUTESLE"}, {256, 32, "KEYID"}, {288, 16, "MAC"},
	}},
	{"1.12 REPORT", func() structure { return new(REPORT) }, []field{
		{0, 16, "CPUSVN"}, {16, 4, "MISCSELECT"}, {20, 1, "CET_ATTRIBUTES"}, {21, 11, ""}, {32, 16, "ISVEXTPRODID"},
		{48, 16, "ATTRIBUTES"}, {64, 32, "MRENCLAVE"}, {96, 32, ""}, {128, 32, "MRSIGNER"}, {160, 32, ""},
		{192, 64, "CONFIGID"}, {256, 2, "ISVPRODID"}, {258, 2, "ISVSVN"}, {260, 2, "CONFIGSVN"}, {262, 42, ""},
		{304, 16, "ISVFAMILYID"}, {320, 64, "REPORTDATA"}, {384, 32, "KEYID"}, {416, 16, "MAC"},
	}},
	{"1.13 TARGETINFO", func() structure { return new(TARGETINFO) }, []field{
		{0, 32, "MEASUREMENT"}, {32, 16, "ATTRIBUTES"}, {48, 1, "CET_ATTRIBUTES"}, {49, 1, ""}, {50, 2, "CONFIGSVN"},
		{52, 4, "MISCSELECT"}, {56, 8, ""}, {64, 64, "CONFIGID"}, {128, 384, ""},
	}},
	{"1.14 KEYREQUEST", func() structure { return new(KEYREQUEST) }, []field{
		{0, 2, "KEYNAME"}, {2, 2, "KEYPOLICY"}, {4, 2, "ISVSVN"}, {6, 1, "CET_ATTRIBUTES_MASK"}, {7, 1, ""},
		{8, 16, "CPUSVN"}, {24, 16, "ATTRIBUTEMASK"}, {40, 32, "KEYID"}, {72, 4, "MISCMASK"}, {76, 2, "CONFIGSVN"},
		{78, 434, ""},
	}},
}

func TestLayout(t *testing.T) {
	for _, l := range layouts {
		end := 0
		for _, f := range l.fields {
			name := f.name
			if name == "" {
				name = "reserved"
			}
			t.Run("isa "+l.section+" "+name, func(t *testing.T) {
				if f.off != end {
					t.Fatalf("the table jumps from %d to %d", end, f.off)
				}
				end += f.size
				checkField(t, l.new, f)
			})
		}
		if b, _ := l.new().MarshalBinary(); len(b) != end {
			t.Errorf("%s ends at %d, its table at %d", l.section, len(b), end)
		}
	}
}

// checkField sets the bytes of one field and looks where they arrive.
func checkField(t *testing.T, make func() structure, f field) {
	x := make()
	b, err := x.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.size {
		b[f.off+i] = byte(i + 1)
	}
	if err := x.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if f.name == "" {
		checkReservedSet(t, make, f, len(b))
		return
	}
	got, err := binary.Append(nil, binary.LittleEndian, reflect.ValueOf(x).Elem().FieldByName(f.name).Interface())
	if err != nil {
		t.Fatal(err)
	}
	if want := b[f.off : f.off+f.size]; !bytes.Equal(got, want) {
		t.Errorf("field holds %x, want %x", got, want)
	}
	if out, _ := x.MarshalBinary(); !bytes.Equal(out, b) {
		t.Errorf("written elsewhere than read")
	}
}

// checkReservedSet sets the bytes of a reserved area one by one.
func checkReservedSet(t *testing.T, make func() structure, f field, size int) {
	for i := f.off; i < f.off+f.size; i++ {
		b := bytes.Repeat([]byte{0}, size)
		b[i] = 0x80
		x := make()
		if err := x.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if x.(interface{ ReservedZero() bool }).ReservedZero() {
			t.Fatalf("byte %d is set, yet ReservedZero", i)
		}
	}
}

// TestReservedZero sets one byte in a structure of zeros.
func TestReservedZero(t *testing.T) {
	rows := []struct {
		name string
		x    structure
		at   int
		bits byte
		want bool
	}{
		{"isa 33 SECINFO byte 63", new(SECINFO), 63, 1, false},
		{"isa 34 SECINFO bit 6", new(SECINFO), 0, 1 << 6, false},
		{"isa 1.7 SECINFO bit 7", new(SECINFO), 0, 1 << 7, false},
		{"isa 1.7 SECINFO bit 16", new(SECINFO), 2, 1, false},
		{"isa 1.7 SECINFO bits 5:0", new(SECINFO), 0, 0x3F, true},
		{"isa 1.7 SECINFO type", new(SECINFO), 1, 0xFF, true},
		{"isa 60 SECS byte 40", new(SECS), 40, 1, false},
		{"isa 61 SECS byte 300", new(SECS), 300, 1, false},
		{"isa 1.1 SECS CET_LEG_BITMAP_OFFSET", new(SECS), 24, 1, false},
		{"isa 1.1 SECS CET_ATTRIBUTES", new(SECS), 32, 1, false},
		{"isa 1.1 SECS MRENCLAVE", new(SECS), 64, 1, true},
		{"isa 90 TCS byte 100", new(TCS), 100, 1, false},
		{"isa 91 TCS byte 4095", new(TCS), 4095, 1, false},
		{"isa 95 TCS FLAGS bit 5", new(TCS), 8, 1 << 5, true},
		{"isa 131 SIGSTRUCT byte 50", new(SIGSTRUCT), 50, 1, false},
		{"isa 132 SIGSTRUCT byte 1000", new(SIGSTRUCT), 1000, 1, false},
		{"isa 133 SIGSTRUCT byte 1030", new(SIGSTRUCT), 1030, 1, false},
		{"isa 1.10 SIGSTRUCT byte 908", new(SIGSTRUCT), 908, 1, false},
		{"isa 1.10 SIGSTRUCT byte 909", new(SIGSTRUCT), 909, 1, false},
		{"isa 1.10 SIGSTRUCT byte 910", new(SIGSTRUCT), 910, 1, false},
		{"isa 134 SIGSTRUCT SWDEFINED", new(SIGSTRUCT), 40, 1, true},
		{"isa 158 EINITTOKEN byte 10", new(EINITTOKEN), 10, 1, false},
		{"isa 159 EINITTOKEN VALID 3", new(EINITTOKEN), 0, 3, false},
		{"isa 1.11 EINITTOKEN VALID 1", new(EINITTOKEN), 0, 1, true},
		{"isa 1.11 EINITTOKEN byte 96", new(EINITTOKEN), 96, 1, false},
		{"isa 1.11 EINITTOKEN byte 160", new(EINITTOKEN), 160, 1, false},
		{"isa 1.11 EINITTOKEN byte 212", new(EINITTOKEN), 212, 1, false},
		{"isa 369 TARGETINFO byte 200", new(TARGETINFO), 200, 1, false},
		{"isa 370 TARGETINFO byte 49", new(TARGETINFO), 49, 1, false},
		{"isa 1.13 TARGETINFO CET_ATTRIBUTES", new(TARGETINFO), 48, 1, false},
		{"isa 1.13 TARGETINFO CONFIGSVN", new(TARGETINFO), 50, 1, true},
		{"isa 381 KEYREQUEST byte 100", new(KEYREQUEST), 100, 1, false},
		{"isa 382 KEYREQUEST KEYPOLICY bit 6", new(KEYREQUEST), 2, 1 << 6, false},
		{"isa 1.14 KEYREQUEST KEYPOLICY bit 8", new(KEYREQUEST), 3, 1, false},
		{"isa 1.14 KEYREQUEST KEYPOLICY 3FH", new(KEYREQUEST), 2, 0x3F, true},
		{"isa 1.14 KEYREQUEST byte 6", new(KEYREQUEST), 6, 1, false},
		{"isa 385 KEYREQUEST KEYNAME 5", new(KEYREQUEST), 0, 5, true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			b, _ := r.x.MarshalBinary()
			b[r.at] = r.bits
			if err := r.x.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			if got := r.x.(interface{ ReservedZero() bool }).ReservedZero(); got != r.want {
				t.Errorf("ReservedZero = %v, want %v", got, r.want)
			}
		})
	}
}

func TestMACHEADERLayout(t *testing.T) {
	m := MACHEADER{EID: 0x0102030405060708, LINADDR: 0x1112131415161718}
	m.SECINFO.Flags = 0x203
	m.SECINFO.Reserved[55] = 0x55
	m.RSVD[0], m.RSVD[39] = 0x66, 0x77
	b := m.Bytes()
	want := make([]byte, 128)
	binary.LittleEndian.PutUint64(want[0:], m.EID)
	binary.LittleEndian.PutUint64(want[8:], uint64(m.LINADDR))
	want[16], want[17], want[79], want[80], want[119] = 3, 2, 0x55, 0x66, 0x77
	if !bytes.Equal(b[:], want) {
		t.Errorf("isa 1.8 MACHEADER\n%x\n%x", b, want)
	}
}

// TestFieldOffsets checks the offsets that others use to write one field.
func TestFieldOffsets(t *testing.T) {
	for _, r := range []struct {
		name string
		x    structure
		off  int
	}{
		{"STATE", &TCS{STATE: 1}, TCSOffsetSTATE},
		{"FLAGS", &TCS{FLAGS: 1}, TCSOffsetFLAGS},
		{"OSSA", &TCS{OSSA: 1}, TCSOffsetOSSA},
		{"CSSA", &TCS{CSSA: 1}, TCSOffsetCSSA},
		{"AEP", &TCS{AEP: 1}, TCSOffsetAEP},
		{"AEXNOTIFY", &GPRSGX{AEXNOTIFY: GPRSGX_AEXNOTIFY}, GPRSGXOffsetAEXNOTIFY},
	} {
		t.Run(r.name, func(t *testing.T) {
			if b, _ := r.x.MarshalBinary(); bytes.IndexByte(b, 1) != r.off {
				t.Errorf("at %d, want %d", bytes.IndexByte(b, 1), r.off)
			}
		})
	}
}
