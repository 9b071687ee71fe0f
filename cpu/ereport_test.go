package cpu

import (
	"bytes"
	"testing"

	"softsgx/isa"
	"softsgx/sgxcrypto"
)

// Where tests of EREPORT and EGETKEY have their operands.
const (
	offTarget     = offMore         // TARGETINFO
	offReportData = offMore + 0x200 // REPORTDATA
	offRequest    = offMore + 0x400 // KEYREQUEST
	offReport     = offData         // REPORT
	offKey        = offData + 0x400 // a key
)

// put writes a structure into the enclave.
func (e *enclave) put(off uint64, x interface{ MarshalBinary() ([]byte, error) }) {
	e.t.Helper()
	b, err := x.MarshalBinary()
	must(e.t, err)
	e.poke(off, b)
}

// reportFor does EREPORT for a target.
func (e *enclave) reportFor(target *isa.TARGETINFO) (r isa.REPORT) {
	e.t.Helper()
	e.put(offTarget, target)
	e.poke(offReportData, bytes.Repeat([]byte{0xAA}, isa.REPORTDATASize))
	same(e.t, ok, e.enclu(isa.EREPORT, at(offTarget), at(offReportData), at(offReport)))
	must(e.t, r.UnmarshalBinary(e.peek(offReport, isa.REPORTSize)))
	return r
}

// getKey does EGETKEY.
func (e *enclave) getKey(req *isa.KEYREQUEST) (key [16]byte) {
	e.t.Helper()
	e.put(offRequest, req)
	same(e.t, ok, e.enclu(isa.EGETKEY, at(offRequest), at(offKey), 0))
	copy(key[:], e.peek(offKey, len(key)))
	return key
}

// verifies reports whether the enclave takes r for a report made for it.
func (e *enclave) verifies(r *isa.REPORT) bool {
	e.t.Helper()
	key := e.getKey(&isa.KEYREQUEST{KEYNAME: isa.KEYNAME_REPORT, KEYID: r.KEYID})
	b, err := r.MarshalBinary()
	must(e.t, err)
	return sgxcrypto.EqualMAC(sgxcrypto.CMAC(key, b[:isa.REPORTBodySize]), r.MAC)
}

func TestEREPORT(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*enclaveCall)
		want outcome
	}{
		{"all well", func(*enclaveCall) {}, ok},
		{"isa 364 RBX misaligned", func(x *enclaveCall) { x.rbx += 256 }, gp},
		{"RBX outside ELRANGE", func(x *enclaveCall) { x.rbx = at(0x100000) }, gp},
		{"RBX not mapped", func(x *enclaveCall) { x.rbx = at(offFree) }, walkpf(at(offFree))},
		{"RBX is a TCS", func(x *enclaveCall) { x.rbx = at(offTCS) }, pf(at(offTCS))},
		{"isa 365 RCX misaligned", func(x *enclaveCall) { x.rcx += 64 }, gp},
		{"RCX outside ELRANGE", func(x *enclaveCall) { x.rcx = elbase - 128 }, gp},
		{"RCX not readable", func(x *enclaveCall) { x.unreadable(); x.rcx = at(offRO) }, pf(at(offRO))},
		{"isa 366 RDX misaligned", func(x *enclaveCall) { x.rdx += 256 }, gp},
		{"isa 367 RDX outside ELRANGE", func(x *enclaveCall) { x.rdx = at(0x100000) }, gp},
		{"isa 368 RDX page R", func(x *enclaveCall) { x.rdx = at(offRO) + 0x200 }, pf(at(offRO) + 0x200)},
		{"RDX PTE read-only", func(x *enclaveCall) {
			x.space[at(offData)] = pte{x.epc[offData], isa.Read}
		}, walkpf(at(offReport))},
		{"RDX pending", func(x *enclaveCall) { x.aug(offFree); x.rdx = at(offFree) }, pf(at(offFree))},
		{"isa 369 TARGETINFO byte 200", func(x *enclaveCall) { x.poke(offTarget+200, []byte{1}) }, gp},
		{"isa 370 TARGETINFO byte 49", func(x *enclaveCall) { x.poke(offTarget+49, []byte{1}) }, gp},
		{"TARGETINFO byte 56", func(x *enclaveCall) { x.poke(offTarget+56, []byte{1}) }, gp},
		{"TARGETINFO byte 511", func(x *enclaveCall) { x.poke(offTarget+511, []byte{1}) }, gp},
		{"reserved byte comes before RCX", func(x *enclaveCall) {
			x.poke(offTarget+49, []byte{1})
			x.unreadable()
			x.rcx = at(offRO)
		}, gp},
		{"RCX comes before RDX", func(x *enclaveCall) {
			x.unreadable()
			x.rcx, x.rdx = at(offRO), at(0x100000)
		}, pf(at(offRO))},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRig(t, fullConfig()).newEnclave(plan{})
			e.put(offTarget, &isa.TARGETINFO{})
			x := &enclaveCall{enclave: e, rbx: at(offTarget), rcx: at(offReportData), rdx: at(offReport)}
			row.set(x)
			x.enter()
			x.poke(offReport, fill(0xEE))
			same(t, row.want, x.enclu(isa.EREPORT, x.rbx, x.rcx, x.rdx))
			out := x.peek(offReport, isa.PageSize)
			if row.want != ok {
				if !bytes.Equal(out, fill(0xEE)) {
					t.Fatal("a fault wrote something")
				}
				return
			}
			t.Run("isa 376 exact size", func(t *testing.T) {
				if bytes.Contains(out[:isa.REPORTSize], []byte{0xEE, 0xEE, 0xEE, 0xEE}) ||
					!bytes.Equal(out[isa.REPORTSize:], fill(0xEE)[isa.REPORTSize:]) {
					t.Fatal("more or less written")
				}
			})
		})
	}
}

