package sgxcrypto

import (
	"encoding/hex"
	"testing"

	"softsgx/isa"
)

func TestRootSecrets(t *testing.T) {
	r := NewRootKey(vectorRoot())
	for _, row := range []struct {
		name string
		got  [16]byte
		want string
	}{
		{"isa 6.3 KD", r.labelled(labelDerive), "a61e0e1fde687bd5e076e91487d4ffec"},
		{"isa 6.3 SEAL_FUSES", r.SealFuses(), "784d4de786af6228ba9787e8942e6b5f"},
		{"isa 6.3 paging key", r.labelled(labelPaging), "6c3266e35a2fcaaa956b20dedf7ac3ce"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if hex.EncodeToString(row.got[:]) != row.want {
				t.Errorf("%x, want %s", row.got, row.want)
			}
		})
	}
}

// The masks of the vectors' KEYREQUEST.
var (
	vectorAttributeMask = isa.ATTRIBUTES{Flags: 0xFF0000000000000B}
	vectorMISCMASK      = ^uint32(0xF0000000)
)

func reportKey(mrenclave [32]byte, fuses [16]byte) KeyDependencies {
	return KeyDependencies{
		KEYNAME: isa.KEYNAME_REPORT, ATTRIBUTES: isa.ATTRIBUTES{Flags: 5, XFRM: 3},
		MRENCLAVE: mrenclave, KEYID: repeated(0x33), SEAL_FUSES: fuses,
	}
}

func launchKey(fuses [16]byte) KeyDependencies {
	return KeyDependencies{
		KEYNAME: isa.KEYNAME_EINITTOKEN, ISVSVN: 7, ISVPRODID: 32, ATTRIBUTES: isa.ATTRIBUTES{Flags: 0x21},
		MRSIGNER: repeated(0x44), KEYID: repeated(0x33), SEAL_FUSES: fuses,
	}
}

func TestDeriveKey(t *testing.T) {
	root := NewRootKey(vectorRoot())
	fuses, mrenclave := root.SealFuses(), vectorMRENCLAVE(t)
	// A of the SEAL rows: (FF0000000000000BH | 3) & 05H, XFRM (0 | 0) & 3.
	sealed := isa.ATTRIBUTES{Flags: 0xFF0000000000000B & 0x05}
	provisioned := isa.ATTRIBUTES{Flags: 0xFF0000000000000B & 0x15}
	rows := []struct {
		name string
		deps KeyDependencies
		want string
	}{
		{"isa 405 SEAL by MRSIGNER", KeyDependencies{
			KEYNAME: isa.KEYNAME_SEAL, KEYPOLICY: isa.KEYPOLICY_MRSIGNER, ISVPRODID: 1, ISVSVN: 2,
			ATTRIBUTES: sealed, ATTRIBUTESMASK: vectorAttributeMask, MISCMASK: vectorMISCMASK,
			MRSIGNER: repeated(0x22), SEAL_FUSES: fuses,
		}, "f7670a04865a380e4785b489962178bf"},
		{"isa 405 SEAL by MRENCLAVE", KeyDependencies{
			KEYNAME: isa.KEYNAME_SEAL, KEYPOLICY: isa.KEYPOLICY_MRENCLAVE, ISVPRODID: 1, ISVSVN: 2,
			ATTRIBUTES: sealed, ATTRIBUTESMASK: vectorAttributeMask, MISCMASK: vectorMISCMASK,
			MRENCLAVE: mrenclave, SEAL_FUSES: fuses,
		}, "a2ee48a809a343af67d17ef504828e58"},
		{"isa 405 REPORT", reportKey(mrenclave, fuses), "a250c5ffb4ac718bac256d4863721ace"},
		{"isa 405 EINITTOKEN", launchKey(fuses), "5ed40aa0e8dc447d2e1df303b5330389"},
		{"isa 405 PROVISION", KeyDependencies{
			KEYNAME: isa.KEYNAME_PROVISION, ISVPRODID: 1, ISVSVN: 2,
			ATTRIBUTES: provisioned, ATTRIBUTESMASK: vectorAttributeMask, MISCMASK: vectorMISCMASK,
			MRSIGNER: repeated(0x22),
		}, "3760ef3e37babaae8c8649d0c216a03b"},
		{"isa 405 PROVISION_SEAL", KeyDependencies{
			KEYNAME: isa.KEYNAME_PROVISION_SEAL, ISVPRODID: 1, ISVSVN: 2,
			ATTRIBUTES: provisioned, ATTRIBUTESMASK: vectorAttributeMask, MISCMASK: vectorMISCMASK,
			MRSIGNER: repeated(0x22), SEAL_FUSES: fuses,
		}, "aaaff51ea1c1998b066f48b5a275decb"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got := root.DeriveKey(&r.deps)
			if hex.EncodeToString(got[:]) != r.want {
				t.Errorf("%x, want %s", got, r.want)
			}
		})
	}
}

