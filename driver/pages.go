package driver

import "softsgx/isa"

// record is what the driver remembers of one enclave page (Linux 6.1 sgx/encl.h
// struct sgx_encl_page). 8 bytes; the zero value is a hole.
type record struct {
	page epcPage      // 0: no such page
	cap  isa.Access   // vm_max_prot_bits: the ceiling of every mapping
	typ  isa.PageType // as the ioctls left it; EACCEPT does not show here
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

// table holds the records of an enclave by page number from the base.
type table struct {
	directories []*directory
	used        int
}

// newTable returns a table for an enclave of the given number of pages.
func newTable(pages uint64) table {
	return table{directories: make([]*directory, (pages+directoryPages-1)/directoryPages)}
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
	d := t.directories[n/directoryPages]
	if d == nil {
		d = new(directory)
		t.directories[n/directoryPages] = d
	}
	l := &d[n%directoryPages/leafPages]
	if *l == nil {
		*l = new(leaf)
	}
	(*l).records[n%leafPages] = r
	(*l).used++
	t.used++
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
