package cpu

import (
	"bytes"
	"encoding/hex"
	"testing"

	"softsgx/isa"
)

func TestEGETKEY(t *testing.T) {
	const provision = isa.ATTR_PROVISIONKEY
	nothing := func(*enclaveCall) {}
	name := func(n isa.KeyName) isa.KEYREQUEST { return isa.KEYREQUEST{KEYNAME: n} }
	seal := name(isa.KEYNAME_SEAL)
	poke := func(off uint64, v byte) func(*enclaveCall) {
		return func(x *enclaveCall) { x.poke(offRequest+off, []byte{v}) }
	}
	noKey, noSVN := code(isa.SGX_INVALID_ATTRIBUTE), code(isa.SGX_INVALID_ISVSVN)
	for _, row := range []struct {
		name  string
		flags uint64
		req   isa.KEYREQUEST
		set   func(*enclaveCall)
		want  outcome
	}{
		{"isa 404 SEAL", 0, seal, nothing, ok},
		{"isa 377 RBX misaligned", 0, seal, func(x *enclaveCall) { x.rbx += 128 }, gp},
		{"RBX outside ELRANGE", 0, seal, func(x *enclaveCall) { x.rbx = at(0x100000) }, gp},
		{"RBX not readable", 0, seal, func(x *enclaveCall) { x.unreadable(); x.rbx = at(offRO) }, pf(at(offRO))},
		{"isa 378 RCX misaligned", 0, seal, func(x *enclaveCall) { x.rcx += 8 }, gp},
		{"isa 379 RCX outside ELRANGE", 0, seal, func(x *enclaveCall) { x.rcx = at(0x100000) }, gp},
		{"isa 380 output not writable", 0, seal, func(x *enclaveCall) { x.rcx = at(offRO) + 16 }, pf(at(offRO) + 16)},
		{"isa 381 byte 100", 0, seal, poke(100, 1), gp},
		{"isa 381 byte 7", 0, seal, poke(7, 1), gp},
		{"isa 381 byte 511", 0, seal, poke(511, 1), gp},
		{"isa 382 KEYPOLICY bit 6", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, KEYPOLICY: 1 << 6}, nothing, gp},
		{"isa 382 KEYPOLICY bit 15, KSS", isa.ATTR_KSS, isa.KEYREQUEST{KEYPOLICY: 1 << 15}, nothing, gp},
		{"isa 383 KEYPOLICY bit 3, KSS 0", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, KEYPOLICY: 1 << 3}, nothing, gp},
		{"isa 383 KEYPOLICY bit 2 of REPORT, KSS 0", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_REPORT, KEYPOLICY: 1 << 2}, nothing, gp},
		{"KEYPOLICY bits 5:0, KSS", isa.ATTR_KSS, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, KEYPOLICY: 0x3F}, nothing, ok},
		{"isa 384 CONFIGSVN 1, KSS 0", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, CONFIGSVN: 1}, nothing, gp},
		{"isa 385 KEYNAME 5", 0, name(5), nothing, code(isa.SGX_INVALID_KEYNAME)},
		{"isa 385 KEYNAME 65535", 0, name(65535), nothing, code(isa.SGX_INVALID_KEYNAME)},
		{"isa 386 PROVISION", 0, name(isa.KEYNAME_PROVISION), nothing, noKey},
		{"isa 387 PROVISION_SEAL", 0, name(isa.KEYNAME_PROVISION_SEAL), nothing, noKey},
		{"isa 388 EINITTOKEN", 0, name(isa.KEYNAME_EINITTOKEN), nothing, noKey},
		{"isa 388 EINITTOKEN with PROVISIONKEY", provision, name(isa.KEYNAME_EINITTOKEN), nothing, noKey},
		{"isa 386 PROVISION with EINITTOKEN_KEY", isa.ATTR_EINITTOKEN_KEY, name(isa.KEYNAME_PROVISION), nothing, noKey},
		{"PROVISION allowed", provision, name(isa.KEYNAME_PROVISION), nothing, ok},
		{"PROVISION_SEAL allowed", provision, name(isa.KEYNAME_PROVISION_SEAL), nothing, ok},
		{"EINITTOKEN allowed", isa.ATTR_EINITTOKEN_KEY, name(isa.KEYNAME_EINITTOKEN), nothing, ok},
		{"isa 389 ISVSVN above own", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, ISVSVN: 6}, nothing, noSVN},
		{"isa 389 PROVISION too", provision, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_PROVISION, ISVSVN: 6}, nothing, noSVN},
		{"isa 390 own ISVSVN", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, ISVSVN: 5}, nothing, ok},
		{"isa 391 CPUSVN above current", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, CPUSVN: [16]byte{2, 3}}, nothing,
			code(isa.SGX_INVALID_CPUSVN)},
		{"isa 391 one component above current", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, CPUSVN: [16]byte{15: 1}}, nothing,
			code(isa.SGX_INVALID_CPUSVN)},
		{"current CPUSVN", 0, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, CPUSVN: [16]byte{2, 2}}, nothing, ok},
		{"isa 392 CONFIGSVN above own", isa.ATTR_KSS, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, CONFIGSVN: 5}, nothing, noSVN},
		{"isa 392 PROVISION_SEAL too", isa.ATTR_KSS | provision,
			isa.KEYREQUEST{KEYNAME: isa.KEYNAME_PROVISION_SEAL, CONFIGSVN: 5}, nothing, noSVN},
		{"own CONFIGSVN", isa.ATTR_KSS, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_SEAL, CONFIGSVN: 4}, nothing, ok},
		{"isa 393 REPORT, ISVSVN 65535", 0,
			isa.KEYREQUEST{KEYNAME: isa.KEYNAME_REPORT, ISVSVN: 65535, CPUSVN: [16]byte{0: 255}}, nothing, ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := plan{flags: row.flags, svn: 5}
			if row.flags&isa.ATTR_KSS != 0 {
				p.secs = func(s *isa.SECS) { s.CONFIGSVN = 4 }
			}
			e := newRig(t, fullConfig()).newEnclave(p)
			e.put(offRequest, &row.req)
			x := &enclaveCall{enclave: e, rbx: at(offRequest), rcx: at(offKey)}
			row.set(x)
			x.enter()
			x.regs.RFLAGS |= arithmeticFlags
			x.poke(offData, fill(0xEE))
			same(t, row.want, x.enclu(isa.EGETKEY, x.rbx, x.rcx, 0))
			out, in := x.peek(offData, isa.PageSize), fill(0xEE)
			if row.want == ok {
				copy(in[0x400:], out[0x400:0x410])
				if bytes.Equal(out, fill(0xEE)) {
					t.Fatal("no key")
				}
			}
			if !bytes.Equal(out, in) {
				t.Fatal("more written than a key")
			}
		})
	}
}

