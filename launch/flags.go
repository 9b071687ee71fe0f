package launch

import (
	"fmt"
	"strings"

	"softsgx/isa"
)

// flagNames are the names of ATTRIBUTES bits in policy files and events.
var flagNames = []struct {
	bit  uint64
	name string
}{
	{isa.ATTR_DEBUG, "DEBUG"}, {isa.ATTR_MODE64BIT, "MODE64BIT"}, {isa.ATTR_PROVISIONKEY, "PROVISIONKEY"},
	{isa.ATTR_EINITTOKEN_KEY, "EINITTOKENKEY"}, {isa.ATTR_CET, "CET"}, {isa.ATTR_KSS, "KSS"},
	{isa.ATTR_AEXNOTIFY, "AEXNOTIFY"},
}

// parseFlag returns the bit of ATTRIBUTES with that name.
func parseFlag(name string) (uint64, error) {
	var names []string
	for _, f := range flagNames {
		if f.name == name {
			return f.bit, nil
		}
		names = append(names, f.name)
	}
	return 0, fmt.Errorf("%q is no attribute: they are %s", name, strings.Join(names, ", "))
}

// flagText lists the bits of mask, with ! before those not in value.
func flagText(value, mask uint64) string {
	var words []string
	for _, f := range flagNames {
		switch {
		case mask&f.bit == 0:
		case value&f.bit == 0:
			words = append(words, "!"+f.name)
		default:
			words = append(words, f.name)
		}
	}
	return strings.Join(words, " ")
}
