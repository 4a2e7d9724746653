#!/usr/bin/env bash
# Make the signed update bundle of a built image: usage bundle.sh amd64|arm64   (make bundle ARCH=...)
# Result: build/image/village-point-VERSION-ARCH.raucb, or in VILLAGE_IMAGES where the root lies elsewhere. Verity format: checked block
# by block while it is read, so it may lie anywhere. VILLAGE_ZSTD_LEVEL: 15; less is quicker and makes it larger.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
arch=${1:?usage: bundle.sh amd64|arm64}
version=${VILLAGE_VERSION:-$(sed -n 's/^ *version="\(.*\)",$/\1/p' setup.py)}
keys=${VILLAGE_UPDATE_KEYS:-data/update-keys}
images=${VILLAGE_IMAGES:-build/image}
image=$images/village-point-$version-$arch
out=$image.raucb
[ -s "$image.root.ext4" ] || { echo "bundle: $image.root.ext4 is not there; make image ARCH=$arch" >&2; exit 1; }

mkdir -p "$images/work"
scratch=$(mktemp -d "$images/work/bundle.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cp --sparse=always "$image.root.ext4" "$scratch/root.ext4"
cp packaging/image/bundle-hook "$scratch/hook"
cat >"$scratch/manifest.raucm" <<MANIFEST
[update]
compatible=village-terminal-$arch
version=$version
build=$(git log -1 --format=%cd-%h --date=format:%Y%m%d 2>/dev/null || echo unknown)

[bundle]
format=verity

[hooks]
filename=hook

[image.rootfs]
filename=root.ext4
hooks=post-install
MANIFEST
rm -f "$out"
rauc bundle --cert="$keys/release.pem" --key="$keys/release.key" --keyring="$keys/root.pem" \
    --mksquashfs-args="-comp zstd -Xcompression-level ${VILLAGE_ZSTD_LEVEL:-15} -processors $(nproc)" "$scratch" "$out" >"$scratch.log" 2>&1 ||
    { cat "$scratch.log" >&2; exit 1; }
rm -f "$scratch.log"
printf '  bundle    %s: %d bytes\n' "$out" "$(stat -c %s "$out")"
