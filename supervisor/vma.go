//go:build linux && amd64

package supervisor

import (
	"slices"
	"sort"

	"softsgx/isa"
)

// VMA is one mapping of an enclave in one address space, with the rights that
// the program asked for. The rights that the host's page tables grant are never
// more than these and what the EPCM grants (see protect.go).
type VMA struct {
	start, end uint64
	prot       isa.Access
	file       *File
}

// find returns the mapping that holds addr, or nil.
func (sp *Space) find(addr uint64) *VMA {
	i := sort.Search(len(sp.vmas), func(i int) bool { return sp.vmas[i].end > addr })
	if i < len(sp.vmas) && sp.vmas[i].start <= addr {
		return sp.vmas[i]
	}
	return nil
}

// overlaps tells whether any enclave mapping lies in [start, end).
func (sp *Space) overlaps(start, end uint64) bool {
	i := sort.Search(len(sp.vmas), func(i int) bool { return sp.vmas[i].end > start })
	return i < len(sp.vmas) && sp.vmas[i].start < end
}

// remove forgets what lies in [start, end), splitting mappings that straddle it.
func (sp *Space) remove(start, end uint64) (released bool) {
	first := sort.Search(len(sp.vmas), func(i int) bool { return sp.vmas[i].end > start })
	last := first
	var kept []*VMA
	for ; last < len(sp.vmas) && sp.vmas[last].start < end; last++ {
		v := sp.vmas[last]
		if v.start < start {
			kept = append(kept, v.file.mapped(v.start, start, v.prot))
		}
		if v.end > end {
			kept = append(kept, v.file.mapped(end, v.end, v.prot))
		}
		v.file.unmapped()
	}
	sp.vmas = slices.Replace(sp.vmas, first, last, kept...)
	return last > first
}

// insert adds a mapping in place of whatever lay there. Neighbours that are alike
// become one, as in the kernel: programs map page by page.
func (sp *Space) insert(v *VMA) {
	sp.remove(v.start, v.end)
	i := sort.Search(len(sp.vmas), func(i int) bool { return sp.vmas[i].start > v.start })
	sp.vmas = slices.Insert(sp.vmas, i, v)
	sp.merge(i)
	if i > 0 {
		sp.merge(i - 1)
	}
}

// merge joins mapping i with the next one if they are alike.
func (sp *Space) merge(i int) {
	if i+1 >= len(sp.vmas) {
		return
	}
	v, next := sp.vmas[i], sp.vmas[i+1]
	if v.end != next.start || v.file != next.file || v.prot != next.prot {
		return
	}
	next.file.unmapped()
	sp.vmas[i] = &VMA{start: v.start, end: next.end, prot: v.prot, file: v.file}
	sp.vmas = slices.Delete(sp.vmas, i+1, i+2)
}

// pieces calls f for the parts of [start, end) in order: with the mapping they
// belong to, or with nil where no enclave is mapped.
func (sp *Space) pieces(start, end uint64, f func(start, end uint64, v *VMA) bool) {
	for start < end {
		v := sp.find(start)
		stop := end
		if v != nil {
			stop = min(end, v.end)
		} else if i := sort.Search(len(sp.vmas), func(i int) bool { return sp.vmas[i].start > start }); i < len(sp.vmas) {
			stop = min(end, sp.vmas[i].start)
		}
		if !f(start, stop, v) {
			return
		}
		start = stop
	}
}

// fork returns a copy for a child that does not share the address space.
func (sp *Space) fork() *Space {
	c := &Space{vdso: sp.vdso, bootGadget: sp.bootGadget, scratch: sp.scratch, sites: map[uint64]site{}}
	for k, v := range sp.sites {
		c.sites[k] = v
	}
	for _, v := range sp.vmas {
		c.vmas = append(c.vmas, v.file.mapped(v.start, v.end, v.prot))
	}
	return c
}

// dropSpace takes one user off an address space; the last one unmaps all.
func (s *Supervisor) dropSpace(sp *Space) {
	if sp.users--; sp.users > 0 {
		return
	}
	for _, v := range sp.vmas {
		v.file.unmapped()
	}
	sp.vmas = nil
}
