#!/usr/bin/env bash
# Lay a root tarball out as a flashable disk: usage disk.sh ARCH ROOT.tar OUT.img
# Writes OUT.img and OUT.root.ext4 (for bundles). No loop device, no mount; the same tarball gives the same bytes.
# Needs root, so that files keep their owners while they are unpacked.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arch=$1 tarball=$(realpath "$2") out=$(realpath -m "$3")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:?} MTOOLS_SKIP_CHECK=1 TZ=UTC
scratch=$(mktemp -d "$(dirname "$out")/disk.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root firmware=$scratch/firmware
. "$here/layout.sh"

FIRMWARE_SERIAL=56504657
ROOT_UUID=56503035-0000-4000-8000-00000000000a
DATA_UUID=56503035-0000-4000-8000-00000000000d
HASH_SEED=56503035-0000-4000-8000-000000000001
LARGEST_CARD_BLOCKS=268435456       # 1 TiB: room for its block groups is kept, so that growing is one step

say() { printf '  %-9s %s\n' "$1" "$2"; }

unpack() {
    mkdir "$root"
    tar -C "$root" --numeric-owner --xattrs --xattrs-include='*' -xf "$tarball"
}

fill_firmware() {
    mkdir -p "$firmware/village-point"
    cp -r "$here/firmware/$arch/." "$firmware/"
    cp "$here/firmware/READ-ME.txt" "$firmware/village-point/"
    "$root/usr/lib/village/slot-boot-files" "$root" "$firmware" A
    case $arch in
    amd64)
        mkdir -p "$firmware/EFI/BOOT"
        # normal reads grub.cfg; what is not built in cannot be loaded, so there is nothing else on the partition to load
        grub-mkimage --format x86_64-efi --output "$firmware/EFI/BOOT/BOOTX64.EFI" --prefix /grub \
            part_msdos fat normal linux loadenv test sleep reboot boot configfile efi_gop efi_uga video
        printf '# GRUB Environment Block\ntrial=\n%1024s' '' | head -c 1024 | sed '3s/ /#/g' >"$firmware/grub/grubenv"
        ;;
    arm64)
        for file in bootcode.bin start.elf start4.elf fixup.dat fixup4.dat; do
            cp "$root/usr/lib/raspi-firmware/$file" "$firmware/"
        done
        ;;
    esac
}

fat() { # file: the tree of $firmware, every name and time fixed
    find "$firmware" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
    truncate --size "${FIRMWARE_MIB}M" "$1"
    mkfs.vfat -F 32 -n VILLAGEFW -i $FIRMWARE_SERIAL --invariant "$1" >/dev/null
    (cd "$firmware" && find . -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort |
        while read -r name; do mcopy -s -p -m -i "$1" "$name" ::/; done)
}

ext4() { # file, MiB, label, UUID, source folder, further options
    local file=$1 mib=$2 label=$3 uuid=$4 source=$5
    shift 5
    truncate --size "${mib}M" "$file"
    E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -F -t ext4 -b 4096 -m 0 -L "$label" -U "$uuid" -d "$source" "$@" "$file"
    fix_times "$file"
}

fix_times() { # mke2fs -d takes over when a file was unpacked (ctime) and read (atime); debugfs makes them the build's time
    local inodes free
    inodes=$(dumpe2fs -h "$1" 2>/dev/null | sed -n 's/^Inode count: *//p')
    dumpe2fs "$1" 2>/dev/null >"$scratch/groups"
    "$here/used_inodes.awk" -v inodes="$inodes" -v time="$SOURCE_DATE_EPOCH" "$scratch/groups" >"$scratch/times"
    E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH debugfs -w -f "$scratch/times" "$1" >/dev/null 2>"$scratch/complaints"
    if grep -v '^debugfs ' "$scratch/complaints"; then exit 1; fi
}

table() {
    sfdisk --quiet "$1" <<TABLE
label: dos
label-id: 0x$DISK_ID
unit: sectors
start=$(($(firmware_start_mib) * 2048)), size=$((FIRMWARE_MIB * 2048)), type=c, bootable
start=$(($(root_a_start_mib) * 2048)), size=$((ROOT_MIB * 2048)), type=83
start=$(($(root_b_start_mib) * 2048)), size=$((ROOT_MIB * 2048)), type=83
start=$(($(data_start_mib) * 2048)), size=$((DATA_MIB * 2048)), type=83
TABLE
}

place() { # a file into the disk at an offset; holes stay holes
    dd if="$1" of="$scratch/disk" bs=1M seek="$2" conv=notrunc,sparse status=none
}

unpack
say disk "root unpacked, $(du -sm "$root" | cut -f 1) MB"
fill_firmware
fat "$scratch/p1"
say disk "firmware partition filled, $(du -sm "$firmware" | cut -f 1) of $FIRMWARE_MIB MB"
mkdir "$scratch/data"
touch --date "@$SOURCE_DATE_EPOCH" "$scratch/data"
# A root is never written to while it runs, so it needs no journal.
ext4 "$scratch/p2" "$ROOT_MIB" root "$ROOT_UUID" "$root" -O ^has_journal -E "hash_seed=$HASH_SEED"
say disk "root file system made, $ROOT_MIB MB"
ext4 "$scratch/p4" "$DATA_MIB" data "$DATA_UUID" "$scratch/data" -J size=32 -i 32768 \
    -E "hash_seed=$HASH_SEED,lazy_itable_init=0,lazy_journal_init=0,resize=$LARGEST_CARD_BLOCKS"
truncate --size "$(disk_mib)M" "$scratch/disk"
table "$scratch/disk"
place "$scratch/p1" "$(firmware_start_mib)"
place "$scratch/p2" "$(root_a_start_mib)"
place "$scratch/p4" "$(data_start_mib)"
cp --sparse=always "$scratch/p2" "$scratch/root.ext4"
mv "$scratch/root.ext4" "${out%.img}.root.ext4"
mv "$scratch/disk" "$out"
say disk "$(basename "$out"): $(disk_mib) MB, of which $(du -m "$out" | cut -f 1) MB are written"
