package cpu

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"sync"
	"testing"

	"softsgx/isa"
	"softsgx/sgxcrypto"
)

type sgxMeasurement = sgxcrypto.Measurement

var errDead = errors.New("dead")

// signer returns a key; the same one every time.
var signer = sync.OnceValue(func() *rsa.PrivateKey {
	var seed [32]byte
	key, err := sgxcrypto.GenerateKey(mrand.NewChaCha8(seed))
	if err != nil {
		panic(err)
	}
	return key
})

// einitCall is a valid EINIT that a test spoils: first the fields, then the
// signed bytes, then the token.
type einitCall struct {
	*enclave
	sig      isa.SIGSTRUCT
	raw      []byte
	rbx, rdx uint64
	rcx      isa.EPCAddr
	token    isa.EINITTOKEN
}

func newEINIT(t *testing.T, cfg Config, p plan) *einitCall {
	t.Helper()
	p.cold = true
	e := newRig(t, cfg).newEnclave(p)
	s := e.state()
	x := &einitCall{enclave: e, rbx: kernel, rdx: kernel, rcx: e.secs}
	x.sig = isa.SIGSTRUCT{
		HEADER: isa.SIGSTRUCT_HEADER, HEADER2: isa.SIGSTRUCT_HEADER2, DATE: 0x20240102,
		MISCSELECT: s.MISCSELECT, MISCMASK: ^uint32(0),
		ATTRIBUTES: s.ATTRIBUTES, ATTRIBUTEMASK: isa.ATTRIBUTES{Flags: ^uint64(0), XFRM: ^uint64(0)},
		ENCLAVEHASH: s.measurement.Sum(), ISVPRODID: 3, ISVSVN: 4,
	}
	return x
}

// sign signs the fields and makes the bytes of SIGSTRUCT.
func (x *einitCall) sign() {
	x.t.Helper()
	must(x.t, sgxcrypto.SignSIGSTRUCT(signer(), &x.sig))
	x.raw, _ = x.sig.MarshalBinary()
}

// own makes the signer the owner of launch control.
func (x *einitCall) own() { x.setOwner(sgxcrypto.MRSIGNER(&x.sig.MODULUS)) }

func (x *einitCall) setOwner(h [32]byte) {
	for i := range isa.SGXLEPUBKEYHASHCount {
		must(x.t, x.c.WRMSRLEPubKeyHash(i, binary.LittleEndian.Uint64(h[8*i:])))
	}
}

// do is EINIT, after CheckEINIT, which has to say the same.
func (x *einitCall) do() error {
	x.t.Helper()
	token, _ := x.token.MarshalBinary()
	sig, tok := isa.Operand{Addr: x.rbx, Bytes: x.raw}, isa.Operand{Addr: x.rdx, Bytes: token}
	said := x.c.CheckEINIT(sig, x.rcx, tok)
	err := x.c.EINIT(sig, x.rcx, tok)
	if fmt.Sprint(said) != fmt.Sprint(err) {
		x.t.Errorf("CheckEINIT said %v, EINIT %v", said, err)
	}
	return err
}

// launchOwner is MRSIGNER of the launch enclave that gives out tokens.
var launchOwner = [32]byte{0x44}

// grant makes a valid token of a launch enclave.
func (x *einitCall) grant() {
	s := x.state()
	x.setOwner(launchOwner)
	x.token = isa.EINITTOKEN{
		VALID: 1, ATTRIBUTES: s.ATTRIBUTES, MRENCLAVE: x.sig.ENCLAVEHASH, MRSIGNER: sgxcrypto.MRSIGNER(&x.sig.MODULUS),
		CPUSVNLE: [16]byte{1}, ISVPRODIDLE: 32, ISVSVNLE: 7,
		MASKEDATTRIBUTESLE: isa.ATTRIBUTES{Flags: 0x21}, KEYID: [32]byte{0x33},
	}
	x.seal()
}

// seal makes the token's MAC.
func (x *einitCall) seal() {
	key := x.c.launchKey(&x.token, launchOwner)
	b, _ := x.token.MarshalBinary()
	x.token.MAC = sgxcrypto.CMAC(key, b[:isa.EINITTOKENMACSize])
}

