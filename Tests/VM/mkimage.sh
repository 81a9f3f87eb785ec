#!/bin/bash
# mkimage.sh: a stock Debian kernel and a small initramfs, for runvm.sh.
#
# The kernel package is downloaded and unpacked, not installed. There is no disk image: the guest uses this
# machine's own / (read-only, changes kept in memory), so it has every program and library that is here.
#
# Result in $FLINCH_VM (img beside this script unless set): kernel, initramfs, version, lib/modules, ovs. 230 MB.
# Takes seconds. Needs Debian 12, root and the network.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
image=${FLINCH_VM:-$here/img}
package=linux-image-amd64 # The -cloud- kernels have no 9p.

[ "$(id -u)" = 0 ] || { echo "mkimage: run it as root" >&2; exit 1; }
missing=()
for pair in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static modprobe:kmod xz:xz-utils; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
apt-cache show $package >/dev/null 2>&1 || apt-get update -qq
if [ ${#missing[@]} -gt 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends "${missing[@]}" >/dev/null
fi

mkdir -p "$image"
work=$(mktemp -d "$image/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# The meta package depends on the one of the current version. All modules but those for hardware that the
# guest does not have.
real=$(apt-cache depends $package | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -1)
apt-get download -qq -o APT::Sandbox::User=root "${real:-$package}"
unwanted=(gpu media infiniband net/ethernet net/wireless scsi staging usb iio hwmon input)
dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards './boot/vmlinuz-*' './lib/modules/*' \
    "${unwanted[@]/#/--exclude=*/drivers/}" --exclude='*/kernel/sound'
version=$(ls lib/modules)
depmod -b . "$version"

# vmlinuz unpacks itself, slowly without KVM. Unpacked here once, QEMU starts the ELF file inside directly.
for offset in $(LC_ALL=C grep -aboP '\xfd7zXZ\x00' boot/vmlinuz-* | cut -d: -f1); do
    tail -c +$((offset + 1)) boot/vmlinuz-* | xz -dc >kernel 2>/dev/null || true
    [ "$(head -c 4 kernel | tr -d '\0')" = $'\x7fELF' ] && break
done
[ -s kernel ] || cp boot/vmlinuz-* kernel

# busybox, init, and the modules that reach the 9p root, numbered in the order of loading.
mkdir -p root/{bin,modules,proc,sys,dev,new,low,rw}
cp "$(command -v busybox)" root/bin/busybox
install -m 755 "$here/init" root/init
count=100
while read -r what file; do
    [ "$what" = insmod ] || continue
    [ -z "$(find root/modules -name "*-${file##*/}")" ] || continue
    cp "$file" "root/modules/$count-${file##*/}"
    count=$((count + 1))
done < <(for module in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
    modprobe -S "$version" -d "$work" --show-depends $module
done)
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >initramfs

# Open vSwitch's programs, unpacked as well: installed, they would start here. The rest of what they need is there.
mkdir packages
(cd packages && apt-get download -qq -o APT::Sandbox::User=root openvswitch-switch openvswitch-common libxdp1)
for file in packages/*.deb; do dpkg-deb -x "$file" ovs; done

# The initramfs last: it says that the rest is there.
rm -rf "$image/lib" "$image/ovs" "$image/initramfs"
mv lib kernel ovs "$image/"
echo "$version" >"$image/version"
mv initramfs "$image/"
echo "mkimage: kernel $version in $image"
