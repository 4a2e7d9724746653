#!/usr/bin/env bash
# Put village-point and the image's own files into Debian's part: usage root.sh ARCH BASE.tar VILLAGE_POINT.deb VERSION OUT.tar
# Needs root; for another architecture its programs must run here (get_tools.sh).
set -euo pipefail
umask 022       # whoever builds may have a stricter one, and not everything in the image runs as root
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arch=$1 base=$(realpath "$2") deb=$(realpath "$3") version=$4 out=$(realpath -m "$5")
: "${SOURCE_DATE_EPOCH:?}" "${VILLAGE_KEYRING:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
. "$here/layout.sh"

OURS=(village-grow village-fault village-down village-rescue village-health village-logs.timer systemd-networkd systemd-resolved)
NEVER=(container-getty@.service sleep.target suspend.target hibernate.target hybrid-sleep.target systemd-firstboot.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
    systemd-networkd-wait-online.service remote-fs.target wpa_supplicant.service)
# Each costs a start some tenths of a second on a small board, and nothing here uses it. systemd-user-sessions lets people log
# in once there is a network; there are no logins, and the kiosk shall not wait for a network.
NOT_NEEDED=(systemd-user-sessions.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount dev-hugepages.mount
    dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount systemd-update-utmp.service
    systemd-update-utmp-runlevel.service keyboard-setup.service console-setup.service)

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

unpack() {
    mkdir "$root"
    tar -C "$root" --numeric-owner --xattrs --xattrs-include='*' -xf "$base"
}

install_village_point() { # what it depends on is in Debian's part already, so nothing is fetched here
    cp "$deb" "$root/village-point.deb"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    in_root dpkg --install /village-point.deb
    rm "$root/village-point.deb" "$root/usr/sbin/policy-rc.d"
}

copy_files() {
    cp -r --no-preserve=ownership "$here/files/." "$root/"
    cp "$here/layout.sh" "$root/usr/lib/village/layout"
    sed -i "s/@ARCH@/$arch/; s/@DISK_ID@/$DISK_ID/" "$root/etc/rauc/system.conf"
    install -m 644 "$VILLAGE_KEYRING" "$root/etc/rauc/keyring.pem"     # the kiosk's own user judges a release by it first
    printf 'VERSION=%s\nARCH=%s\nCOMPATIBLE=village-terminal-%s\n' "$version" "$arch" "$arch" >"$root/etc/village-image"
    echo village-point >"$root/etc/hostname"
    mkdir -p "$root/data" "$root/boot/firmware" "$root/etc/village-point" "$root/var/lib/village-point"
    ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
}

set_units() {
    # as shipped, the whole start waits for names to be resolved; an order cannot be taken back by a drop-in
    sed 's/^Before=sysinit.target /Before=/; s/^WantedBy=sysinit.target$/WantedBy=multi-user.target/' \
        "$root/usr/lib/systemd/system/systemd-resolved.service" >"$root/etc/systemd/system/systemd-resolved.service"
    in_root systemctl --quiet enable "${OURS[@]}"
    in_root systemctl --quiet add-wants multi-user.target nftables.service     # not sysinit.target, where the kiosk waits for it
    in_root systemctl --quiet mask "${NEVER[@]}" "${NOT_NEEDED[@]}"
    in_root systemctl --quiet set-default multi-user.target
    in_root village-point-kiosk enable
}

clean() { # no trace of the building machine, nothing that a device has to make itself
    (
        cd "$root"
        rm -rf etc/apt/sources.list etc/apt/sources.list.d/* etc/apt/apt.conf.d/99mmdebstrap etc/dpkg/dpkg.cfg.d/99mmdebstrap \
            var/lib/apt/lists/* var/cache/apt/* var/log/* var/cache/debconf/*-old var/lib/dpkg/*-old var/cache/ldconfig/aux-cache \
            var/lib/systemd/random-seed var/lib/dbus/machine-id etc/ssl/private/* etc/.pwd.lock etc/passwd- etc/group- \
            etc/shadow- etc/gshadow- etc/subuid- etc/subgid- boot/System.map-* run/* tmp/* root/.??*
        find . -xdev -name __pycache__ -type d -prune -not -path './opt/*' -exec rm -rf {} +
        : >etc/machine-id
    )
    in_root passwd --lock root >/dev/null
}

prove() { # what must not be in it, is not
    local place
    while read -r _ _ place _; do
        place=${place#*://}
        if grep -rIlF "${place%%/*}" "$root/etc" "$root/opt" "$root/var" 2>/dev/null | grep -v '/share/doc/'; then
            echo "root.sh: the files above name the building machine's source of packages" >&2
            exit 1
        fi
    done < <("$here/sources.sh")
    for place in rauc/keyring.pem village-image; do
        if ! in_root setpriv --reuid village --regid village --init-groups test -r "/etc/$place"; then
            echo "root.sh: the kiosk's user cannot read /etc/$place, so it would refuse every release" >&2
            exit 1
        fi
    done
    if find "$root" -xdev -name '*.key' -o -xdev -name 'ssh_host_*' | grep .; then
        echo "root.sh: the files above look like private keys" >&2
        exit 1
    fi
}

unpack
[ "$arch" != arm64 ] || "$here/module.sh" "$root"
install_village_point
copy_files
set_units
clean
prove
in_root dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\n' >"${out%.tar}.packages"
tar -C "$root" --sort=name --numeric-owner --xattrs --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime \
    --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime -cf "$out.unfinished" .
mv "$out.unfinished" "$out"
