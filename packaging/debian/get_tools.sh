#!/usr/bin/env bash
# Bring what building the Debian packages needs beside `make setup`: Debian's Python with its headers, dpkg-deb, and for
# another architecture a cross compiler and that architecture's Python headers. usage: get_tools.sh ARCH [test]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. packaging/need.sh

arch=${1:-amd64} for_test=${2:-}
here=$(dpkg --print-architecture)
wanted=(dpkg-dev gcc libc6-dev linux-libc-dev python3.11 python3.11-dev python3.11-venv)
case $arch in
    amd64) wanted+=(binutils-x86-64-linux-gnu) ;;
    arm64) wanted+=(binutils-aarch64-linux-gnu) ;;
    *) echo "ARCH is amd64 or arm64" >&2; exit 2 ;;
esac
if [ "$for_test" = test ]; then wanted+=(mmdebstrap iproute2 util-linux); fi
if [ "$arch" != "$here" ]; then
    case $arch in
        amd64) wanted+=(gcc-x86-64-linux-gnu libc6-dev-amd64-cross) ;;
        arm64) wanted+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross) ;;
    esac
fi

need "${wanted[@]}"

# The headers of Python, and of the kernel as new as this machine's, are written for one architecture each. They are only unpacked, not installed, and asked for
# with lists of their own, so this machine's apt stays as it is.
other=build/deb/work/python-$arch
if [ "$arch" != "$here" ] && [ ! -d "$other" ]; then
    lists=$PWD/build/deb/work/apt-$arch
    mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$other.part"
    : >"$lists/status"
    apt=(-qq -o APT::Architecture="$arch" -o APT::Architectures::="$arch" -o Dir::State="$lists"
        -o Dir::State::lists="$lists/lists" -o Dir::State::status="$lists/status" -o Dir::Cache="$lists/cache"
        -o APT::Sandbox::User=root)
    apt-get "${apt[@]}" update </dev/null
    (cd "$lists" && apt-get "${apt[@]}" download "libpython3.11-dev:$arch" "libpython3.11-minimal:$arch" "libpython3.11-stdlib:$arch" \
        "linux-libc-dev:$arch")
    for deb in "$lists"/*.deb; do dpkg-deb --extract "$deb" "$other.part"; done
    mkdir -p "$other.part/usr/lib/python3.11/target"
    cp "$other.part"/usr/lib/python3.11/_sysconfigdata__*.py "$other.part/usr/lib/python3.11/target/"
    rm -rf "$lists"
    mv "$other.part" "$other"
    echo "  headers   Python 3.11 for $arch"
fi
