"""What happens to a point besides its work: keys of a foreign keyboard, plugs, the cable, a full disk."""

from __future__ import annotations

import time
from contextlib import suppress

from emulated_point import EmulatedPoint
from image_district import SERIALS
from ledger import Ledger, NotSeen, until
from scenes_counter import HUB_S, Counter
from scenes_start import Watcher, status, verified

from ui.words import t

ESCAPES = [
    *[("ctrl", "alt", f"f{number}") for number in range(1, 8)],
    ("alt", "f4"), ("ctrl", "alt", "delete"), ("ctrl", "alt", "backspace"), ("alt", "tab"), ("meta_l",), ("esc",),
    ("f1",), ("ctrl", "c"), ("ctrl", "z"), ("ctrl", "alt", "esc"), ("alt", "sysrq", "k"), ("alt", "sysrq", "b"),
    ("alt", "sysrq", "e"), ("ctrl", "alt", "t"), ("print",), ("sleep",),
]  # fmt: skip
CONTROL_CODES = [
    "\x03\x04\x1a",
    "\x1b[2J\x1b]0;x",
    "\x01\x02\x18\x11\x13",
    "A" * 300,
    "%%%EBM\x03",
    "\x1b\x1b\x04root\n\n",
]
PLUG_S = 90.0
TOLD_S = 180.0  # the disk is looked at once a minute
ANSWER_S = 60.0
POWER_S = 60.0  # an emulated machine went down within 20
FILL = "/data/fill"


def main_pid(point: EmulatedPoint) -> str:
    """The process that is the kiosk, and when it began: the same pair is the same kiosk."""
    return point.shell.run("systemctl show village-point -p MainPID -p ExecMainStartTimestampMonotonic")


def keys(point: EmulatedPoint, watcher: Watcher, counter: Counter, ledger: Ledger) -> None:
    """A foreign keyboard (nobody's gun) and a gun that types control keys reach nothing; the gun goes on."""
    before, page, boot = main_pid(point), watcher.page(), point.shell.run("cat /proc/sys/kernel/random/boot_id")
    qmp = point.machine.qmp
    qmp.plug("usb-kbd", "foreign", bus="usb.0", serial="FOREIGN1")  # QEMU gives all keys to the newest keyboard
    time.sleep(5)
    for combination in ESCAPES:
        qmp.press(*combination)
        time.sleep(0.3)
    for _ in range(8):  # seven times within two seconds is systemd's forced reboot
        qmp.press("ctrl", "alt", "delete")
    qmp.press("power")
    time.sleep(POWER_S)
    ledger.check("the power key of a keyboard does not switch the point off", point.is_on, "it is off")
    ledger.check("keys of a foreign keyboard reach nothing", _unmoved(point, watcher, before, page, boot), watcher.last)
    qmp.unplug("foreign")  # from here on the gun has the keys
    for text in CONTROL_CODES:
        qmp.scan(text)
        time.sleep(0.5)
    time.sleep(3)
    after = main_pid(point)
    ledger.check("control characters in barcodes reach nothing", after == before, (before, after))
    ledger.figure("keys and codes sent", len(ESCAPES) + 8 + len(CONTROL_CODES), "presses")
    vt = point.shell.run("cat /sys/class/tty/tty0/active")
    ledger.check("the console is still the kiosk's", vt == "tty1", vt)
    _hears(point, counter, ledger)


def _hears(point: EmulatedPoint, counter: Counter, ledger: Ledger) -> None:
    """The gun that typed control keys is the one the operator works with, and does work."""
    words = t("refused.unreadable", "zh")
    counter.open_intake()
    point.machine.qmp.scan(CONTROL_CODES[0])
    is_told = False
    with suppress(NotSeen):
        is_told = until("the page's answer", lambda: words in point.page()["texts"], ANSWER_S, 0.2)
    ledger.check("the operator is told of a code of control keys", is_told, point.page())
    counter.take_in(counter.parcels[len(counter.taken_in)]["waybill_no"])


