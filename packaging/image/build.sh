#!/usr/bin/env bash
# Build the flashable image: usage build.sh amd64|arm64   (make image ARCH=...)
# Result in build/image/: .img, .bmap, .sha256, .packages, .root.ext4 (for `make bundle`). Needs root or sudo, and no loop device.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=packaging/image
arch=${1:?usage: build.sh amd64|arm64}
BASE_HOURS=24       # so old may Debian's part be before it is fetched anew, for security updates

version=$(sed -n 's/^ *version="\(.*\)",$/\1/p' setup.py)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y setup.py)}
keys=${VILLAGE_UPDATE_KEYS:-data/update-keys}
deb=${VILLAGE_POINT_DEB:-build/deb/village-point_${version}_$arch.deb}
work=build/image/work out=build/image/village-point-$version-$arch
started=$(date +%s)

say() { printf '  %-9s %3d s  %s\n' "$1" $(($(date +%s) - started)) "$2"; }

as_root() {
    local run=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "image: root or sudo is needed" >&2; exit 1; }
        run=(sudo)
    fi
    "${run[@]}" env SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" VILLAGE_KEYRING="$keys/root.pem" \
        VILLAGE_APT_URI="${VILLAGE_APT_URI:-}" VILLAGE_APT_SECURITY_URI="${VILLAGE_APT_SECURITY_URI:-}" "$@"
}

is_fresh() { # Debian's part: same lists, not too old
    [ "$(cat "$base.made-from" 2>/dev/null)" = "$made_from" ] && [ -n "$(find "$base" -mmin -$((BASE_HOURS * 60)) 2>/dev/null)" ]
}

needs_of() { # names of the packages that a .deb depends on
    dpkg-deb --field "$1" Depends Recommends | sed 's/^[A-Z][a-z]*: //' | tr ',' '\n' | sed 's/[(|].*//; s/ //g' | grep .
}

"$here/get_tools.sh" "$arch"
"$here/keys.sh" "$keys"
mkdir -p "$work"
[ -n "${VILLAGE_POINT_DEB:-}" ] || make deb ARCH="$arch" ARGS="--only point"
mapfile -t needs < <(needs_of "$deb")
base=$work/base-$arch.tar
made_from=$({ cat "$here"/{base,initramfs,sources}.sh "$here"/packages/{common,"$arch"} "$here"/{initramfs,left-out}-modules
    echo "${needs[@]}"; } | sha256sum)
if ! is_fresh; then
    say base "Debian 12 $arch: 1.5 minutes, 6 under emulation"
    as_root "$here/base.sh" "$arch" "$base" "${needs[@]}"
    echo "$made_from" >"$base.made-from"
fi
say root "village-point $version and the image's own files"
as_root "$here/root.sh" "$arch" "$base" "$deb" "$version" "$work/root-$arch.tar"
say disk "laid out without loop devices"
as_root "$here/disk.sh" "$arch" "$work/root-$arch.tar" "$out.img"
cp "$work/root-$arch.packages" "$out.packages"
bmaptool --quiet create -o "$out.bmap" "$out.img"
(cd build/image && sha256sum "$(basename "$out").img" >"$(basename "$out").sha256")
say done "$out.img, $(du -m "$out.img" | cut -f 1) MB to write, SHA-256 $(cut -c 1-16 "$out.sha256")…"
