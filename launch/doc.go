// Package launch decides who may launch an enclave, from which bytes and with
// which rights. It knows no process, descriptor or page table: its caller turns
// what happens into events of plain values, asks an Engine and acts on the
// Decision.
//
// The model is that of the project's security reference ("Decision model for our
// driver"): subjects, enclaves and files; rights with scopes; keysets of signers
// and measurements; namespaces of which a child can only narrow its parent.
// Rules are written in Cedar (https://docs.cedarpolicy.com), beside statements for
// what Cedar keeps elsewhere: keysets, modes, namespaces, includes.
//
// An Engine is safe for concurrent use. One lock covers its keysets and its
// generation: a decision sees one generation, and the lock level of a keyset is
// tested under the lock that the change is made under.
package launch
