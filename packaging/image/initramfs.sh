#!/usr/bin/env bash
# Make the initramfs of a root folder once: usage initramfs.sh ROOT LIST_OF_MODULES
# Of the list, what the kernel has as a module goes in; what it has built in or lacks is passed over.
set -euo pipefail
root=$1 list=$2
kernel=$(ls "$root/usr/lib/modules" | sort -V | tail -n 1)
chroot "$root" depmod "$kernel"     # folders of modules were left out after the package was built
: >"$root/etc/initramfs-tools/modules"
while read -r module; do
    if grep -qE "/${module//[-_]/[-_]}\.ko" "$root/usr/lib/modules/$kernel/modules.dep"; then
        echo "$module" >>"$root/etc/initramfs-tools/modules"
    fi
done <"$list"
chroot "$root" mkinitramfs -o "/boot/initrd.img-$kernel" "$kernel"
