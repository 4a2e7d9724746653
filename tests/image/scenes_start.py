"""From a blank card to an open counter, and how long that takes: pairing, approval, profile, standby."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from typing import Any

import sample
from emulated_point import START_S, EmulatedPoint
from image_district import ImageDistrict
from ledger import Ledger, NotSeen, until
from look import Album
from root_shell import ShellError

APPROVED_S = 180.0  # the terminal asks every 5 s, fetches its profile and starts again
PIN_S = 120.0  # a PIN is hashed at length on purpose
PAGE_S = 10.0  # until the page says that the hub was asked
LOOK_S = 3.0  # a screen dump costs the emulated machine some of its time
FIRST, STANDBY = "first-", "standby"
SLOTS_MIB = 3080 - 256  # of the card, before the data partition
IO_AND_STORE = 2  # threads
DATA_SHARE = 0.95  # a file system's own books take the rest
CONFIG = "/etc/village-point/point.toml"


class Watcher:
    """Looks at the screen from outside."""

    def __init__(self, point: EmulatedPoint, album: Album, ledger: Ledger) -> None:
        self._point, self.album, self.ledger = point, album, ledger
        self.last = ("", 0.0)

    def page(self) -> str:
        """The page the screen shows, as far as its picture tells; "" for none."""
        self.last = self.album.likest(self._point.machine.qmp.shot(self._point.folder / "screen.png"))
        return self.last[0]

    def wait(self, begin: str, seconds: float) -> str:
        """Wait until the screen shows a page whose name begins so. Errors: NotSeen."""
        found: str = until(f"a screen like {begin}* (now {self.last})", self._looker(begin), seconds, LOOK_S)
        return found

    def reach(self, begin: str, what: str) -> None:
        """Wait for a page that a start must reach; `what` holds, or is violated. Errors: NotSeen."""
        try:
            self.wait(begin, START_S)
        except NotSeen as error:
            self.ledger.check(what, is_so=False, seen=error)
            raise
        self.ledger.check(what, is_so=True)

    def keep(self, name: str) -> None:
        """Keep the newest picture."""
        shutil.copyfile(self._point.folder / "screen.png", self.ledger.folder / f"{name}.png")

    def _looker(self, begin: str) -> Callable[[], str]:
        def look() -> str:
            page = self.page()
            return page if page.startswith(begin) else ""

        return look


def first_start(point: EmulatedPoint, district: ImageDistrict, watcher: Watcher, ledger: Ledger) -> None:
    """A technician's card: district.toml is on it and nothing else. The point is on and open afterwards."""
    point.put("district.toml", district.card())
    machine = point.power_on()
    watcher.wait(FIRST, START_S)
    ledger.figure("first power on to the pairing page", machine.seconds)
    codes: list[str] = until("the terminal's question at the hub", district.waiting, START_S)
    time.sleep(PAGE_S)
    watcher.wait(FIRST, APPROVED_S)
    watcher.keep("pairing")
    ledger.figures["restarts by itself until then"] = machine.qmp.events.count("RESET")
    ledger.check("one terminal asks, once", len(codes) == 1, codes)
    district.set_profile()
    asked_at = machine.seconds
    district.approve(codes[0])
    watcher.wait(STANDBY, APPROVED_S + START_S)
    ledger.figure("approval to the standby screen", machine.seconds - asked_at)
    watcher.keep("standby")
    ledger.check("the first start ends at the standby screen", watcher.page().startswith(STANDBY), watcher.last)


def boot_budget(point: EmulatedPoint, watcher: Watcher, ledger: Ledger) -> None:
    """A cold start of a point that is set up, where the time goes, and the state of the system."""
    point.open_console()
    machine = point.power_on()
    watcher.wait(STANDBY, START_S)
    ledger.figure("power on to the standby screen, seen on the panel", machine.seconds)
    shell = point.open_shell()
    said = shell.run("systemd-analyze | head -1")
    ledger.figure("systemd-analyze", said, "words")
    frame = shell.run("journalctl -b -u village-point -o short-monotonic | grep -m1 '\"ready\": *true'", worst=1)
    if (found := re.search(r"\[ *([0-9.]+)\]", frame)) is not None:
        ledger.figure("kernel start to the first drawn frame", float(found[1]))
    ledger.check("the kiosk tells its first frame", found, frame or "no line with ready")
    ledger.figures["blame"] = shell.run("systemd-analyze blame | head -8").splitlines()
    cores = shell.run(
        "grep -h Cpus_allowed_list /proc/$(systemctl show -p MainPID --value village-point)/task/*/status"
    )
    alone = re.findall(r"(?m):\s*\d+$", cores)
    ledger.check("the io thread and the store's keep to one core", len(alone) >= IO_AND_STORE, cores)
    failed = shell.run("systemctl --failed --no-legend --plain")
    ledger.check("no unit has failed", not failed, failed)
    root = shell.run("findmnt -no OPTIONS /")
    ledger.check("the root file system is read-only", root.split(",")[0] == "ro", root)
    mib = int(shell.run("df --output=size -BM /data | tail -1").rstrip("M"))
    ledger.figure("the data partition has grown to", mib, "MiB")
    ledger.check("the data partition fills the card", mib > DATA_SHARE * ((point.disk.size >> 20) - SLOTS_MIB), mib)
    listening = shell.run("ss -Hltn 2>/dev/null || cat /proc/net/tcp | tail -n +2", worst=1)
    ledger.check("no port listens beyond the loopback", not _outside(listening), listening)


def command(point: EmulatedPoint, words: str, seconds: float = 180.0, worst: int = 0) -> str:
    """Run a `village-point` command in the machine, as the kiosk's own user."""
    order = f"runuser -u village -- village-point {words} --config {CONFIG}"
    return point.shell.run(f"cd / && {order} 2>&1", seconds, worst=worst)


def status(point: EmulatedPoint) -> dict[str, Any]:
    """How the point's books stand."""
    return _object(command(point, "status"))


def verified(point: EmulatedPoint) -> dict[str, Any]:
    """What the check of the whole chain says."""
    return _object(command(point, "log verify", worst=4))


def _object(said: str) -> dict[str, Any]:
    """The answer of a command among what else a console says. Errors: ShellError."""
    line = next((line for line in said.splitlines() if line.startswith("{")), None)
    if line is None:
        raise ShellError(f"no answer in {said[-300:]!r}")
    found: dict[str, Any] = json.loads(line)
    return found


def add_people(point: EmulatedPoint) -> None:
    """Give a new point its technician and operator, on its own pages. The standby page is open."""
    point.tap("standby.setup")
    for role in ("technician", "operator"):
        pin = next(each.pin for each in sample.OPERATORS if each.role == role)
        for _ in range(2):  # typed, and typed again
            until("the keys of the first PIN", lambda: _is_awake(point, "setpin.0"), PIN_S)
            point.type(pin)
            point.tap("setpin.ok")
    point.wait("login", PIN_S)


def _is_awake(point: EmulatedPoint, button: str) -> bool:
    page = point.page()
    return button in page["buttons"] and button not in page["asleep"]


def _outside(listening: str) -> list[str]:
    """Lines of ss that are bound to more than the loopback."""
    return [
        line for line in listening.splitlines()
        if "LISTEN" in line and not re.search(r"(127\.0\.0\.\d+|\[?::1\]?)(%lo)?:\d+ ", line)
    ]  # fmt: skip
