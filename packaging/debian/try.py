"""Install, use, upgrade, remove and purge both packages in a clean Debian 12. Ends with counts, sizes and times.

    python packaging/debian/try.py [--only point|hub]

Uses the packages in build/deb/ of this version; builds what is missing. Needs root (mount and network namespaces).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from build import OUT, ROOT
from clean_debian import CleanDebian, Failed

POINT_TOML = """\
site = "QJ-0001"
name = "金溪村服务点"
profile = "village_point"
data_dir = "/var/lib/village-point"
language = "zh"
sim = true
[panel]
width = 1280
height = 800
diagonal_inch = 10.1
fullscreen = true
[cabinet]
locker = "locker"
cells = "SSSSSSSSMMMMLLLL"
[[shelf]]
name = "A"
levels = 4
positions = 20
[devices.locker]
kind = "lock_8a80"
path = "/tmp/sim/locker"
polarity = "short_when_locked"
[devices.gun]
kind = "serial_scanner"
path = "/tmp/sim/gun"
"""
SIM_TOML = """\
control = "/tmp/sim/control"
[devices.locker]
kind = "lock_8a80"
path = "/tmp/sim/locker"
cells = 24
polarity = "short_when_locked"
[devices.gun]
kind = "serial_scanner"
path = "/tmp/sim/gun"
"""
AS_VILLAGE = "setpriv --reuid=village --regid=village --clear-groups env HOME=/tmp"
# The simulated devices and the kiosk, headless or drawing offscreen; $1 is what the log must hold before it is stopped.
LIFE = """
mkdir -m 777 /tmp/sim; cd /tmp; C=/etc/village-point/point.toml
{as_village} village-sim --config /etc/village-point/sim.toml >/tmp/sim.log 2>&1 & sim=$!
for i in $(seq 100); do [ -e /tmp/sim/gun ] && break; sleep 0.1; done
{as_village} SDL_VIDEODRIVER=offscreen village-point run {headless} --config $C >/tmp/run.log 2>&1 & run=$!
for i in $(seq 600); do
    grep -qs "{awaited}" /var/lib/village-point/log/*.log && [ -S /var/lib/village-point/doctor.sock ] && break
    sleep 0.1
done
grep -h "{awaited}" /var/lib/village-point/log/*.log | tail -1
{as_village} village-sim poke --control /tmp/sim/control gun send SF1234567890123
{as_village} village-point doctor --json --config $C >/tmp/doctor.json || true
head -c 300 /tmp/doctor.json; echo
kill -TERM $run; wait $run; echo "ended with $?"
kill $sim; wait $sim || true
{as_village} village-point log verify --config $C
rm -f /var/lib/village-point/log/*.log
"""
HUB_TOML = """\
data_dir = "/var/lib/village-hub"
[broker]
host = "127.0.0.1"
port = 8884
[enrolment]
hosts = "127.0.0.1 localhost"
port = 8443
broker_port = 8883
broker_dir = "/etc/mosquitto/village"
reload = "true"
[sites.QJ-0001]
name = "金溪村服务点"
link_key_file = "/etc/village-hub/QJ-0001.key"
"""
AS_HUB = "setpriv --reuid=village-hub --regid=village-hub --init-groups env HOME=/var/lib/village-hub"
HUB_LIFE = """
cd /tmp; C=/etc/village-hub/hub.toml
{as_hub} village-hub ca init --config $C
printf 'include_dir /etc/mosquitto/village\\n' >/tmp/broker.conf
mosquitto -c /etc/mosquitto/village/mosquitto.conf >/tmp/broker.log 2>&1 & broker=$!
sleep 2
{as_hub} village-hub run --config $C >/tmp/hub.log 2>&1 & hub=$!
for i in $(seq 200); do {as_hub} village-hub status --config $C >/tmp/status 2>/dev/null && break; sleep 0.1; done
cat /tmp/status
kill -TERM $hub; wait $hub; echo "ended with $?"
kill $broker; wait $broker || true
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=("point", "hub"))
    only = parser.parse_args().only
    if os.geteuid() != 0:
        parser.error("a clean Debian needs namespaces and mounts: run it as root")
    version = re.findall(r'version="([^"]+)"', (ROOT / "setup.py").read_text())[0]
    plan = Plan()
    for short, check in (("point", point), ("hub", hub)):
        if only in (None, short):
            old = OUT / f"village-{short}_{version}_amd64.deb"
            if not old.exists():
                subprocess.run([sys.executable, ROOT / "packaging/debian/build.py", "--only", short], check=True)
            try:
                check(plan, old, newer(old, f"{version}+1"))
            except Failed as error:
                print(f"  FAILED  {error}")
                plan.failed += 1
    print(f"{plan.passed} passed, {plan.failed} failed")
    return 1 if plan.failed else 0


class Plan:
    """What was done, how long it took."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def step(self, name: str, act: Callable[[], object], holds: Callable[[str], bool] | None = None) -> None:
        """Do it; `holds` judges what it said."""
        began = time.monotonic()
        told = str(act() or "").strip()
        if holds is not None and not holds(told):
            raise Failed(f"{name}: {told[-1500:]}")
        self.passed += 1
        print(f"  {time.monotonic() - began:6.1f} s  {name}", flush=True)


def newer(deb: Path, version: str) -> Path:
    """The same package under a higher version."""
    folder, target = OUT / "work/newer", OUT / "work" / f"{deb.name.split('_')[0]}_{version}.deb"
    subprocess.run(["rm", "-rf", folder], check=True)
    subprocess.run(["dpkg-deb", "--raw-extract", deb, folder], check=True)
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    pack = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", folder, target]
    subprocess.run(pack, check=True, stdout=subprocess.DEVNULL)
    return target


def point(plan: Plan, old: Path, new: Path) -> None:
    print(f"village-point: {old.stat().st_size / 1e6:.1f} MB packed")
    debian = CleanDebian(OUT / "work/root-point", OUT / "work/minbase.tar")
    inside = _brought(debian, old, new)
    plan.step("what it depends on", lambda: debian.do(f"apt-get -qq update; {_depends(old)}", 1200))
    before = debian.tree()
    plan.step(
        "apt install ./village-point", lambda: debian.do(f"apt-get -qq install --no-install-recommends {inside[0]}")
    )
    print(f"            {_size(debian, 'village-point')} MB installed, {len(debian.tree()) - len(before)} files")
    plan.step(
        "a code is recognised",
        lambda: debian.do("village-point code recognise -- SF1234567890123", alone=True),
        lambda told: json.loads(told)["candidates"][0]["carrier"] == "SF",
    )
    plan.step(
        "the installation alone changes nothing in /etc", lambda: _etc(before, debian.tree()), lambda told: not told
    )
    plan.step(
        "settings",
        lambda: _settings(debian, "village-point", "village", {"point.toml": POINT_TOML, "sim.toml": SIM_TOML}),
    )
    for name, headless, awaited in (("a simulated point starts and ends", "--headless", "gun is there"),
                                    ("its window is drawn", "", "drawn by")):  # fmt: skip
        life = LIFE.format(as_village=AS_VILLAGE, headless=headless, awaited=awaited)
        plan.step(
            name, lambda life=life: debian.do(life, alone=True), lambda told, awaited=awaited: _lived(told, awaited)
        )
    kept = debian.do("sha256sum /var/lib/village-point/point.db /var/lib/village-point/device.key /etc/village-point/*")
    plan.step("kiosk mode on", lambda: debian.do("village-point-kiosk enable; village-point-kiosk status"))
    plan.step(
        "its rules are understood by udev",
        lambda: debian.do(UDEV, alone=True),
        lambda told: told.endswith("none wrong"),
    )
    debian.do("echo of an older version >/etc/sysctl.d/90-village-kiosk.conf")
    plan.step(
        "upgrade to a higher version", lambda: debian.do(f"apt-get -qq install --no-install-recommends {inside[1]}")
    )
    same = "sha256sum /var/lib/village-point/point.db /var/lib/village-point/device.key /etc/village-point/*"
    plan.step("data and settings are the same", lambda: debian.do(same), lambda told: told == kept.strip())
    plan.step("still a kiosk", lambda: debian.do("village-point-kiosk status"))
    renewed = "cmp /usr/share/village-point/kiosk/sysctl.conf /etc/sysctl.d/90-village-kiosk.conf"
    plan.step("with the files of the new version", lambda: debian.do(renewed))
    life = LIFE.format(as_village=AS_VILLAGE, headless="--headless", awaited="gun is there")
    plan.step("it goes on with them", lambda: debian.do(life, alone=True), lambda told: _lived(told, "gun is there"))
    plan.step("remove keeps data", lambda: debian.do(f"apt-get -qq remove village-point; {same}"))
    plan.step("remove ends kiosk mode", lambda: _kiosk_files(debian), lambda told: not told)
    plan.step("purge", lambda: debian.do("apt-get -qq purge village-point"))
    plan.step("purge leaves nothing", lambda: _left(before, debian.tree()), lambda told: not told)


def hub(plan: Plan, old: Path, new: Path) -> None:
    print(f"village-hub: {old.stat().st_size / 1e6:.1f} MB packed")
    debian = CleanDebian(OUT / "work/root-hub", OUT / "work/minbase.tar")
    inside = _brought(debian, old, new)
    debian.do("printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d")
    plan.step("what it depends on", lambda: debian.do(f"apt-get -qq update; {_depends(old)} mosquitto", 1200))
    before = debian.tree()
    plan.step(
        "apt install ./village-hub", lambda: debian.do(f"apt-get -qq install --no-install-recommends {inside[0]}")
    )
    print(f"            {_size(debian, 'village-hub')} MB installed, {len(debian.tree()) - len(before)} files")
    plan.step("settings", lambda: _settings(debian, "village-hub", "village-hub", {"hub.toml": HUB_TOML}))
    life = HUB_LIFE.format(as_hub=AS_HUB)
    plan.step(
        "authority, broker, hub start and end",
        lambda: debian.do(life, alone=True),
        lambda told: _lived(told, "QJ-0001"),
    )
    modules = "psycopg, waitress, werkzeug, jinja2, sync.hub.web.server, sync.hub.postgres_db"
    plan.step(
        "PostgreSQL's client and the desk's page load",
        lambda: debian.do(f"/opt/village-hub/bin/python -I -c 'import {modules}; print(psycopg.pq.version())'"),
        lambda told: int(told) > 150000,
    )
    same = "cd /; find var/lib/village-hub etc/village-hub etc/mosquitto/village -type f | sort | xargs sha256sum"
    kept = debian.do(same).strip()
    plan.step(
        "upgrade to a higher version", lambda: debian.do(f"apt-get -qq install --no-install-recommends {inside[1]}")
    )
    plan.step("rows, keys and settings are the same", lambda: debian.do(same), lambda told: told == kept)
    plan.step("it goes on with them", lambda: debian.do(life, alone=True), lambda told: _lived(told, "QJ-0001"))
    plan.step(
        "remove keeps rows", lambda: debian.do("apt-get -qq remove village-hub; test -s /var/lib/village-hub/hub.db")
    )
    plan.step("purge", lambda: debian.do("apt-get -qq purge village-hub"))
    plan.step("purge leaves nothing", lambda: _left(before, debian.tree()), lambda told: not told)


# udev 252 has no check of its own; reading the rules for one device tells of every line it does not understand.
UDEV = """
udevadm test /sys/class/tty/tty0 2>&1 | grep -i village || true
udevadm test /sys/class/tty/tty0 2>&1 | grep -E 'village.*(Invalid|Unknown|unknown|invalid|error|ignoring)' && exit 1
udevadm test /sys/class/tty/tty0 2>&1 | grep -q 'Reading rules file: .*71-village-names.rules'
udevadm test /sys/class/tty/tty0 2>&1 | grep -q 'Reading rules file: .*95-village-kiosk.rules'
echo none wrong
"""


def _size(debian: CleanDebian, name: str) -> str:
    return debian.do(f"du -sm /opt/{name}").split()[0]


def _brought(debian: CleanDebian, *debs: Path) -> list[str]:
    for deb in debs:
        subprocess.run(["cp", deb, debian.folder / "root"], check=True)
    return [f"/root/{deb.name}" for deb in debs]


def _depends(deb: Path) -> str:
    asked = ["dpkg-deb", "--field", deb, "Depends"]
    text = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    names = [part.split()[0] for part in text.split(",")]
    return f"apt-get -qq install --no-install-recommends {' '.join(names)} systemd"


def _settings(debian: CleanDebian, folder: str, owner: str, files: dict[str, str]) -> str:
    for name, text in files.items():
        (debian.folder / "etc" / folder / name).write_text(text, encoding="utf-8")
    return debian.do(f"chown -R {owner}: /etc/{folder}; chmod 600 /etc/{folder}/*")


def _lived(told: str, awaited: str) -> bool:
    return awaited in told and "ended with 0" in told


def _etc(before: dict[str, str], after: dict[str, str]) -> str:
    ours = {name for name in after if name.startswith("etc/") and before.get(name) != after[name]}
    return " ".join(sorted(ours - {"etc/village-point", "etc/passwd", "etc/shadow", "etc/group", "etc/gshadow"}))


def _kiosk_files(debian: CleanDebian) -> str:
    return debian.do("cd /etc; find . -name '*village-kiosk*' -o -name 'village-point.service*' -o -lname /dev/null")


def _left(before: dict[str, str], after: dict[str, str]) -> str:
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    changed = [name for name in changed if name != "opt"]  # base-files made it without telling dpkg, which takes it
    return "\n".join(f"{name}: {before.get(name)!r:.60} -> {after.get(name)!r:.60}" for name in changed)


if __name__ == "__main__":
    sys.exit(main())
