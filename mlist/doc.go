// Package mlist is the measurement list: an append-only, hash-chained record of
// launches, denials and policy changes, in the form that Linux IMA gives its own.
//
// # What an entry is
//
// An [Entry] is an entry of IMA's binary list with template ima-buf: PCR index,
// template digest, template name, template data (Linux
// security/integrity/ima/ima_fs.c and ima_template_lib.c; enclave-security-model.md
// section 5). [Replayer] extends PCRs with entries as IMA does, so that any IMA
// verifier comes to the same values. Entries hold nothing that differs between runs.
//
// # What the file adds
//
// A file of the list is a [Header] and then one frame for each entry; integers are
// little-endian:
//
//	u32    length of the entry
//	u64    number of the entry, from 1, through all files of the list
//	i64    time of the append, nanoseconds since 1970
//	...    the entry as in IMA's binary list
//	u8[32] chain value
//
// A chain value is the SHA-256 of the bytes of the file from the chain value before
// it (or the header's check) up to itself. So a frame vouches for all before it, and
// [Verify] tells where a list stops being what was written.
//
// Whoever can write the file can also write another list that is sound in itself.
// That, and entries cut from the end, show only against a [Head] kept elsewhere:
// Append returns one for each entry. Beside FILE the writer keeps the newest one in
// FILE.head, which finds accidents and careless hands, not those who change both.
//
// # What the writer promises
//
// When Append returns, the entry is on disk. A writer that dies, at any instruction,
// loses nothing that it acknowledged; FILE.head tells the next one how far
// acknowledged entries reach at least. What follows there and verifies is kept, what
// follows and does not verify was never acknowledged and is cut off; damage before
// that point is never cut but refused. Several processes may write one list.
//
// Locks, outermost first:
//
//	Writer.turn      one commit at a time in this process
//	  FILE.head      flock, one commit at a time on this machine
//	    Writer.mu    the batch that gathers appends, and the last head
package mlist
