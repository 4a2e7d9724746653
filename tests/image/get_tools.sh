#!/usr/bin/env bash
# Install what booting an image in QEMU needs and is missing; about 150 MB, with arm64 280 MB: usage get_tools.sh [arm64]
# A second call looks and does nothing.
set -euo pipefail

tools=(qemu-system-x86 qemu-utils ovmf mtools e2fsprogs)
[ "${1:-}" = arm64 ] && tools+=(qemu-system-arm)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; return; fi
    command -v sudo >/dev/null || { echo "get_tools: root or sudo is needed for: $*" >&2; exit 1; }
    sudo "$@"
}

missing=()
for tool in "${tools[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$tool" 2>/dev/null)" = installed ] || missing+=("$tool")
done
if [ "${#missing[@]}" -gt 0 ]; then
    echo "  tools     ${missing[*]}"
    apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    as_root "${apt[@]}" update </dev/null
    as_root "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null
fi
