# The disk, in one place. Sourced by the scripts of this folder and, copied to /usr/lib/village/layout, by those of the image.
# MBR, because the boot ROM of the Raspberry Pi 3 reads nothing else; four primary partitions are what it has.
DISK_ID=56503035           # the same in every image: the kernel finds its partitions by it, whatever the card is called
FIRST_MIB=8                # room before the first partition: erase blocks of SD cards are up to 4 or 8 MiB
FIRMWARE_MIB=256           # p1 FAT32: firmware and the boot files of both slots, 17 to 50 MB each
ROOT_MIB=1280              # p2, p3 ext4, read-only: root A and root B
DATA_MIB=256               # p4 ext4: grown to the whole card at the first start

firmware_start_mib() { echo "$FIRST_MIB"; }
root_a_start_mib() { echo $((FIRST_MIB + FIRMWARE_MIB)); }
root_b_start_mib() { echo $((FIRST_MIB + FIRMWARE_MIB + ROOT_MIB)); }
data_start_mib() { echo $((FIRST_MIB + FIRMWARE_MIB + 2 * ROOT_MIB)); }
disk_mib() { echo $((FIRST_MIB + FIRMWARE_MIB + 2 * ROOT_MIB + DATA_MIB)); }
slot_partition() { case $1 in A) echo 2 ;; B) echo 3 ;; *) return 1 ;; esac }
slot_partuuid() { echo "$DISK_ID-0$(slot_partition "$1")"; }