func TestEREPORTContents(t *testing.T) {
	e := newRig(t, fullConfig()).newEnclave(plan{
		flags: isa.ATTR_KSS, misc: isa.MISC_EXINFO, prodid: 7, svn: 8, signer: 9,
		secs: func(s *isa.SECS) { s.CONFIGID[5], s.CONFIGSVN = 6, 10 },
	})
	s := e.state()
	s.ISVFAMILYID[0], s.ISVEXTPRODID[0] = 11, 12
	e.enter()
	got := e.reportFor(&isa.TARGETINFO{})
	want := isa.REPORT{
		CPUSVN: e.c.cfg.CPUSVN, MISCSELECT: isa.MISC_EXINFO, ISVEXTPRODID: [16]byte{12},
		ATTRIBUTES: isa.ATTRIBUTES{Flags: isa.ATTR_KSS | isa.ATTR_MODE64BIT | isa.ATTR_INIT, XFRM: 7},
		MRENCLAVE:  s.MRENCLAVE, MRSIGNER: [32]byte{9}, CONFIGID: [64]byte{5: 6}, ISVPRODID: 7, ISVSVN: 8,
		CONFIGSVN: 10, ISVFAMILYID: [16]byte{11}, KEYID: e.c.reportKeyID, MAC: got.MAC,
	}
	copy(want.REPORTDATA[:], bytes.Repeat([]byte{0xAA}, isa.REPORTDATASize))
	if got != want {
		t.Fatalf("%+v", got)
	}
}

func TestEREPORTOperandsOverlap(t *testing.T) {
	e := newRig(t, fullConfig()).newEnclave(plan{})
	e.enter()
	want := e.reportFor(e.state().targetinfo())
	e.poke(offReport, e.peek(offTarget, isa.TARGETINFOSize))
	same(t, ok, e.enclu(isa.EREPORT, at(offReport), at(offReportData), at(offReport)))
	var got isa.REPORT
	must(t, got.UnmarshalBinary(e.peek(offReport, isa.REPORTSize)))
	if got != want {
		t.Fatal("the inputs were not read first")
	}
}

func TestEREPORTVerification(t *testing.T) {
	for _, row := range []struct {
		name   string
		target func(*isa.TARGETINFO)
		tamper func(*isa.REPORT)
		want   bool
	}{
		{"isa 371 self", nil, nil, true},
		{"isa 372 TARGETINFO without INIT", func(x *isa.TARGETINFO) { x.ATTRIBUTES.Flags &^= isa.ATTR_INIT }, nil, false},
		{"other XFRM", func(x *isa.TARGETINFO) { x.ATTRIBUTES.XFRM = 3 }, nil, false},
		{"other MISCSELECT", func(x *isa.TARGETINFO) { x.MISCSELECT = 1 }, nil, false},
		{"other MRENCLAVE", func(x *isa.TARGETINFO) { x.MEASUREMENT[31] ^= 1 }, nil, false},
		{"isa 373 other CONFIGSVN", func(x *isa.TARGETINFO) { x.CONFIGSVN = 1 }, nil, false},
		{"isa 373 other CONFIGID", func(x *isa.TARGETINFO) { x.CONFIGID[0] = 1 }, nil, false},
		{"isa 374 REPORTDATA changed", nil, func(r *isa.REPORT) { r.REPORTDATA[63] ^= 1 }, false},
		{"isa 375 KEYID changed", nil, func(r *isa.REPORT) { r.KEYID[0] ^= 1 }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, fullConfig())
			e := r.newEnclave(plan{})
			e.enter()
			target := e.state().targetinfo()
			if row.target != nil {
				row.target(target)
			}
			report := e.reportFor(target)
			if row.tamper != nil {
				row.tamper(&report)
			}
			if got := e.verifies(&report); got != row.want {
				t.Fatalf("verifies: %v", got)
			}
		})
	}
	t.Run("isa 371 another enclave", func(t *testing.T) {
		r := newRig(t, fullConfig())
		a, b := r.newEnclave(plan{}), r.newEnclave(plan{extraPage: true, signer: 1, svn: 3})
		a.enter()
		b.enter()
		report := a.reportFor(b.state().targetinfo())
		if !b.verifies(&report) || a.verifies(&report) {
			t.Fatal("the wrong one verifies it")
		}
	})
}