// TestEveryDependencyCounts sets one field at a time: no two keys are the same.
func TestEveryDependencyCounts(t *testing.T) {
	root := NewRootKey(vectorRoot())
	keys := map[[16]byte]int{root.DeriveKey(new(KeyDependencies)): -1}
	for i, d := range []KeyDependencies{
		{KEYNAME: 1}, {KEYPOLICY: 1}, {ISVSVN: 1}, {ISVPRODID: 1}, {CONFIGSVN: 1}, {CET_ATTRIBUTES: 1},
		{CET_ATTRIBUTES_MASK: 1}, {MISCSELECT: 1}, {MISCMASK: 1}, {OWNEREPOCH: [16]byte{15: 1}},
		{ATTRIBUTES: isa.ATTRIBUTES{Flags: 1}}, {ATTRIBUTES: isa.ATTRIBUTES{XFRM: 1}},
		{ATTRIBUTESMASK: isa.ATTRIBUTES{Flags: 1}}, {ATTRIBUTESMASK: isa.ATTRIBUTES{XFRM: 1}},
		{CPUSVN: [16]byte{15: 1}}, {ISVFAMILYID: [16]byte{15: 1}}, {ISVEXTPRODID: [16]byte{15: 1}},
		{MRENCLAVE: [32]byte{31: 1}}, {MRSIGNER: [32]byte{31: 1}}, {KEYID: [32]byte{31: 1}},
		{SEAL_FUSES: [16]byte{15: 1}}, {CONFIGID: [64]byte{63: 1}},
	} {
		k := root.DeriveKey(&d)
		if other, ok := keys[k]; ok {
			t.Errorf("rows %d and %d have the same key", other, i)
		}
		keys[k] = i
	}
}

func TestReportMAC(t *testing.T) {
	t.Run("isa 6.4", func(t *testing.T) {
		root := NewRootKey(vectorRoot())
		deps := reportKey(vectorMRENCLAVE(t), root.SealFuses())
		report := isa.REPORT{
			ATTRIBUTES: isa.ATTRIBUTES{Flags: 5, XFRM: 3}, MRENCLAVE: vectorMRENCLAVE(t), MRSIGNER: repeated(0x22),
			ISVPRODID: 1, ISVSVN: 2,
		}
		for i := range report.REPORTDATA {
			report.REPORTDATA[i] = 0xAA
		}
		b, err := report.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		mac := CMAC(root.DeriveKey(&deps), b[:isa.REPORTBodySize])
		if hex.EncodeToString(mac[:]) != "16fa73342ea1e1199cb625026dfe63c0" {
			t.Errorf("%x", mac)
		}
	})
}

func TestTokenMAC(t *testing.T) {
	t.Run("isa 6.5", func(t *testing.T) {
		root := NewRootKey(vectorRoot())
		deps := launchKey(root.SealFuses())
		token := isa.EINITTOKEN{
			VALID: isa.EINITTOKEN_VALID, ATTRIBUTES: isa.ATTRIBUTES{Flags: 4, XFRM: 3},
			MRENCLAVE: vectorMRENCLAVE(t), MRSIGNER: repeated(0x22),
		}
		b, err := token.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		mac := CMAC(root.DeriveKey(&deps), b[:isa.EINITTOKENMACSize])
		if hex.EncodeToString(mac[:]) != "9af436e1c547299e0499c7aacfe5fd88" {
			t.Errorf("%x", mac)
		}
	})
}

func BenchmarkDeriveKey(b *testing.B) {
	root := NewRootKey(vectorRoot())
	deps := launchKey(root.SealFuses())
	b.ReportAllocs()
	for b.Loop() {
		root.DeriveKey(&deps)
	}
}
