package mlist

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestRecordRoundTrip(t *testing.T) {
	for _, r := range []struct {
		name   string
		groups []Group
		text   string
	}{
		{"plain", []Group{{{"a", "1"}, {"b", "2"}}, {{"c", "3"}}}, "sgx_version=1;a=1,b=2;c=3;"},
		{"5.7 all separators", []Group{{{"a", `x\y;z=1,2`}}}, `sgx_version=1;a=x\\y\;z\=1\,2;`},
		{"empty value", []Group{{{"a", ""}}}, "sgx_version=1;a=;"},
		{"version only", []Group{}, "sgx_version=1;"},
	} {
		t.Run(r.name, func(t *testing.T) {
			b := FormatRecord(r.groups...)
			if string(b) != r.text {
				t.Errorf("%s, want %s", b, r.text)
			}
			if back, err := ParseRecord(b); err != nil || !reflect.DeepEqual(back, r.groups) {
				t.Errorf("%v, %v", back, err)
			}
		})
	}
	for _, bad := range []string{"", "a=1;", "sgx_version=2;", "sgx_version=1", "sgx_version=1;a", "sgx_version=1;a=b=c;", `sgx_version=1;a=\x;`, `sgx_version=1;a=\`, "sgx_version=1;=a;", "sgx_version=1;a;b=1;"} {
		if g, err := ParseRecord([]byte(bad)); err == nil {
			t.Errorf("%q parsed as %v", bad, g)
		}
	}
}

// The grants that R10, R11 and R13 make visible, and the identity and rule of R7.
func TestEventsSayWhatWasGranted(t *testing.T) {
	id := [32]byte{0xab}
	const ab = "sha256:ab00000000000000000000000000000000000000000000000000000000000000"
	for _, r := range []struct {
		name  string
		entry func(uint32) (Entry, error)
		event string
		want  Pair
	}{
		{"R10 keyset of the launch", EnclaveInit{Keyset: "prod", Result: ResultAllow}.Entry, "sgx_enclave_init", Pair{"keyset", "prod"}},
		{"R11 unmeasured pages", EnclaveInit{Unmeasured: 3}.Entry, "sgx_enclave_init", Pair{"unmeasured", "3"}},
		{"R13 pages for dynamic code", EnclaveInit{ExecDirty: 2}.Entry, "sgx_enclave_init", Pair{"execdirty", "2"}},
		{"R28 permissive", EnclaveInit{Result: ResultWouldDeny}.Entry, "sgx_enclave_init", Pair{"result", "would_deny"}},
		{"R7 rule of a denial", EnclaveDeny{Event: "init", Permission: "LAUNCH", MRENCLAVE: &id, MRSIGNER: &id, Rule: "sets/prod:12"}.Entry, "sgx_enclave_deny", Pair{"rule", "sets/prod:12"}},
		{"R7 identity of a denial", EnclaveDeny{Event: "init", MRSIGNER: &id}.Entry, "sgx_enclave_deny", Pair{"mrsigner", ab}},
		{"R23 provision by keyset", Provision{&id}.Entry, "sgx_provision", Pair{"mrsigner", ab}},
		{"R23 provision by descriptor", Provision{}.Entry, "sgx_provision", Pair{"descriptor", "1"}},
		{"R20 lock", PolicyChange{Namespace: "/", Lock: "frozen", Generation: 4}.Entry, "sgx_policy", Pair{"lock", "frozen"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			e, err := r.entry(11)
			if err != nil || e.Check() != nil {
				t.Fatal(err, e.Check())
			}
			ev, _ := e.Event()
			groups, err := ParseRecord(ev.Buf)
			if err != nil || ev.Name != r.event {
				t.Fatalf("%s, %v", ev.Name, err)
			}
			for _, g := range groups {
				for _, p := range g {
					if p == r.want {
						return
					}
				}
			}
			t.Errorf("%s has no %v", ev.Buf, r.want)
		})
	}
}

func TestJSONRoundTrip(t *testing.T) {
	start, launch := workedExample(t)
	odd, err := NewEntry(3, "odd \xff name", []byte{0, 1, 0xfe})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []Entry{start, launch, odd} {
		l := Link{7, time.Unix(1, 2).UTC(), e, Chain{1, 2}}
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		var back Link
		if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, l) {
			t.Errorf("%s: %+v, %v", b, back, err)
		}
	}
	for _, bad := range []string{`{}`, `{"digest":"sha1:00"}`, `{"digest":"sha1:246114962d32f89236a020959cc2378cdca3f5cc","template_data":"x","chain":""}`} {
		if err := json.Unmarshal([]byte(bad), new(Link)); err == nil {
			t.Errorf("%s accepted", bad)
		}
	}
}

func TestHeadText(t *testing.T) {
	h := Head{12, Chain{0xab}}
	var back Head
	if err := back.UnmarshalText([]byte(h.String())); err != nil || back != h {
		t.Errorf("%v, %v", back, err)
	}
	for _, bad := range []string{"", "12", "x:" + h.Chain.String(), "12:ab", "12:" + h.Chain.String() + "0", "-1:" + h.Chain.String()} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}
