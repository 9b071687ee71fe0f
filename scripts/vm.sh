#!/bin/sh
# Runs the C programs under softsgx on another machine: Debian's own kernel on a
# processor that QEMU emulates, which has protection keys where this one may not.
# Installs qemu, kernel and busybox when root. Exits 0 if every program ended well.
#
#   scripts/vm.sh [PROGRAM...]      default: all but the heaviest
#
# SOFTSGX, TESTPROGS and VM_DIR say where the binary and the programs are and where
# the machine's disk goes; by default all are under build/.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dir=${VM_DIR:-$top/build/vm}
softsgx=${SOFTSGX:-$top/build/softsgx}
testprogs=${TESTPROGS:-$top/build/testprogs}
programs=${*:-rawenter vdsocall exceptions vectors blocked sigill vforkexec forkshare fdpass base0 mapfirst recreate ereportfirst attest}

for p in qemu-system-x86 linux-image-cloud-amd64 busybox-static cpio; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] && continue
	[ "$(id -u)" -eq 0 ] || { echo "vm.sh: needs $p" >&2; exit 77; }
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$p" >&2
done
kernel=$(ls /boot/vmlinuz-*cloud-amd64 | sort -V | tail -1)

rm -rf "$dir/root"
mkdir -p "$dir/root/bin" "$dir/root/t" "$dir/root/proc" "$dir/root/sys" "$dir/root/dev" "$dir/root/tmp"
cp /bin/busybox "$dir/root/bin/busybox"
cp "$softsgx" "$dir/root/bin/softsgx"
for p in $programs; do cp "$testprogs/static/$p" "$dir/root/t/"; done
cat >"$dir/root/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin SOFTSGX_STATE=/tmp/state
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
ip link set lo up 2>/dev/null
softsgx doctor
for p in $programs; do
	timeout 600 softsgx run -- /t/\$p || echo "FAILED \$p: status \$?"
done
echo "VM DONE"
poweroff -f
INIT
chmod +x "$dir/root/init"
(cd "$dir/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$dir/initrd"

timeout "${VM_TIMEOUT:-1500}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 3G -nographic -no-reboot \
	-kernel "$kernel" -initrd "$dir/initrd" -append 'console=ttyS0 quiet panic=-1' </dev/null | tee "$dir/log"
grep -q 'VM DONE' "$dir/log" && ! grep -q 'FAIL' "$dir/log"
