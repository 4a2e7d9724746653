#!/usr/bin/env bash
# Build the tryboot module for a root's kernel and put it there: usage module.sh ROOT
# The headers of exactly this kernel come from where the image's packages came from, into a scratch folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(realpath "$1")
kernel=$(ls "$root/usr/lib/modules" | sort -V | tail -n 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

mkdir -p apt/lists/partial apt/archives/partial module
"$here/sources.sh" >apt/sources.list
for_image=(apt-get --quiet=2 -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root
    -o Dir::State="$scratch/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$scratch/apt"
    -o Dir::Etc::SourceList="$scratch/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null)
"${for_image[@]}" update
"${for_image[@]}" download "linux-headers-$kernel" "linux-headers-${kernel%-*}-common"
apt-get --quiet=2 -o APT::Sandbox::User=root download linux-kbuild-6.1     # programs for this machine
for package in *.deb; do dpkg-deb --extract "$package" .; done
headers=$scratch/usr/src/linux-headers-$kernel
sed -i "s#/usr/src/#$scratch/usr/src/#" "$headers/Makefile"

cp "$here/tryboot/"* module/
cross=aarch64-linux-gnu-
make --silent -C "$headers" M="$scratch/module" ARCH=arm64 CROSS_COMPILE=$cross KBUILD_BUILD_TIMESTAMP="@$SOURCE_DATE_EPOCH" \
    modules 2>"$scratch/complaints" || { cat "$scratch/complaints" >&2; exit 1; }
"${cross}strip" --strip-debug module/village_tryboot.ko
install -D -m 644 module/village_tryboot.ko "$root/usr/lib/modules/$kernel/updates/village_tryboot.ko"
chroot "$root" depmod "$kernel"