// asker is an enclave that asks for a key, as it differs from another.
type asker struct {
	cfg  func(*Config)
	plan plan
	secs func(*secs)
	req  func(*isa.KEYREQUEST)
}

func (a asker) key(t *testing.T, n isa.KeyName) [16]byte {
	t.Helper()
	cfg := fullConfig()
	if a.cfg != nil {
		a.cfg(&cfg)
	}
	a.plan.flags |= isa.ATTR_PROVISIONKEY | isa.ATTR_EINITTOKEN_KEY | isa.ATTR_KSS
	a.plan.svn = 5
	e := newRig(t, cfg).newEnclave(a.plan)
	if a.secs != nil {
		a.secs(e.state())
	}
	e.enter()
	req := isa.KEYREQUEST{KEYNAME: n, ISVSVN: 5}
	if a.req != nil {
		a.req(&req)
	}
	return e.getKey(&req)
}

func TestEGETKEYDependencies(t *testing.T) {
	policy := func(p uint16) func(*isa.KEYREQUEST) { return func(r *isa.KEYREQUEST) { r.KEYPOLICY = p } }
	signer, enclave := policy(isa.KEYPOLICY_MRSIGNER), policy(isa.KEYPOLICY_MRENCLAVE)
	noProd, all := policy(isa.KEYPOLICY_NOISVPRODID), policy(0x3B)
	keyID := func(r *isa.KEYREQUEST) { r.KEYID[0] = 1 }
	epoch := asker{cfg: func(c *Config) { c.OwnerEpoch[0] = 1 }}
	debug := asker{plan: plan{flags: isa.ATTR_DEBUG}}
	xfrm := func(mask uint64) asker {
		return asker{plan: plan{xfrm: 3}, req: func(r *isa.KEYREQUEST) { r.ATTRIBUTEMASK.XFRM = mask }}
	}
	misc := func(m uint32, mask uint32) asker {
		return asker{plan: plan{misc: m}, req: func(r *isa.KEYREQUEST) { r.MISCMASK = mask }}
	}
	// Two enclaves that differ in all but their signer.
	one := asker{plan: plan{signer: 1, prodid: 1}, req: signer}
	other := asker{plan: plan{signer: 1, prodid: 1, extraPage: true}, req: signer}
	const (
		sealKey = isa.KEYNAME_SEAL
		prov    = isa.KEYNAME_PROVISION
		provS   = isa.KEYNAME_PROVISION_SEAL
		report  = isa.KEYNAME_REPORT
		launch  = isa.KEYNAME_EINITTOKEN
	)
	for _, row := range []struct {
		name string
		key  isa.KeyName
		a, b asker
		same bool
	}{
		{"isa 390 older ISVSVN", sealKey, asker{}, asker{req: func(r *isa.KEYREQUEST) { r.ISVSVN = 4 }}, false},
		{"older CPUSVN", sealKey, asker{req: func(r *isa.KEYREQUEST) { r.CPUSVN[0] = 1 }}, asker{}, false},
		{"isa 393 REPORT, other ISVSVN", report, asker{}, asker{req: func(r *isa.KEYREQUEST) { r.ISVSVN = 65535 }}, true},
		{"REPORT, other signer", report, asker{}, asker{plan: plan{signer: 1}}, true},
		{"REPORT, other KEYPOLICY", report, asker{}, asker{req: signer}, true},
		{"REPORT, other KEYID", report, asker{}, asker{req: keyID}, false},
		{"isa 394 MRSIGNER, same signer", sealKey, one, other, true},
		{"MRSIGNER, other signer", sealKey, one, asker{plan: plan{signer: 2, prodid: 1}, req: signer}, false},
		{"isa 395 other ISVPRODID", sealKey, one, asker{plan: plan{signer: 1, prodid: 2}, req: signer}, false},
		{"isa 396 NOISVPRODID, other ISVPRODID", sealKey, asker{plan: plan{prodid: 1}, req: noProd},
			asker{plan: plan{prodid: 2}, req: noProd}, true},
		{"isa 396 NOISVPRODID of PROVISION_SEAL", provS, asker{plan: plan{prodid: 1}, req: noProd},
			asker{plan: plan{prodid: 2}, req: noProd}, true},
		{"NOISVPRODID of PROVISION", prov, asker{plan: plan{prodid: 1}, req: noProd},
			asker{plan: plan{prodid: 2}, req: noProd}, false},
		{"isa 397 MRENCLAVE, other enclave", sealKey, asker{req: enclave}, asker{plan: plan{extraPage: true}, req: enclave}, false},
		{"MRENCLAVE, other signer", sealKey, asker{req: enclave}, asker{plan: plan{signer: 1}, req: enclave}, true},
		{"KEYPOLICY 0 binds neither", sealKey, asker{}, asker{plan: plan{signer: 1, extraPage: true}}, true},
		{"KEYPOLICY itself", sealKey, asker{}, asker{req: signer}, false},
		{"isa 398 DEBUG, mask 0", sealKey, asker{}, debug, false},
		{"isa 398 DEBUG of PROVISION, mask 0", prov, asker{}, debug, false},
		{"isa 399 XFRM, mask 0", sealKey, asker{}, xfrm(0), true},
		{"XFRM, mask 4", sealKey, asker{req: xfrm(4).req}, xfrm(4), false},
		{"MISCSELECT, mask 0", sealKey, misc(0, 0), misc(1, 0), true},
		{"MISCSELECT, mask 1", sealKey, misc(0, 1), misc(1, 1), false},
		{"isa 400 KEYID", sealKey, asker{}, asker{req: keyID}, false},
		{"KEYID of EINITTOKEN", launch, asker{}, asker{req: keyID}, false},
		{"isa 401 owner epoch", sealKey, asker{}, epoch, false},
		{"owner epoch of EINITTOKEN", launch, asker{}, epoch, false},
		{"owner epoch of REPORT", report, asker{}, epoch, false},
		{"isa 402 owner epoch of PROVISION", prov, asker{}, epoch, true},
		{"owner epoch of PROVISION_SEAL", provS, asker{}, epoch, true},
		{"isa 403 KEYID of PROVISION", prov, asker{}, asker{req: keyID}, true},
		{"KEYID of PROVISION_SEAL", provS, asker{}, asker{req: keyID}, true},
		{"CONFIGID in policy", sealKey, asker{req: all}, asker{secs: func(s *secs) { s.CONFIGID[0] = 1 }, req: all}, false},
		{"ISVFAMILYID in policy", sealKey, asker{req: all}, asker{secs: func(s *secs) { s.ISVFAMILYID[0] = 1 }, req: all}, false},
		{"ISVEXTPRODID in policy", sealKey, asker{req: all}, asker{secs: func(s *secs) { s.ISVEXTPRODID[0] = 1 }, req: all}, false},
		{"CONFIGID, ISVFAMILYID, ISVEXTPRODID not in policy", sealKey, asker{}, asker{secs: func(s *secs) {
			s.CONFIGID[0], s.ISVFAMILYID[0], s.ISVEXTPRODID[0] = 1, 1, 1
		}}, true},
		{"another platform", sealKey, asker{}, asker{cfg: func(c *Config) { c.Root[0] = 99 }}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if equal := row.a.key(t, row.key) == row.b.key(t, row.key); equal != row.same {
				t.Fatalf("equal: %v", equal)
			}
		})
	}
}

