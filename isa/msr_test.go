package isa

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
)

func TestLaunchSignerAfterReset(t *testing.T) {
	t.Run("isa 23", func(t *testing.T) {
		var b []byte
		for _, v := range SGXLEPUBKEYHASHReset {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		if got := hex.EncodeToString(b); got != "acb77012053e05a63d413b8bbae8fb6c5d73b3f2996d91c43bbbf90959c0f8d4" {
			t.Error(got)
		}
	})
}
