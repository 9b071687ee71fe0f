#!/bin/sh
# What share of its processor time the thread that loads an enclave of 256 MiB
# spends in SHA-256, by sampling; time in which it waits for pages is not counted.
# Needs perf (package linux-perf).
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
command -v perf >/dev/null || { echo "loadshare.sh: needs perf (apt-get install linux-perf)" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$top"
CGO_ENABLED=0 go build -o "$work/softsgx" ./cmd/softsgx # with symbols
make -s -C testprogs
perf record -q -F 5000 -g -o "$work/data" "$work/softsgx" run -- build/testprogs/bench load 256 >/dev/null
perf script -i "$work/data" --comm softsgx -F ip,sym 2>/dev/null | awk '
	/^[[:space:]]*$/ { if (load) { n++; hash += sha } load = sha = 0; next }
	/driver\.\(\*Enclave\)\.Ioctl/ { load = 1 }
	/sha256/ { sha = 1 }
	END { if (!n) exit 1; printf "SHA-256: %.1f %% of the loading thread\047s processor time, %d samples\n", 100 * hash / n, n }'
