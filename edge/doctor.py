"""The doctor: facts about the point in, findings out. Pure; edge/examine.py gathers the facts.

Which code and how grave is in edge/doctor_table.py; the sentences are in the catalogues. One finding for each device
and each part of the terminal, also when all is well: a line that is missing would be read as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from drivers.base import Health
from drivers.faults import Fault
from edge.doctor_facts import (
    BookFacts,
    CertificateFacts,
    DeviceFacts,
    DiskFacts,
    LineFacts,
    MachineFacts,
    PointFacts,
)
from edge.doctor_table import DEVICE_FAULTS, OWN_WORDS, STORE, TERMINAL
from edge.steps import CheckupBoard, Finding
from edge.steps.checkup import LEVELS

LOW_MB, FULL_MB = 200, 16  # as the operator is told; the reserve and one backup need less than 16
WORN, WORN_OUT = 80, 100  # per cent of the writes its maker gives the card
MEMORY_LOW_MB, MEMORY_GONE_MB = 150, 60  # the kiosk itself needs some 150
WARM_C, HOT_C = 75, 85  # small boards slow down at 80 and stop at 85 to 90
BACK_MS = 60_000  # a clock that is set right moves by less
BUILT_MS = 1_767_225_600_000  # 2026-01-01: no fact of this program is older
OFF_LONG_DAYS = 7
OLD_H, FAR_H = 26, 7 * 24
SOON_DAYS = 30
LATE_PART = 6  # of its life: renewal begins with the last third, so half of that was in vain
MOST_CODES = 40  # of a report: 40 of 7 signs and the head fit a QR code of 69 modules
# What sync tells of a line that is not let in; anything else: the hub does not take what we send.
LINK_WORDS = {
    "login": "login",
    "not_allowed": "not_allowed",
    "revoked": "revoked",
    "expired": "expired",
    "unknown": "stranger",  # the key link_unknown is the line's own
    "no_certificate": "no_certificate",
    "wrong_hub": "hub",
    "hub_clock": "hub_clock",
}
NO_SLOTS: tuple[tuple[str, str | int], ...] = ()


def check_up(facts: PointFacts) -> CheckupBoard:
    """Judge the facts. The findings come worst first, and in the order of the settings where they are as grave."""
    found = [*_devices(facts.devices), *_terminal(facts)]
    found.sort(key=lambda finding: LEVELS.index(finding.level))
    return CheckupBoard(tuple(found), _report(facts, found))


def at_fault(findings: Sequence[Finding]) -> str:
    """Tell where a fault is: "store" before "device", "" when there is none. Warnings are no faults."""
    ill = {finding.what for finding in findings if finding.level == "fault"}
    return "store" if ill & STORE else "device" if ill else ""


def device(facts: DeviceFacts, place: int) -> Finding:
    """Judge one device."""
    status = facts.status
    fault = status.fault
    if fault is None and status.health is not Health.OK:
        fault = Fault.PORT_ERROR  # a driver that only says that it is ill
    if fault is None:
        return Finding(facts.what, "ok", "", "device_ok", NO_SLOTS, status.device, place)
    entry = DEVICE_FAULTS[fault]
    own = facts.what if facts.what in OWN_WORDS.get(fault, ()) else "any"
    slots = _slots(fault, status.where)
    return Finding(facts.what, entry.level, entry.code(facts.what), f"{own}_{fault.value}", slots, status.device, place)


def _devices(devices: Sequence[DeviceFacts]) -> list[Finding]:
    return [device(facts, place) for place, facts in enumerate(devices, 1)]


def _slots(fault: Fault, where: Sequence[int]) -> tuple[tuple[str, str | int], ...]:
    if fault is Fault.WRONG_DOOR and where:
        return ("cell", where[0]), ("moved", _listed(where[1:]))
    return (("where", _listed(where)),) if where else NO_SLOTS


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:6])) + (" ..." if len(numbers) > 6 else "")


def _terminal(facts: PointFacts) -> Iterator[Finding]:
    machine, books = facts.machine, facts.books
    yield _disk(facts.disk)
    if facts.disk.has_reserve is not None:
        yield _told("reserve", "ok" if facts.disk.has_reserve else "gone")
    yield _told("books", books.damage or "ok")
    if books.damage != "new":
        yield _backup(books)
    if books.is_kiosk_mute:
        yield _told("kiosk", "mute")
    yield _clock(machine, books.newest_at)
    yield _memory(machine.memory_mb)
    yield _heat(machine.heat_c)
    yield _told("fonts", "ok" if machine.has_fonts else "gone")
    yield _link(facts.line, books)
    yield _certificate(machine.certificate)


def _told(what: str, word: str, **slots: str | int) -> Finding:
    code, level = TERMINAL[f"{what}_{word}"]
    return Finding(what, level, code, f"{what}_{word}", tuple(slots.items()))


def _disk(disk: DiskFacts) -> Finding:
    if disk.free_mb is None:
        return _told("disk", "unknown")
    if disk.is_read_only:
        return _told("disk", "read_only")
    if disk.free_mb < FULL_MB:
        return _told("disk", "full", mb=disk.free_mb)
    if disk.used_up is not None and disk.used_up >= WORN:
        return _told("disk", "worn" if disk.used_up < WORN_OUT else "worn_out", percent=disk.used_up)
    return _told("disk", "low" if disk.free_mb < LOW_MB else "ok", mb=disk.free_mb)


def _backup(books: BookFacts) -> Finding:
    age = books.backup_age_h
    if age is None:
        return _told("backup", "never")
    if age > FAR_H:
        return _told("backup", "far", days=age // 24)
    return _told("backup", "old" if age > OLD_H else "ok", hours=age)


def _clock(machine: MachineFacts, newest_at: int | None) -> Finding:
    if machine.now < BUILT_MS:
        return _told("clock", "off", day=_day(machine.now))
    if newest_at is not None and machine.now < newest_at - BACK_MS:
        return _told("clock", "back", day=_day(newest_at))
    return _told("clock", "ok" if machine.is_synced else "unsynced")


def _memory(free_mb: int | None) -> Finding:
    if free_mb is None:
        return _told("memory", "unknown")
    return _told(
        "memory", "gone" if free_mb < MEMORY_GONE_MB else "low" if free_mb < MEMORY_LOW_MB else "ok", mb=free_mb
    )


def _heat(celsius: int | None) -> Finding:
    if celsius is None:
        return _told("heat", "unknown")
    return _told("heat", "hot" if celsius >= HOT_C else "warm" if celsius >= WARM_C else "ok", celsius=celsius)


def _link(line: LineFacts, books: BookFacts) -> Finding:
    if not line.is_set:
        return _told("link", "none")
    if books.has_fork:
        return _told("link", "fork")
    if line.trouble is not None:
        return _told("link", LINK_WORDS.get(line.trouble, "stuck"), n=line.pending)
    if line.online:
        return _told("link", "sending", n=line.pending) if line.pending else _told("link", "ok")
    if line.online is None and line.days <= 1:
        return _told("link", "unknown", n=line.pending)
    return _told("link", "off" if line.days < OFF_LONG_DAYS else "off_long", days=line.days, n=line.pending)


def _certificate(held: CertificateFacts) -> Finding:
    days = held.days
    if held.kind in ("", "missing"):
        return _told("certificate", held.kind or "none")
    if days is None:
        return _told("certificate", "torn" if held.kind == "own" else "unread")
    if held.kind == "own":
        is_late = days * LATE_PART < held.life_days
        return _told("certificate", "ended" if days < 0 else "late" if is_late else "ok", days=abs(days))
    return _told("certificate", "over" if days < 0 else "soon" if days < SOON_DAYS else "ok", days=abs(days))


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d")


def _report(facts: PointFacts, found: Sequence[Finding]) -> str:
    """The site, the version, the minute (UTC) and the codes. No text of people's: a device is its number."""
    codes = [f"{each.code}.{each.place}" if each.place else each.code for each in found if each.code]
    rest = f"/+{len(codes) - MOST_CODES}" if len(codes) > MOST_CODES else ""
    minute = datetime.fromtimestamp(facts.machine.now / 1000, UTC).strftime("%y%m%d%H%M")
    return f"VP1 {facts.site} {facts.version} {minute} {'/'.join(codes[:MOST_CODES]) or 'OK'}{rest}"