func TestEINIT(t *testing.T) {
	debug := plan{flags: isa.ATTR_DEBUG}
	kss := plan{flags: isa.ATTR_KSS}
	le := plan{flags: isa.ATTR_EINITTOKEN_KEY}
	for _, row := range []struct {
		name   string
		plan   plan
		fields func(*einitCall) // before signing
		bytes  func(*einitCall) // after signing and setting the owner
		want   outcome
	}{
		{name: "isa 119 owner, zero token"},
		{name: "isa 120 SIGSTRUCT misaligned", bytes: func(x *einitCall) { x.rbx += 2048 }, want: gp},
		{name: "isa 121 token misaligned", bytes: func(x *einitCall) { x.rdx += 256 }, want: gp},
		{name: "SECS misaligned", bytes: func(x *einitCall) { x.rcx += 256 }, want: gp},
		{name: "isa 122 SECS outside EPC", bytes: func(x *einitCall) { x.rcx = outsideEPC }, want: epf(outsideEPC)},
		{name: "SECS locked", bytes: func(x *einitCall) { x.holdExclusive(x.secs) }, want: gp},
		{name: "measurement busy", bytes: func(x *einitCall) { x.state().measuring = true }, want: gp},
		{name: "short SIGSTRUCT", bytes: func(x *einitCall) { x.raw = x.raw[:100] }, want: walkpf(kernel)},
		{name: "isa 125 HEADER", bytes: func(x *einitCall) { x.raw[3] ^= 1 }, want: code(1)},
		{name: "isa 126 HEADER2", bytes: func(x *einitCall) { x.raw[30] ^= 1 }, want: code(1)},
		{name: "isa 127 VENDOR 1", fields: func(x *einitCall) { x.sig.VENDOR = 1 }, want: code(1)},
		{name: "isa 128 VENDOR 8086H", fields: func(x *einitCall) { x.sig.VENDOR = 0x8086 }},
		{name: "isa 129 DATE 070A07E3H", fields: func(x *einitCall) { x.sig.DATE = 0x070A07E3 }},
		{name: "isa 129 DATE 0", fields: func(x *einitCall) { x.sig.DATE = 0 }},
		{name: "isa 130 EXPONENT 65537", bytes: func(x *einitCall) { put32(x.raw, 512, 65537) }, want: code(1)},
		{name: "isa 131 reserved byte 50", bytes: func(x *einitCall) { x.raw[50] = 1 }, want: code(1)},
		{name: "isa 132 reserved byte 1000", bytes: func(x *einitCall) { x.raw[1000] = 1 }, want: code(1)},
		{name: "isa 133 reserved byte 1030", bytes: func(x *einitCall) { x.raw[1030] = 1 }, want: code(1)},
		{name: "isa 134 SWDEFINED", fields: func(x *einitCall) { x.sig.SWDEFINED = 5 }},
		{name: "isa 135 SIGNATURE", bytes: func(x *einitCall) { x.raw[600] ^= 1 }, want: code(8)},
		{name: "isa 136 Q1", bytes: func(x *einitCall) { x.raw[1100] ^= 1 }, want: code(8)},
		{name: "isa 137 Q2", bytes: func(x *einitCall) { x.raw[1500] ^= 1 }, want: code(8)},
		{name: "isa 138 MODULUS", bytes: func(x *einitCall) { x.raw[200] ^= 1 }, want: code(8)},
		{name: "isa 140 bad signature and bad HEADER",
			bytes: func(x *einitCall) { x.raw[600] ^= 1; x.raw[0] ^= 1 }, want: code(1)},
		{name: "isa 141 ISVFAMILYID without KSS", fields: func(x *einitCall) { x.sig.ISVFAMILYID[0] = 1 }, want: code(1)},
		{name: "ISVEXTPRODID without KSS", fields: func(x *einitCall) { x.sig.ISVEXTPRODID[0] = 1 }, want: code(1)},
		{name: "isa 142 ISVFAMILYID with KSS", plan: kss,
			fields: func(x *einitCall) { x.sig.ISVFAMILYID[0] = 1; x.sig.ISVEXTPRODID[0] = 2 }},
		{name: "isa 143 ENCLAVEHASH", fields: func(x *einitCall) { x.sig.ENCLAVEHASH[0] ^= 1 }, want: code(4)},
		{name: "isa 144 ENCLAVEHASH and ATTRIBUTES", fields: func(x *einitCall) {
			x.sig.ENCLAVEHASH[0] ^= 1
			x.sig.ATTRIBUTES.Flags ^= isa.ATTR_DEBUG
		}, want: code(4)},
		{name: "isa 145 EINITTOKEN_KEY, other owner", plan: le,
			bytes: func(x *einitCall) { x.setOwner(launchOwner) }, want: code(2)},
		{name: "isa 146 EINITTOKEN_KEY, owner", plan: le},
		{name: "isa 147 PROVISIONKEY with token", plan: plan{flags: isa.ATTR_PROVISIONKEY}, bytes: (*einitCall).grant},
		{name: "isa 148 DEBUG differs under mask", plan: debug,
			fields: func(x *einitCall) { x.sig.ATTRIBUTES.Flags &^= isa.ATTR_DEBUG }, want: code(2)},
		{name: "isa 149 DEBUG differs outside mask", plan: debug, fields: func(x *einitCall) {
			x.sig.ATTRIBUTES.Flags &^= isa.ATTR_DEBUG
			x.sig.ATTRIBUTEMASK.Flags &^= isa.ATTR_DEBUG
		}},
		{name: "isa 150 XFRM differs under mask", fields: func(x *einitCall) { x.sig.ATTRIBUTES.XFRM = 3 }, want: code(2)},
		{name: "isa 151 reserved mask bits 0",
			fields: func(x *einitCall) { x.sig.ATTRIBUTEMASK.Flags = 0xFF00FFFFFFFFFFFF }},
		{name: "isa 152 MISCSELECT differs under mask", fields: func(x *einitCall) { x.sig.MISCSELECT = 1 }, want: code(2)},
		{name: "isa 153 MISCSELECT differs, mask 0",
			fields: func(x *einitCall) { x.sig.MISCSELECT, x.sig.MISCMASK = 1, 0 }},
		{name: "isa 154 no token, other owner", bytes: func(x *einitCall) { x.setOwner(launchOwner) }, want: code(16)},
		{name: "isa 155 garbage in an invalid token", bytes: func(x *einitCall) {
			x.token.Reserved4[3] = 9
			x.token.VALID = 0xF0
			x.token.CPUSVNLE[0] = 99
		}},
		{name: "isa 156 token", bytes: (*einitCall).grant},
		{name: "isa 157 token MAC", bytes: func(x *einitCall) { x.grant(); x.token.MAC[0] ^= 1 }, want: code(16)},
		{name: "isa 158 token reserved byte 10",
			bytes: func(x *einitCall) { x.grant(); x.token.Reserved4[6] = 1; x.seal() }, want: code(16)},
		{name: "isa 159 token VALID 3", bytes: func(x *einitCall) { x.grant(); x.token.VALID = 3; x.seal() }, want: code(16)},
		{name: "isa 160 token for another MRENCLAVE",
			bytes: func(x *einitCall) { x.grant(); x.token.MRENCLAVE[0] ^= 1; x.seal() }, want: code(4)},
		{name: "isa 161 token for another MRSIGNER",
			bytes: func(x *einitCall) { x.grant(); x.token.MRSIGNER[0] ^= 1; x.seal() }, want: code(4)},
		{name: "isa 162 token ATTRIBUTES with INIT",
			bytes: func(x *einitCall) { x.grant(); x.token.ATTRIBUTES.Flags |= 1; x.seal() }, want: code(2)},
		{name: "isa 163 debug token, production enclave",
			bytes: func(x *einitCall) { x.grant(); x.token.MASKEDATTRIBUTESLE.Flags |= 2; x.seal() }, want: code(16)},
		{name: "debug token, debug enclave", plan: debug,
			bytes: func(x *einitCall) { x.grant(); x.token.MASKEDATTRIBUTESLE.Flags |= 2; x.seal() }},
		{name: "isa 164 CPUSVNLE above current",
			bytes: func(x *einitCall) { x.grant(); x.token.CPUSVNLE[0] = 3; x.seal() }, want: code(32)},
		{name: "isa 165 token KEYID", bytes: func(x *einitCall) { x.grant(); x.token.KEYID[0] ^= 1 }, want: code(16)},
		{name: "isa 166 owner changed since the token",
			bytes: func(x *einitCall) { x.grant(); x.setOwner([32]byte{1}) }, want: code(16)},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newEINIT(t, fullConfig(), row.plan)
			if row.fields != nil {
				row.fields(x)
			}
			x.sign()
			x.own()
			if row.bytes != nil {
				row.bytes(x)
			}
			before := x.state().SECS
			expect(t, row.want, x.do())
			x.checkInit(row.want == ok, before)
		})
	}
}

