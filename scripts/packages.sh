#!/bin/sh
# Installs the Debian packages that the tests and the demo need, as root; as
# another user names those that are missing, and lets the tests say what they
# could not do.
set -eu

packages='gcc libc6-dev make linux-source-6.1 libssl-dev xz-utils binutils python3 git procps
	qemu-system-x86 linux-image-cloud-amd64 busybox-static cpio'

missing=
for p in $packages; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "packages.sh: missing:$missing (install them, or run this as root on Debian)" >&2
	exit 0
fi
echo "packages.sh: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2
# shellcheck disable=SC2086 # one argument a package
apt-get install -y -qq --no-install-recommends $missing >&2
