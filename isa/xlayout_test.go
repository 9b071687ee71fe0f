package isa

import "testing"

// intelLayout is the layout of the reference, section 1.5.
func intelLayout() *XLayout {
	l := &XLayout{XCR0: 0x602E7}
	for i, c := range map[int][2]uint32{
		2: {576, 256}, 3: {960, 64}, 4: {1024, 64}, 5: {1088, 64}, 6: {1152, 512}, 7: {1664, 1024},
		9: {2688, 8}, 17: {2752, 64}, 18: {2816, 8192},
	} {
		l.Offset[i], l.Size[i] = c[0], c[1]
	}
	return l
}

func TestSaveSize(t *testing.T) {
	avx512 := XFRM_LEGACY | XFRM_AVX | XFRM_OPMASK | XFRM_ZMM_Hi256 | XFRM_Hi16_ZMM
	for _, r := range []struct {
		name string
		xfrm uint64
		want uint32
	}{
		{"isa 46 legacy", XFRM_LEGACY, 576},
		{"isa 1.5 no bits", 0, 576},
		{"isa 1.5 AVX", XFRM_LEGACY | XFRM_AVX, 832},
		{"isa 1.5 MPX", XFRM_LEGACY | XFRM_BNDREGS | XFRM_BNDCSR, 1088},
		{"isa 1.5 AVX-512", avx512, 2688},
		{"isa 47 AVX-512 and PKRU", avx512 | XFRM_PKRU, 2696},
		{"isa 48 TILEDATA", avx512 | XFRM_TILECFG | XFRM_TILEDATA, 11008},
		{"isa 1.5 bit 63 without a component", XFRM_LEGACY | 1<<63, 576},
	} {
		t.Run(r.name, func(t *testing.T) {
			if got := intelLayout().SaveSize(r.xfrm); got != r.want {
				t.Errorf("%d, want %d", got, r.want)
			}
		})
	}
}

func TestMiscSize(t *testing.T) {
	for misc, want := range map[uint32]uint32{0: 0, MISC_EXINFO: 16, MISC_CPINFO: 0, MISC_EXINFO | MISC_CPINFO: 16} {
		if got := MiscSize(misc); got != want {
			t.Errorf("isa 1.5 MISCSELECT %#x: %d, want %d", misc, got, want)
		}
	}
}
