#!/bin/sh
# Builds the SGX selftest of Linux 6.1, unmodified, from Debian's
# linux-source-6.1 package, and prints the directory that holds test_sgx and
# test_encl.elf (test_sgx opens test_encl.elf by a relative path: run it there).
#
#   scripts/selftest.sh [DIR]      DIR defaults to build/selftest
#
# A second run finds the first one's result and only prints the path. Missing
# packages are installed when the caller is root, and named when it is not.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dir=${1:-$top/build/selftest}
tarball=${LINUX_SOURCE:-/usr/src/linux-source-6.1.tar.xz}
packages='linux-source-6.1 gcc make libssl-dev xz-utils'

# What the selftest's makefile and sources reach, and nothing else.
tests=tools/testing/selftests
paths="tools/include
$tests/sgx
$tests/kselftest.h
$tests/kselftest_harness.h
$tests/lib.mk
$tests/x86/check_cc.sh
$tests/x86/trivial_64bit_program.c
arch/x86/include/asm/sgx.h
arch/x86/include/asm/enclu.h
arch/x86/include/uapi/asm/sgx.h
scripts/subarch.include"

say() { echo "selftest.sh: $*" >&2; }
die() { say "$*"; exit 1; }

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
	missing=
	for p in $packages; do
		installed "$p" || missing="$missing $p"
	done
	[ -z "$missing" ] && return
	[ "$(id -u)" -eq 0 ] || die "missing packages:$missing (run as root, or install them)"
	say "installing$missing"
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >&2 ||
		die "apt-get install failed (is apt-get update needed?)"
}

# The archive is the one that the package shipped: dpkg's own md5sum of it.
verify_tarball() {
	[ -f "$tarball" ] || die "no $tarball"
	want=$(awk -v f="${tarball#/}" '$2 == f { print $1 }' \
		/var/lib/dpkg/info/linux-source-6.1.md5sums 2>/dev/null || true)
	[ -n "$want" ] || { say "no recorded checksum for $tarball"; return; }
	[ "$(md5sum <"$tarball" | cut -d' ' -f1)" = "$want" ] ||
		die "$tarball differs from the one linux-source-6.1 installed"
}

extract() {
	rm -rf "$dir/tree.part" "$dir/tree"
	mkdir -p "$dir/tree.part"
	say "extracting from $tarball"
	# shellcheck disable=SC2086 # one argument a path
	xz -dc -T0 "$tarball" | tar -x -C "$dir/tree.part" --strip-components=1 \
		$(for p in $paths; do echo "linux-source-6.1/$p"; done) ||
		die "extraction failed"
	for p in $paths; do
		[ -e "$dir/tree.part/$p" ] || die "$tarball has no $p"
	done
	# Of the makefile's outputs none may come with the source.
	[ ! -e "$dir/tree.part/$tests/sgx/test_sgx" ] || die "the source holds a built test_sgx"
	(cd "$dir/tree.part" && find $tests arch scripts -type f -exec sha256sum {} + | sort -k2) \
		>"$dir/SHA256SUMS"
	mv "$dir/tree.part" "$dir/tree"
}

sources_unmodified() {
	[ -s "$dir/SHA256SUMS" ] && [ -d "$dir/tree" ] &&
		(cd "$dir/tree" && sha256sum --quiet --status -c "$dir/SHA256SUMS")
}

built() {
	[ -x "$1/test_sgx" ] && [ -s "$1/test_encl.elf" ]
}

mkdir -p "$dir"
dir=$(CDPATH='' cd -- "$dir" && pwd)
sgx=$dir/tree/$tests/sgx

if ! { sources_unmodified && built "$sgx"; }; then
	install_packages
	sources_unmodified || { verify_tarball; extract; }
	say "building"
	# No settings of ours or of a surrounding make may reach the build.
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CFLAGS -u LDFLAGS -u CROSS_COMPILE -u CC \
		-u O -u KBUILD_OUTPUT -u OUTPUT \
		make -C "$sgx" >"$dir/build.log" 2>&1 || { cat "$dir/build.log" >&2; die "make failed"; }
	built "$sgx" || die "make left no test_sgx and test_encl.elf in $sgx"
	sources_unmodified || die "the build changed its sources"
fi
echo "$sgx"
