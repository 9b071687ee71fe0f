package cpu

import "softsgx/isa"

// The architecture's locks are try-locks: a leaf that cannot have one fails at
// once (SDM vol. 3D, "Concurrency Restrictions"). They live in EPCM entries and
// SECSs and change under CPU.mu. A leaf that does all its work under CPU.mu
// only asks whether the lock is free.

// exclusiveFree reports whether the base resource could be had exclusively.
func (e *entry) exclusiveFree() bool { return e.hold == 0 }

// sharedFree reports whether the base resource could be had for sharing.
func (e *entry) sharedFree() bool { return e.hold >= 0 }

func (e *entry) lockExclusive()   { e.hold = -1 }
func (e *entry) unlockExclusive() { e.hold = 0 }
func (e *entry) lockShared()      { e.hold++ }
func (e *entry) unlockShared()    { e.hold-- }

// sgx2Free reports whether the sgx2 resource is free.
func (e *entry) sgx2Free() bool { return !e.is(flagSGX2) }
func (e *entry) lockSGX2()      { e.flags |= flagSGX2 }
func (e *entry) unlockSGX2()    { e.flags &^= flagSGX2 }

// slotBusy in a version array slot says that EWB, ELDB or ELDU is using it. It
// is one of the bits that versions leave zero.
const slotBusy = 1

// slotFree reports whether the slot at p in the page of va could be had. A page
// that is no version array has no slots to wait for. CPU.mu is held.
func (c *CPU) slotFree(va *entry, p isa.EPCAddr) bool {
	return !va.is(flagValid) || va.pt != isa.PT_VA || *c.slot(p)&slotBusy == 0
}

// lockSlot returns the version in the slot at p, and takes the slot and its
// page for the caller. CPU.mu is held.
func (c *CPU) lockSlot(p isa.EPCAddr) (version uint64) {
	version = *c.slot(p)
	*c.slot(p) |= slotBusy
	c.entry(p).lockShared()
	return version
}

// unlockSlot undoes lockSlot and leaves a version in the slot. CPU.mu is held.
func (c *CPU) unlockSlot(p isa.EPCAddr, version uint64) {
	*c.slot(p) = version
	c.entry(p).unlockShared()
}
