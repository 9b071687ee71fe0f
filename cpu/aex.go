package cpu

import (
	"encoding/binary"
	"errors"

	"softsgx/isa"
)

var errNotInside = errors.New("cpu: AEX outside an enclave")

// Event is what makes a thread leave its enclave.
type Event struct {
	// Valid says that it is an exception with the given vector. Otherwise it
	// is an interrupt, or anything else that an enclave is not told about.
	Valid    bool
	Vector   uint8
	Software bool        // INT3 rather than what hardware raises
	Addr     isa.LinAddr // of a #PF
	// ErrorCode is that of #PF or #GP.
	ErrorCode uint32
}

// Delivered returns the event as the system outside sees it, after the enclave
// has been left for ev: #PF has lost the low bits of its address, and INT3 of a
// thread that did not opt in to debugging is #UD. It must be called before AEX.
func (lp *LP) Delivered(ev Event) Event {
	ev = lp.raised(ev)
	if ev.Valid && ev.Vector == isa.PF {
		ev.Addr = ev.Addr.Page()
	}
	return ev
}

// raised returns the exception that the enclave raises when it does what would
// be ev outside.
func (lp *LP) raised(ev Event) Event {
	if ev.Valid && ev.Vector == isa.BP && !lp.optIn {
		return Event{Valid: true, Vector: isa.UD}
	}
	return ev
}

// AEX leaves the enclave because of ev: it saves the thread in the current SSA
// frame and gives it the synthetic state, about to execute at AEP (SDM vol. 3D,
// "Asynchronous Enclave Exit"). RIP is that of the instruction to resume at; for
// INT3, of the INT3 itself. An error says that extended state could not be
// moved; the thread is still inside then.
func (lp *LP) AEX(ctx *Context, ev Event) error {
	if lp.secs == nil {
		return errNotInside
	}
	ev = lp.raised(ev)
	xfrm, f := lp.secs.ATTRIBUTES.XFRM, &lp.frame
	vector := uint8(0)
	if ev.Valid {
		vector = ev.Vector
	}
	if err := lp.aexVectors(ctx, xfrm, f, syntheticFor(vector)); err != nil {
		return err
	}
	f.save(ctx.Regs, ev)
	f.report(ev, lp.secs.MISCSELECT)
	lp.synthesise(ctx.Regs)

	lp.cpu.mu.Lock()
	defer lp.cpu.mu.Unlock()
	lp.tcs.CSSA++
	lp.leave()
	return nil
}

// save stores the registers. URSP, URBP and AEXNOTIFY stay.
func (f *frame) save(r *Regs, ev Event) {
	flags := r.RFLAGS &^ flagTF
	if ev.Valid && ev.Vector != isa.DB { // a fault
		flags |= flagRF
	}
	b := f.gprs()
	for i, v := range [...]uint64{
		r.RAX, r.RCX, r.RDX, r.RBX, r.RSP, r.RBP, r.RSI, r.RDI,
		r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15,
		flags, r.RIP,
	} {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	binary.LittleEndian.PutUint64(b[gprFSBASE:], r.FSBase)
	binary.LittleEndian.PutUint64(b[gprGSBASE:], r.GSBase)
}

// report stores EXITINFO and, if selected, EXINFO.
func (f *frame) report(ev Event, miscselect uint32) {
	info := exitinfo(ev, miscselect)
	binary.LittleEndian.PutUint32(f.gprs()[gprEXITINFO:], info)
	if info == 0 || ev.Vector != isa.PF && ev.Vector != isa.GP {
		return
	}
	ex := isa.EXINFO{ERRCD: ev.ErrorCode}
	if ev.Vector == isa.PF {
		ex.MADDR = uint64(ev.Addr)
	}
	binary.LittleEndian.PutUint64(f.exinfo(), ex.MADDR)
	binary.LittleEndian.PutUint64(f.exinfo()[8:], uint64(ex.ERRCD))
}

// exitinfo returns EXITINFO for an event (SDM vol. 3D, "EXITINFO", exception
// vectors).
func exitinfo(ev Event, miscselect uint32) uint32 {
	if !ev.Valid {
		return 0
	}
	kind := isa.EXITINFO_HARDWARE
	switch ev.Vector {
	case isa.DE, isa.DB, isa.BR, isa.UD, isa.MF, isa.AC, isa.XM:
	case isa.BP:
		kind = isa.EXITINFO_SOFTWARE
	case isa.GP:
		if miscselect&isa.MISC_EXINFO == 0 {
			return 0
		}
	case isa.PF:
		if miscselect&isa.MISC_EXINFO == 0 || ev.ErrorCode&isa.PFECUser == 0 {
			return 0
		}
	default:
		return 0
	}
	return isa.EXITINFO_VALID | kind | uint32(ev.Vector)
}

// synthesise gives the thread the registers of the synthetic state.
func (lp *LP) synthesise(r *Regs) {
	rsp, rbp := lp.frame.outerStack()
	*r = Regs{
		RAX: uint64(isa.ERESUME), RBX: uint64(lp.tcs.lin), RCX: lp.tcs.AEP, RIP: lp.tcs.AEP,
		RSP: rsp, RBP: rbp,
		RFLAGS: r.RFLAGS &^ (arithmeticFlags | flagRF),
	}
	lp.bringBack(r)
}