// checkInit looks at what EINIT left behind. After a failure it is as if there
// had been none (isa 167).
func (x *einitCall) checkInit(done bool, before isa.SECS) {
	x.t.Helper()
	s := x.state()
	if !done {
		if s.SECS != before {
			x.t.Fatal("a failed EINIT changed the SECS")
		}
		return
	}
	if s.MRENCLAVE != x.sig.ENCLAVEHASH || s.MRSIGNER != sgxcrypto.MRSIGNER(&x.sig.MODULUS) ||
		s.ISVPRODID != 3 || s.ISVSVN != 4 || s.ISVFAMILYID != x.sig.ISVFAMILYID ||
		s.ISVEXTPRODID != x.sig.ISVEXTPRODID || !s.initialised() {
		x.t.Fatalf("SECS %+v", s.SECS)
	}
}

func TestEINITAgain(t *testing.T) {
	t.Run("isa 123 SECS is REG", func(t *testing.T) {
		x := newEINIT(t, fullConfig(), plan{})
		x.sign()
		x.rcx = x.epc[offData]
		expect(t, epf(x.rcx), x.do())
	})
	t.Run("isa 124 twice", func(t *testing.T) {
		x := newEINIT(t, fullConfig(), plan{})
		x.sign()
		x.own()
		must(t, x.do())
		expect(t, gp, x.do())
	})
	t.Run("isa 139 event pending", func(t *testing.T) {
		pending := true
		cfg := fullConfig()
		cfg.EventPending = func() bool { return pending }
		x := newEINIT(t, cfg, plan{})
		x.sign()
		x.own()
		expect(t, code(128), x.do())
		pending = false
		must(t, x.do())
	})
	t.Run("isa 167 failure leaves all possible", func(t *testing.T) {
		x := newEINIT(t, fullConfig(), plan{})
		x.sign()
		expect(t, code(16), x.do())
		x.add(offFree, flagsR, nil)
		x.measure(offFree)
		x.own()
		expect(t, code(4), x.do())
		x.sig.ENCLAVEHASH = x.state().measurement.Sum()
		x.sign()
		must(t, x.do())
	})
	t.Run("isa 117 MRSIGNER", func(t *testing.T) {
		x := newEINIT(t, fullConfig(), plan{})
		x.sign()
		x.own()
		must(t, x.do())
		if x.state().MRSIGNER != sha256.Sum256(x.raw[128:512]) {
			t.Fatal("not the hash of the stored modulus")
		}
	})
	t.Run("token vector", func(t *testing.T) {
		cfg := fullConfig()
		cfg.CPUSVN = [16]byte{}
		c := newRig(t, cfg).c
		tok := isa.EINITTOKEN{ISVSVNLE: 7, ISVPRODIDLE: 32, MASKEDATTRIBUTESLE: isa.ATTRIBUTES{Flags: 0x21}}
		var owner [32]byte
		for i := range owner {
			owner[i], tok.KEYID[i] = 0x44, 0x33
		}
		key := c.launchKey(&tok, owner)
		if hex.EncodeToString(key[:]) != "5ed40aa0e8dc447d2e1df303b5330389" {
			t.Fatalf("launch key %x", key)
		}
	})
}
