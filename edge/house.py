"""The chores of a running terminal: backup, retention, devices that come and go, the banner of the line. No rules."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import ui
from drivers.base import Device, Health
from edge import audit, backup, batches, boards, doctor, events, examine, log, reserve, retention
from edge.certificate import certificate
from edge.clock import Clock, SystemDice
from edge.config import DEVICE_KINDS, HubLink, Settings
from edge.doctor_facts import DeviceFacts, DiskFacts, LineFacts, MachineFacts, PointFacts
from edge.steps import CheckupBoard, DeviceLine, DevicesBoard, LinkState, NoticeBoard, Step, SyncBoard, UpdateLine
from edge.store import Store, StoreFault, Tx
from edge.unsteady import Changes

logger = logging.getLogger(__name__)

BACKUP_S = 3600.0
FIRST_BACKUP_S = 600.0
WATCH_S = 2.0
CHORES_S = 60.0
CHECK_S = 24 * 3600.0
DAY_MS = 24 * 3_600_000
KEEP_MS = 7 * DAY_MS  # personal fields after collection (reference/reliability.md 3.4; the policy table has 30 d)
KEEP_BILLS_MS = 30 * DAY_MS  # pii_keep_days of the policy table
OLD_H = 26  # a day and a late evening without a copy
LOW_MB = 200  # below this the operator is told; the reserve itself is 4 MB
FONTS = tuple(Path(ui.__file__).parent / "fonts" / f"kiosk-{face}.otf" for face in ("regular", "bold"))
BANNER_MS = 1_000  # a backlog is answered 30 times a second; nobody reads a number that fast, and each costs a frame
# What sync tells when a certificate was not taken; a line that is down has none of these words.
CERTIFICATE_WORDS = ("revoked", "expired", "unknown", "no_certificate", "wrong_hub", "hub_clock")


@dataclass(slots=True)
class Line:
    """What is known of the line to the hub. `since` UTC ms of the last answer."""

    online: bool = False
    pending: int = 0
    since: int | None = None
    trouble: str | None = None  # as `sync.port.LinkInfo` tells it

    def days(self, now: int) -> int:
        """The day of the outage, counted from 1; 0 while online."""
        return 0 if self.online else 1 if self.since is None else max(0, now - self.since) // DAY_MS + 1


@dataclass(frozen=True, slots=True)
class Point:
    """What of the settings the doctor looks at."""

    site: str = ""
    hub: HubLink | None = None
    fonts: tuple[Path, ...] = ()


def point_of(settings: Settings) -> Point:
    """Take from the settings what the doctor looks at."""
    return Point(settings.site, settings.hub, FONTS)


class House:
    """Chores of one terminal. Owned by the io thread."""

    def __init__(self, store: Store, clock: Clock, devices: Sequence[tuple[str, Device]], post: Callable[[Step], None]):
        self._store = store
        self._clock = clock
        self._devices = devices
        self._post = post
        self._changes = {device.name: Changes() for _, device in devices}
        self._backup_ms: int | None = None
        self._shift_end = asyncio.Event()
        self.line = Line()
        self._told: tuple[int, LinkState] | None = None  # when which banner was shown
        self.renderer: Callable[[], str] = lambda: ""
        self.version = ""
        self.update_line: Callable[[], UpdateLine | None] = lambda: None
        self.point = Point()

    # -- chores

    async def watch_devices(self) -> None:
        """Write down every device that fails or comes back, once per change, as often as edge/unsteady.py allows."""
        for name in await self._store.run(_left_away, tuple(self._changes)):
            self._changes[name].seen = "before the start"
        while True:
            for _, device in self._devices:
                status = device.status()
                ill = "" if status.health is Health.OK else status.health.value
                left_out = self._changes[device.name].look(ill, self._clock.ms())
                if left_out is not None:
                    await self._store.run(_device_fact, device.name, ill, left_out or None)
            self._tell_line()  # the last number of a backlog that stopped on its way
            await asyncio.sleep(WATCH_S)

    async def keep(self) -> None:
        """Every minute: forget people whose time is over, look at the disk, refresh banner and notices."""
        while True:
            reserve.lay(self._store.folder)
            await self._store.run(_retention)
            age = self._backup_age()
            await self._store.run(_state_of, {"disk_low": self.free_mb() < LOW_MB, "backup_old": (age or 0) > OLD_H})
            await self.refresh()
            await asyncio.sleep(CHORES_S)

    async def check_log(self) -> None:
        """The tail of the log now, the whole of it once a day."""
        await self._store.run(audit.tail)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CHECK_S)
            with contextlib.suppress(sqlite3.Error):  # what the store cannot read it will say itself
                work = partial(audit.whole, self._store.folder, self._store.keys, self._clock, SystemDice())
                broken = await loop.run_in_executor(None, work)
                await self._store.run(audit.noted, broken)

    async def back_up(self) -> None:
        """Every hour, first after ten minutes, and at the end of a shift if the last copy is older than that."""
        wait_s = FIRST_BACKUP_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._shift_end.wait()
            self._shift_end.clear()
            await self.back_up_now()
            wait_s = BACKUP_S

    def shift_ended(self) -> None:
        if self._backup_ms is None or self._clock.ms() - self._backup_ms > FIRST_BACKUP_S * 1000:
            self._shift_end.set()

    async def back_up_now(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            copy = await loop.run_in_executor(None, backup.make, self._store.folder)
            await self._store.run(backup.note, copy)
            self._backup_ms = self._clock.ms()
        except (StoreFault, OSError) as fault:
            logger.error("no backup: %s", fault)  # noqa: TRY400 the cause is in the message, the trace tells nothing

    # -- the line and the boards

    def line_changed(self, *, online: bool, pending: int, trouble: str | None = None) -> None:
        self.line.online = online
        self.line.pending = pending
        self.line.trouble = trouble
        if online:
            self.line.since = self._clock.stamp().at
        self._tell_line()

    def _tell_line(self) -> None:
        """Show the line as it is: changes of the line and the end of a backlog at once, numbers now and then."""
        now, banner = self._clock.ms(), self.banner()
        if self._told is not None:
            told_ms, told = self._told
            only_number = (told.online, told.days_offline) == (banner.online, banner.days_offline)
            if told == banner or (only_number and banner.pending and now - told_ms < BANNER_MS):
                return
        self._told = now, banner
        self._post(banner)

    def banner(self) -> LinkState:
        return LinkState(self.line.online, self.line.days(self._clock.stamp().at), self.line.pending)

    async def refresh(self) -> None:
        self.line.pending, self.line.since, texts = await self._store.run(_line)
        self._told = None  # once a minute in any case
        self._tell_line()
        self._post(NoticeBoard(texts))

    async def sync_board(self) -> SyncBoard:
        return await self._store.run(_sync, self.line)

    def devices_board(self) -> DevicesBoard:
        lines = []
        for place, (kind, device) in enumerate(self._devices, 1):
            facts = DeviceFacts(DEVICE_KINDS[kind][0], device.status())
            health = facts.status.health.value
            lines.append(DeviceLine(device.name, facts.what, health, doctor.device(facts, place)))
        return DevicesBoard(
            devices=tuple(lines),
            disk_free_mb=self.free_mb(),
            backup_age_h=self._backup_age(),
            clock_synced=self._clock.stamp().synced,
            renderer=self.renderer(),
            version=self.version,
            update=self.update_line(),
        )

    def device_health(self) -> dict[str, str]:
        """Name to health, as the drivers saw it last."""
        return {device.name: device.status().health.value for _, device in self._devices}

    async def checkup_board(self) -> CheckupBoard:
        """Look at everything; the devices are judged by what their drivers saw last."""
        found, pending, confirmed_at = await self._store.run(examine.books_in)
        loop = asyncio.get_running_loop()
        damage, disk, machine = await loop.run_in_executor(None, self._look_around)
        line = replace(self.line, pending=pending, since=confirmed_at)
        facts = PointFacts(
            site=self.point.site,
            version=self.version,
            devices=[DeviceFacts(DEVICE_KINDS[kind][0], device.status()) for kind, device in self._devices],
            disk=disk,
            machine=machine,
            line=LineFacts(self.point.hub is not None, line.online, line.days(machine.now), pending, line.trouble),
            books=replace(found, damage=damage or found.damage, backup_age_h=self._backup_age()),
        )
        return doctor.check_up(facts)

    def _look_around(self) -> tuple[str, DiskFacts, MachineFacts]:
        folder = self._store.folder
        papers = certificate(self.point.hub, self._clock.stamp().at // 1000)
        machine = examine.machine(self._clock, self.point.fonts, papers)
        return examine.damage(folder), examine.disk(folder), machine

    def free_mb(self) -> int:
        return free_mb(self._store.folder)

    def _backup_age(self) -> int | None:
        if self._backup_ms is not None:
            return (self._clock.ms() - self._backup_ms) // 3_600_000
        found = backup.copies(self._store.folder)
        return None if not found else max(0, int(self._clock.stamp().at / 1000 - found[0].path.stat().st_mtime) // 3600)


def free_mb(folder: Path) -> int:
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize // (1024 * 1024)


def _left_away(tx: Tx, devices: tuple[str, ...]) -> tuple[str, ...]:
    """The devices that were away at the last stop. Of one that the settings do not name any more nothing is told."""
    tx.bookkeeping = True
    told = tuple(str(row["subject"]) for row in tx.rows("SELECT subject FROM alarm WHERE code = 'device_away'"))
    for name in told:
        if name not in devices:
            log.drop_alarm(tx, "device_away", name)
    return tuple(name for name in told if name in devices)


def _device_fact(tx: Tx, device: str, ill: str, left_out: int | None) -> None:
    if ill:
        log.append(tx, events.DeviceFaulted(device, ill, left_out))
        log.raise_alarm(tx, "device_away", device)
    else:
        log.append(tx, events.DeviceRecovered(device, left_out))
        log.drop_alarm(tx, "device_away", device)


def _retention(tx: Tx) -> None:
    retention.erase_collected(tx, tx.stamp.at - KEEP_MS)
    retention.erase_settled_bills(tx, tx.stamp.at - KEEP_BILLS_MS)
    retention.erase_used_codes(tx)
    batches.forget(tx, tx.stamp.at - batches.KEEP_MS)


def _state_of(tx: Tx, alarms: dict[str, bool]) -> None:
    """Raise or drop the alarms that tell of a state, not of an event."""
    tx.bookkeeping = True
    alarms["disk_low"] |= tx.on_reserve
    alarms["restored"] = tx.value("SELECT value FROM meta WHERE key = 'restored'") == "1"  # until it is commissioned
    for code, rings in alarms.items():
        if rings:
            log.raise_alarm(tx, code, "")
        else:
            log.drop_alarm(tx, code, "")


def _line(tx: Tx) -> tuple[int, int | None, tuple[str, ...]]:
    return log.pending(tx), log.confirmed_at(tx), boards.notices(tx)


def _sync(tx: Tx, line: Line) -> SyncBoard:
    at = log.cursor(tx, log.UP)
    return SyncBoard(
        online=line.online,
        days_offline=line.days(tx.stamp.at),
        pending=log.pending(tx),
        last_ack_at=log.confirmed_at(tx),
        refused=boards.refusals(tx),
        log_id=at.log_id,
        upto=int(at.upto),
        fork=boards.forked(tx),
        refused_by=line.trouble if line.trouble in CERTIFICATE_WORDS else None,
    )
