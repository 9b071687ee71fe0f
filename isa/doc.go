// Package isa holds the facts of the SGX architecture: numbers, structure
// layouts and the two ways in which an instruction can refuse (Fault and Code).
// It has no behaviour and imports nothing of ours.
//
// Revision: Intel SDM volume 3D of December 2023. Names keep the SDM's spelling.
package isa