func repeated(v byte) (b [32]byte) {
	copy(b[:], fill(v))
	return b
}

func TestEGETKEYVectors(t *testing.T) {
	mask := isa.ATTRIBUTES{Flags: 0xFF0000000000000B}
	request := func(n isa.KeyName, policy uint16) isa.KEYREQUEST {
		return isa.KEYREQUEST{KEYNAME: n, KEYPOLICY: policy, ISVSVN: 2, ATTRIBUTEMASK: mask, MISCMASK: 0xF0000000}
	}
	for _, row := range []struct {
		name   string
		flags  uint64
		signer byte
		prodid uint16
		req    isa.KEYREQUEST
		want   string
	}{
		{"isa 405 SEAL by MRSIGNER", 5, 0x22, 1, request(isa.KEYNAME_SEAL, isa.KEYPOLICY_MRSIGNER),
			"f7670a04865a380e4785b489962178bf"},
		{"isa 405 SEAL by MRENCLAVE", 5, 0x22, 1, request(isa.KEYNAME_SEAL, isa.KEYPOLICY_MRENCLAVE),
			"a2ee48a809a343af67d17ef504828e58"},
		{"isa 405 REPORT", 5, 0x22, 1, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_REPORT, KEYID: repeated(0x33)},
			"a250c5ffb4ac718bac256d4863721ace"},
		{"isa 405 EINITTOKEN", 0x25, 0x44, 32, isa.KEYREQUEST{KEYNAME: isa.KEYNAME_EINITTOKEN, ISVSVN: 7,
			ATTRIBUTEMASK: isa.ATTRIBUTES{Flags: 0x21}, KEYID: repeated(0x33)}, "5ed40aa0e8dc447d2e1df303b5330389"},
		{"isa 405 PROVISION", 0x15, 0x22, 1, request(isa.KEYNAME_PROVISION, 0), "3760ef3e37babaae8c8649d0c216a03b"},
		{"isa 405 PROVISION_SEAL", 0x15, 0x22, 1, request(isa.KEYNAME_PROVISION_SEAL, 0), "aaaff51ea1c1998b066f48b5a275decb"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := fullConfig()
			cfg.CPUSVN = [16]byte{}
			e := newRig(t, cfg).newEnclave(plan{})
			s := e.state()
			s.ATTRIBUTES = isa.ATTRIBUTES{Flags: row.flags, XFRM: 3}
			s.MRSIGNER, s.ISVPRODID, s.ISVSVN = repeated(row.signer), row.prodid, 7
			mr, err := hex.DecodeString(mrExample)
			must(t, err)
			copy(s.MRENCLAVE[:], mr)
			e.enter()
			key := e.getKey(&row.req)
			if got := hex.EncodeToString(key[:]); got != row.want {
				t.Fatal(got)
			}
		})
	}
}
