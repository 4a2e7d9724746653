#!/usr/bin/env bash
# Make the signed delta bundle between two built images: usage delta.sh ARCH OLD.root.ext4 OLD_VERSION NEW.root.ext4 NEW_VERSION OUT.raucb
# It can be put only on a terminal that runs OLD_VERSION; `village-hub release add` takes it in beside the whole bundle, and terminals
# choose. VILLAGE_UPDATE_KEYS: folder of root.pem, release.pem, release.key. VILLAGE_POST_INSTALL: the whole bundle's hook.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 6 ] || { sed -n '2s/.*usage /usage: /p' "$0" >&2; exit 2; }
arch=$1 old=$2 old_version=$3 new=$4 version=$5 out=$6
keys=${VILLAGE_UPDATE_KEYS:-data/update-keys}
post_install=${VILLAGE_POST_INSTALL:-$here/../image/bundle-hook}
format=${VILLAGE_BUNDLE_FORMAT:-verity}

scratch=$(mktemp -d "$(dirname "$out")/delta.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bundle"
figures=$(python3 "$here/make_delta.py" "$old" "$new" "$old_version" "$scratch/bundle/root.delta")
cp "$here/apply_delta.py" "$scratch/bundle/"
cp "$here/delta-hook" "$scratch/bundle/hook"
cp "$post_install" "$scratch/bundle/post-install"
chmod 755 "$scratch/bundle/hook" "$scratch/bundle/post-install"
cat >"$scratch/bundle/manifest.raucm" <<MANIFEST
[update]
compatible=village-terminal-$arch
version=$version
description=on $old_version

[bundle]
format=$format

[hooks]
filename=hook

[image.rootfs]
filename=root.delta
hooks=install
MANIFEST
rm -f "$out"
rauc bundle --cert="$keys/release.pem" --key="$keys/release.key" --keyring="$keys/root.pem" \
    --mksquashfs-args="-comp xz -b 1M -no-progress" "$scratch/bundle" "$out" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
printf '  delta     %s: %d bytes, %s\n' "$out" "$(stat -c %s "$out")" "$figures"
