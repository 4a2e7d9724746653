#!/usr/bin/env bash
# Make Debian's part of the image as a tarball: usage base.sh amd64|arm64 OUT.tar [PACKAGE ...]
# Kernel, drivers, screen, Python, updater; nothing of village-point yet (root.sh adds it). Needs root.
# 1.5 minutes for amd64, 6 for arm64 under emulation (mkinitramfs alone starts thousands of programs, so it runs once, with a
# list of modules; with MODULES=most, twice, it took a quarter of an hour).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arch=$1 out=$2
shift 2
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:?}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

listed() { grep -hv '^#' "$@" | grep . ; }

"$here/sources.sh" >"$scratch/sources"
packages=$({ listed "$here/packages/common" "$here/packages/$arch"; printf '%s\n' "$@"; } | paste -sd,)
listed "$here/initramfs-modules" >"$scratch/initramfs-modules"

options=()
for left_out in '/usr/share/man/*' '/usr/share/info/*' '/usr/share/doc/*' '/usr/share/locale/*' '/usr/share/lintian/*' \
    '/usr/share/bug/*' '/usr/share/sounds/alsa/*' '/usr/share/mime/*'; do
    options+=("--dpkgopt=path-exclude=$left_out")
done
options+=("--dpkgopt=path-include=/usr/share/doc/*/copyright")
while read -r folder; do
    options+=("--dpkgopt=path-exclude=/lib/modules/*/kernel/$folder/*")
done < <(listed "$here/left-out-modules")

# Until the end, whoever asks for an initramfs gets none.
cat >"$scratch/before" <<'HOOK'
#!/bin/sh
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'COMPRESS=zstd\nMODULES=list\nFSTYPE=ext4\nRESUME=none\n' >"$1/etc/initramfs-tools/conf.d/village"
chroot "$1" dpkg-divert --quiet --local --rename --divert /usr/sbin/update-initramfs.real --add /usr/sbin/update-initramfs
ln -s /bin/true "$1/usr/sbin/update-initramfs"
printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d"
HOOK
cat >"$scratch/after" <<HOOK
#!/bin/sh
set -eu
rm "\$1/usr/sbin/update-initramfs" "\$1/usr/sbin/policy-rc.d"
chroot "\$1" dpkg-divert --quiet --local --rename --remove /usr/sbin/update-initramfs
"$here/initramfs.sh" "\$1" "$scratch/initramfs-modules"
HOOK
chmod 755 "$scratch/before" "$scratch/after"

mmdebstrap --quiet --architectures="$arch" --variant=minbase --format=tar \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
    --dpkgopt=force-unsafe-io "${options[@]}" --include="$packages" \
    --essential-hook="$scratch/before" --customize-hook="$scratch/after" \
    bookworm "$out.unfinished" "$scratch/sources"
mv "$out.unfinished" "$out"
