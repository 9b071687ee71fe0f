package cpu

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