def _unmoved(point: EmulatedPoint, watcher: Watcher, before: str, page: str, boot: str) -> bool:
    same = point.shell.run("cat /proc/sys/kernel/random/boot_id") == boot and main_pid(point) == before
    return same and watcher.page().partition("-")[0] == page.partition("-")[0]


def plugs(point: EmulatedPoint, counter: Counter, ledger: Ledger) -> None:
    """The lock board's adapter is pulled while the LED's goes too, and comes back as another ttyUSB."""
    before = point.shell.run("readlink -f /dev/serial/by-id/*LOCK0001*")
    away = t("alarm.device_away", "zh")
    for name in SERIALS:
        point.machine.qmp.unplug(name)
    time.sleep(3)
    gone = point.shell.run("ls /dev/ttyUSB* 2>/dev/null | wc -l")
    ledger.check("pulled adapters are gone", gone == "0", gone)
    ledger.check("the operator is told that a device is away", _comes(counter, away), point.page())
    for name in reversed(SERIALS):
        point.machine.qmp.plug("usb-serial", name, bus="usb.0", chardev=name, serial=SERIALS[name])
    after = until("the adapters", lambda: point.shell.run("readlink -f /dev/serial/by-id/*LOCK0001* || true"), PLUG_S)
    ledger.check("the lock board came back under another name", after != before, (before, after))
    started = time.monotonic()
    until("all devices back at the board", lambda: away not in counter.board(), TOLD_S)
    ledger.figure("plug back to a board that knows it", time.monotonic() - started)
    counter.open_intake()
    counter.take_in(counter.parcels[len(counter.taken_in)]["waybill_no"])
    ledger.figure("plug back to the next cell opened", time.monotonic() - started)


def cable(point: EmulatedPoint, counter: Counter, ledger: Ledger) -> None:
    """The network cable is pulled during work; facts wait, and go when it is back."""
    point.machine.qmp.cable("cable", is_in=False)
    counter.open_intake()
    counter.take_in(counter.parcels[len(counter.taken_in)]["waybill_no"])
    time.sleep(20)
    waiting = status(point)["pending"]
    ledger.check("facts wait without a line", waiting > 0, waiting)
    point.machine.qmp.cable("cable", is_in=True)
    until("the facts at the hub after the cable is back", lambda: status(point)["pending"] == 0, HUB_S, 5.0)
    counter.compare()


def full_disk(point: EmulatedPoint, counter: Counter, ledger: Ledger) -> None:
    """Somebody fills the data partition to the last block; then it is freed again."""
    facts = status(point)["facts"]
    point.shell.run(
        f"fallocate -l 100G {FILL} 2>/dev/null; dd if=/dev/zero of={FILL} bs=1M 2>/dev/null; sync", 900, worst=1
    )
    left = point.shell.run("df --output=avail -k /data | tail -1")
    ledger.check("the disk is full", int(left) < 1024, left)
    counter.open_intake()
    pulses, stored = counter.pulses(), status(point)["parcels"].get("in_locker", 0)
    point.machine.qmp.scan(counter.parcels[-1]["waybill_no"])
    time.sleep(20)
    opened, kept = counter.pulses() - pulses, status(point)["parcels"].get("in_locker", 0) - stored
    ledger.check("on a full disk a cell opens only for a parcel in the books", opened == kept, (opened, kept))
    told = _comes(counter, t("alarm.disk_low", "zh"))
    ledger.check("the operator is told of a full disk", told, point.page())
    point.machine.qmp.shot(ledger.folder / "full-disk.png")
    proof = verified(point)
    ledger.check("nothing of the log is lost on a full disk", proof["ok"] and proof["facts"] >= facts, (facts, proof))
    point.shell.run(f"rm -f {FILL}; sync")
    time.sleep(30)
    counter.open_intake()
    counter.take_in(counter.parcels[len(counter.taken_in)]["waybill_no"])
    counter.compare()


def _comes(counter: Counter, words: str, seconds: float = TOLD_S) -> bool:
    """Whether the operator's board comes to say that."""
    with suppress(NotSeen):
        return bool(until(words, lambda: words in counter.board(), seconds))
    return False
