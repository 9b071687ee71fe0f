package driver

import "softsgx/isa"

// record is what the driver remembers of one enclave page (Linux 6.1 sgx/encl.h
// struct sgx_encl_page). 8 bytes; the zero value is a hole.
type record struct {
	page epcPage      // 0: no such page
	cap  isa.Access   // vm_max_prot_bits: the ceiling of every mapping
	typ  isa.PageType // as the ioctls left it; EACCEPT does not show here
	aug  bool         // added by EAUG: its contents were never measured
}

// There is one leaf per 2 MiB of enclave and one directory per GiB.
const (
	leafPages      = 512
	directoryPages = leafPages * 512
)

type (
	leaf struct {
		used    int
		records [leafPages]record
	}
	directory [directoryPages / leafPages]*leaf
)

// table holds the records of an enclave by page number from the base. It is as
// large as its last page needs, however large ELRANGE is.
type table struct {
	directories []*directory
	used        int
}

// leaf returns the leaf that holds page n, nil if there is none.
func (t *table) leaf(n uint64) *leaf {
	if n/directoryPages >= uint64(len(t.directories)) {
		return nil
	}
	d := t.directories[n/directoryPages]
	if d == nil {
		return nil
	}
	return d[n%directoryPages/leafPages]
}

// get returns the record of page n, nil for a hole. It stays valid until del.
func (t *table) get(n uint64) *record {
	l := t.leaf(n)
	if l == nil || l.records[n%leafPages].page == 0 {
		return nil
	}
	return &l.records[n%leafPages]
}

// put stores the record of page n, a hole until now.
func (t *table) put(n uint64, r record) {
	l := &t.directory(n)[n%directoryPages/leafPages]
	if *l == nil {
		*l = new(leaf)
	}
	(*l).records[n%leafPages] = r
	(*l).used++
	t.used++
}

// directory returns the directory of page n, a new one if there was none.
func (t *table) directory(n uint64) *directory {
	i := n / directoryPages
	if have := uint64(len(t.directories)); i >= have {
		t.directories = append(t.directories, make([]*directory, i+1-have)...)
	}
	if t.directories[i] == nil {
		t.directories[i] = new(directory)
	}
	return t.directories[i]
}

// del makes page n, which is not a hole, a hole.
func (t *table) del(n uint64) {
	l := t.leaf(n)
	l.records[n%leafPages] = record{}
	l.used--
	t.used--
	if l.used == 0 {
		t.directories[n/directoryPages][n%directoryPages/leafPages] = nil
	}
}

// next returns the first page in [n, end) that is not a hole.
func (t *table) next(n, end uint64) (uint64, *record, bool) {
	for n < end && n/directoryPages < uint64(len(t.directories)) {
		if t.directories[n/directoryPages] == nil {
			n = (n/directoryPages + 1) * directoryPages
			continue
		}
		if t.leaf(n) == nil {
			n = (n/leafPages + 1) * leafPages
			continue
		}
		if r := t.get(n); r != nil {
			return n, r, true
		}
		n++
	}
	return end, nil, false
}
