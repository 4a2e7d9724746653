#!/usr/bin/env bash
# Install what booting an image in QEMU needs and is missing; about 150 MB, with arm64 280 MB: usage get_tools.sh [arm64]
# A second call looks and does nothing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../packaging/need.sh"

tools=(qemu-system-x86 qemu-utils ovmf mtools e2fsprogs)
[ "${1:-}" = arm64 ] && tools+=(qemu-system-arm)

need "${tools[@]}"
