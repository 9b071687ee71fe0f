package isa

import "fmt"

// Leaf is the number of an ENCLU leaf function, in EAX (SDM vol. 3D, "ENCLU").
type Leaf uint32

// The ENCLU leaves.
const (
	EREPORT        Leaf = 0x0
	EGETKEY        Leaf = 0x1
	EENTER         Leaf = 0x2
	ERESUME        Leaf = 0x3
	EEXIT          Leaf = 0x4
	EACCEPT        Leaf = 0x5
	EMODPE         Leaf = 0x6
	EACCEPTCOPY    Leaf = 0x7
	EVERIFYREPORT2 Leaf = 0x8
	EDECCSSA       Leaf = 0x9
)

var leafNames = [...]string{
	EREPORT: "EREPORT", EGETKEY: "EGETKEY", EENTER: "EENTER", ERESUME: "ERESUME", EEXIT: "EEXIT",
	EACCEPT: "EACCEPT", EMODPE: "EMODPE", EACCEPTCOPY: "EACCEPTCOPY",
	EVERIFYREPORT2: "EVERIFYREPORT2", EDECCSSA: "EDECCSSA",
}

// String returns the SDM's name of the leaf.
func (l Leaf) String() string {
	if int64(l) < int64(len(leafNames)) {
		return leafNames[l]
	}
	return fmt.Sprintf("ENCLU[%#x]", uint32(l))
}

// SystemLeaf is the number of an ENCLS leaf function, in EAX (SDM vol. 3D, "ENCLS").
type SystemLeaf uint32

// The ENCLS leaves.
const (
	ECREATE    SystemLeaf = 0x00
	EADD       SystemLeaf = 0x01
	EINIT      SystemLeaf = 0x02
	EREMOVE    SystemLeaf = 0x03
	EDBGRD     SystemLeaf = 0x04
	EDBGWR     SystemLeaf = 0x05
	EEXTEND    SystemLeaf = 0x06
	ELDB       SystemLeaf = 0x07
	ELDU       SystemLeaf = 0x08
	EBLOCK     SystemLeaf = 0x09
	EPA        SystemLeaf = 0x0A
	EWB        SystemLeaf = 0x0B
	ETRACK     SystemLeaf = 0x0C
	EAUG       SystemLeaf = 0x0D
	EMODPR     SystemLeaf = 0x0E
	EMODT      SystemLeaf = 0x0F
	ERDINFO    SystemLeaf = 0x10
	ETRACKC    SystemLeaf = 0x11
	ELDBC      SystemLeaf = 0x12
	ELDUC      SystemLeaf = 0x13
	EUPDATESVN SystemLeaf = 0x18
)

var systemLeafNames = [...]string{
	ECREATE: "ECREATE", EADD: "EADD", EINIT: "EINIT", EREMOVE: "EREMOVE", EDBGRD: "EDBGRD", EDBGWR: "EDBGWR",
	EEXTEND: "EEXTEND", ELDB: "ELDB", ELDU: "ELDU", EBLOCK: "EBLOCK", EPA: "EPA", EWB: "EWB", ETRACK: "ETRACK",
	EAUG: "EAUG", EMODPR: "EMODPR", EMODT: "EMODT", ERDINFO: "ERDINFO", ETRACKC: "ETRACKC",
	ELDBC: "ELDBC", ELDUC: "ELDUC", EUPDATESVN: "EUPDATESVN",
}

// String returns the SDM's name of the leaf.
func (l SystemLeaf) String() string {
	if int64(l) < int64(len(systemLeafNames)) && systemLeafNames[l] != "" {
		return systemLeafNames[l]
	}
	return fmt.Sprintf("ENCLS[%#x]", uint32(l))
}

// ENCLULength is the length of the ENCLU instruction, 0F 01 D7.
const ENCLULength = 3
