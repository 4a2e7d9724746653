#!/usr/bin/env bash
# Install what building an image needs and is missing: usage get_tools.sh amd64|arm64
# About 60 MB; for arm64 on another machine also the user-mode emulator (60 MB) and a cross compiler (100 MB).
# A second call looks and does nothing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../need.sh"

arch=${1:?usage: get_tools.sh amd64|arm64}
tools=(mmdebstrap arch-test mtools dosfstools e2fsprogs fdisk bmap-tools zstd rauc squashfs-tools openssl)
machine=$(dpkg --print-architecture)
case $arch in
amd64) tools+=(grub-efi-amd64-bin grub-common) ;;
arm64)
    tools+=(make gcc-aarch64-linux-gnu)     # on an arm64 machine the same compiler, under the same name
    [ "$machine" = arm64 ] || tools+=(qemu-user-static) ;;
*) echo "get_tools: no image for $arch; there are amd64 and arm64" >&2; exit 2 ;;
esac

need "${tools[@]}"

# Programs of another architecture run when the kernel knows their emulator. The package registers it at the machine's
# start; where there is no such service (a container), it is done here.
if [ "$arch" = arm64 ] && ! arch-test arm64 >/dev/null 2>&1; then
    binfmt=/proc/sys/fs/binfmt_misc
    [ -e $binfmt/register ] || as_root mount -t binfmt_misc binfmt_misc $binfmt
    [ -e $binfmt/qemu-aarch64 ] || grep -v '^#' /usr/lib/binfmt.d/qemu-aarch64.conf | as_root tee $binfmt/register >/dev/null
    arch-test arm64 >/dev/null || { echo "get_tools: arm64 programs do not run here" >&2; exit 1; }
fi
