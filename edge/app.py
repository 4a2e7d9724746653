"""The composition root: builds every room, starts them in order, stops them in reverse. The only file that knows all.

Order: settings, store, io thread, devices, reconcile, sync, window. A device or a line that is away stops nothing; a
store that cannot open shows the closed screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, cast

from drivers.base import Display, Health, Locker, Scanner
from edge import cores, events, keys, leftovers, log, record_file
from edge.carrying import Carrying, Place
from edge.clock import SystemClock, SystemDice
from edge.config import DEVICE_KINDS, HubLink, Settings
from edge.counter_kit import counter_of
from edge.desk import Desk
from edge.doctor_line import Doctor
from edge.fittings import Outlook, fittings_of
from edge.flows import batch, doors, money, printing
from edge.flows.reconcile import reconcile
from edge.flows.site import Site
from edge.flows.sticks import Sticks
from edge.house import House, point_of
from edge.model import SiteCode
from edge.outward import Outward
from edge.port import StoreLog
from edge.reopen import Reopening
from edge.runner import Runner
from edge.setup import VERSION, begin, build_all, locker_of
from edge.signals import on_signals
from edge.steps import BeginAnew, Closed, HandOverAsk, Intent, Pairing, Refusal, Scanned, Step, Stored
from edge.store import Store, StoreFault
from edge.update_kit import AtWork, updating_of, work_of
from edge.uplink import Uplink
from edge.watchdog import Watchdog
from sync.port import LinkInfo, Outside
from ui.bridge import Bridge
from ui.papers import say

logger = logging.getLogger(__name__)

STOP_S = 10.0
SYNC_STOP_S = 2.0
BEEP_MS = 3_000  # a later answer is not about that code


class Kiosk:
    """One running terminal. `start` and `stop` frame the io thread; the window belongs to the main thread."""

    def __init__(self, settings: Settings, bridge: Bridge, *, headless: bool) -> None:
        self._settings = settings
        self._bridge = bridge
        self._headless = headless
        self._clock = SystemClock()
        self._store = Store(settings.data_dir, self._clock, SystemDice(), keys.load(settings))
        self._devices = build_all(settings, self._clock)
        self._house = House(self._store, self._clock, self._devices, bridge.post)
        self._house.version = VERSION
        self._house.point = point_of(settings)
        self._house.renderer = lambda: bridge.renderer
        self._site = Site(self._store, self._clock, locker_of(settings, self._devices), self._display(), self._say)
        self._site.code = settings.site
        self._site.stand(counter_of(self._devices), settings.name, settings.help_phone or "")
        self._desk = Desk(self._site, keys.load(settings).device, settings.help_phone or "", self._house)
        outlook = Outlook(
            VERSION, keys.load(settings).device, lambda: self._house.line.online, self._house.checkup_board,
            partial(record_file.save, Place(settings.sticks_dir, plain=settings.sim)),
        )  # fmt: skip
        self._outward = Outward(settings, self._store, self._house, self._clock)
        self._bench = self._desk.fit(fittings_of(settings, self._devices, bridge.post, outlook))
        self._runner = Runner(self._desk, self._site, self._post)
        at_work = AtWork(self._house, lambda: self._runner.busy or self._desk.counter.session is not None)
        self._updating = updating_of(settings, self._store, self._clock, at_work)
        if self._updating is not None:
            self._house.update_line = self._updating.line
        self._guns: dict[str, tuple[Scanner, int]] = {}  # by its name: when it read last; "" the last of all
        self._beeps: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._io, name="io")
        self.watchdog = Watchdog(self._store, lambda: bridge.beat)
        self.ready = threading.Event()
        self.on_begin_anew: Callable[[], None] = bridge.stop

    # -- life, called from the main thread

    def start(self) -> None:
        """Open the store and start the io thread. Errors: StoreFault."""
        self._store.open()
        leftovers.clear(self._settings.data_dir)
        self._bridge.on_intent = self._submit
        self._thread.start()

    def stop(self) -> None:
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STOP_S)
        self._store.close()

    @property
    def blind_cells(self) -> frozenset[int]:
        """The cells whose doors nobody sees: there a person says that the door is shut."""
        locker = self._site.locker
        return frozenset() if locker is None else frozenset(c for c in locker.cells if not locker.senses(c))

    def _submit(self, intent: Intent) -> None:
        if isinstance(intent, BeginAnew):
            self.on_begin_anew()
        elif self._loop is not None:
            self._loop.call_soon_threadsafe(self._runner.submit, intent)

    # -- the io thread

    def _io(self) -> None:
        try:
            asyncio.run(self._main())
        except StoreFault as fault:
            logger.critical("store: %s", fault)
            self._bridge.post(closed(fault))
        except Exception:  # the top of the thread
            logger.exception("the io thread ended")
            self._bridge.post(Closed("S4"))
            self._bridge.stop()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        cores.stay_on_one(self._loop)
        self._loop.slow_callback_duration = 0.05
        await self._store.run(begin, self._settings)
        tasks: list[asyncio.Task[None]] = []
        try:
            for _, device in self._devices:
                await device.start()
            if self._site.locker is not None:
                await self._site.locker.start()  # several devices as one gather their doors
            await self._desk.start()
            await reconcile(self._site)
            tasks = [self._task(name, work) for name, work in self._work()]
            async for step in money.show_unseen(self._site):
                self._bridge.post(step)
            self._bridge.post(await self._desk.setup_due())
            self.ready.set()
            await self._stop.wait()
        finally:
            await self._wind_up(tasks)

    def _work(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        work = [
            ("intents", self._runner.run()),
            ("devices", self._house.watch_devices()),
            ("chores", self._house.keep()),
            ("backup", self._house.back_up()),
            ("log", self._house.check_log()),
            ("watchdog", self.watchdog.beat()),
            ("doctor", Doctor(self._settings.data_dir, self._house.checkup_board, self._alive).run()),
            ("slips", printing.work(self._site, self._bridge.post)),
        ]
        work += work_of(self._updating)
        work += [(f"reads {scanner.name}", self._read(scanner)) for scanner in self._scanners()]
        work += [(f"uploads {scanner.name}", self._uploads(scanner)) for scanner in self._scanners()]
        if self._site.locker is not None:
            work.append(("doors", self._doors(self._site.locker)))
        hub = self._settings.hub
        if hub is not None and hub.is_ready:
            work += self._uplink(hub).work()
            if hub.identity_dir is not None:
                work.append(("kept copy", self._outward.keep_daily(hub)))
        elif hub is not None:
            from edge.pairing import Pairer  # with the libraries of certificates: loaded where they are needed

            work.append(("pairing", Pairer(hub, self._settings.site, self._clock, self._paired).run()))
        return work

    def _paired(self, step: Step) -> None:
        """Show it; without a window nobody stands here, and the terminal may begin anew at once."""
        self._bridge.post(step)
        if self._headless and isinstance(step, Pairing) and step.state == "granted":
            self.on_begin_anew()

    def _task(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task of the house never ends by itself: if it does, that is a bug or a dead disk, and a restart is best."""
        if task.cancelled() or self._stop.is_set():
            return
        error = task.exception()
        logger.critical("task %s ended", task.get_name(), exc_info=error)
        self._bridge.post(Closed(error.code if isinstance(error, StoreFault) else "S4"))
        self.watchdog.give_up()

    async def _wind_up(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in reversed(tasks):
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SYNC_STOP_S * 2):
                await asyncio.gather(*tasks, return_exceptions=True)
        if self._site.locker is not None:
            await self._site.locker.stop()
        for _, device in reversed(self._devices):
            await device.stop()
        with contextlib.suppress(StoreFault):
            await self._store.run(log.append, events.TerminalStopped(VERSION))

    def _post(self, step: Step) -> None:
        """Show a step; the gun whose code it is about, or the loudspeaker, says whether it was taken."""
        self._bridge.post(step)
        if isinstance(step, Stored | HandOverAsk | Refusal) and (gun := self._guns.get(self._runner.scanner)):
            scanner, at_ms = gun
            if self._clock.ms() - at_ms < BEEP_MS:
                speaker = self._site.counter.speaker  # it speaks for a gun that cannot
                voice = scanner if scanner.can_signal or speaker is None else speaker
                beep = asyncio.create_task(voice.signal(not isinstance(step, Refusal)), name="beep")
                self._beeps.add(beep)
                beep.add_done_callback(self._beeps.discard)

    async def _read(self, scanner: Scanner) -> None:
        async for read in scanner.reads():
            if self._bench.take(read):
                continue
            self._guns[read.scanner] = self._guns[""] = scanner, self._clock.ms()
            if self._headless:
                self._runner.submit(Scanned(read.text, "standby", read.scanner))
            else:
                self._bridge.scan(read.text, read.scanner)

    async def _uploads(self, scanner: Scanner) -> None:
        """No beep and no door: what a gun had in its memory becomes a list for the operator."""
        async for upload in scanner.batches():
            self._bridge.post(await batch.received(self._site, upload, self._desk.counter.learnt))

    async def _doors(self, locker: Locker) -> None:
        async for change in locker.changes():
            await doors.moved(self._site, change)

    def _uplink(self, hub: HubLink) -> Uplink:
        dice = random.SystemRandom().random
        outside = Outside(self._clock.ms, dice, self._line_changed, self._health)
        who = SiteCode(self._settings.site), VERSION
        uplink = Uplink(hub, who, StoreLog(self._store), outside, self._clock)
        place = Place(self._settings.sticks_dir, plain=self._settings.sim)
        carrying = Carrying(place, hub.link_key(), self._store, uplink.begin_anew, self._outward)
        self._desk.sticks = Sticks(self._site, carrying)
        return uplink

    def _health(self) -> dict[str, str | int | bool]:
        ill = sum(device.status().health is not Health.OK for _, device in self._devices)
        told: dict[str, str | int | bool] = {"devices_ill": ill, "disk_free_mb": self._house.free_mb()}
        running = self._settings.update.running()
        return told if running is None else told | {"board": running.compatible}

    def _alive(self) -> dict[str, Any]:
        """For edge/health.py: what only this process can tell."""
        drawn = None if self._headless else self._bridge.renderer != ""
        beat_s = time.monotonic() - self._bridge.beat if drawn else 0.0
        devices = self._house.device_health()
        return {
            "version": VERSION,
            "drawn": drawn,
            "beat_s": beat_s,
            "online": self._house.line.online,
            "devices": devices,
        }

    def _line_changed(self, info: LinkInfo) -> None:
        self._house.line_changed(online=info.online, pending=info.pending, trouble=info.trouble)

    # -- parts

    def _display(self) -> Display | None:
        return cast(
            "Display | None", next((d for kind, d in self._devices if DEVICE_KINDS[kind][0] == "display"), None)
        )

    def _scanners(self) -> list[Scanner]:
        return [cast("Scanner", d) for kind, d in self._devices if DEVICE_KINDS[kind][0] == "scanner"]

    def _say(self, key: str, **slots: str | int) -> str:
        return say(key, self._settings.language, **slots)


def run(settings: Settings, *, headless: bool) -> int:
    """Run the terminal until SIGTERM or Ctrl-C. Return the exit code."""
    bridge = Bridge()
    reopening = Reopening(settings.data_dir, bridge.stop)
    bridge.on_closed = reopening.closed
    on_signals(bridge.stop)
    kiosk = Kiosk(settings, bridge, headless=headless)
    kiosk.on_begin_anew = reopening.now
    code = 0
    try:
        kiosk.start()
    except StoreFault as fault:
        logger.critical("store: %s", fault)
        bridge.post(closed(fault))
        code = 4
        if headless:
            raise
    try:
        if headless:
            kiosk.ready.wait(STOP_S)
            tell_ready(settings)
            bridge.stopped.wait()
        else:
            _show(settings, bridge, kiosk.blind_cells)
    finally:
        kiosk.stop()
    if reopening.due:
        reopening.begin_anew()
    return code


def _show(settings: Settings, bridge: Bridge, blind_cells: frozenset[int]) -> None:
    from ui.app import IdleTimes, UiSettings, run_app

    bridge.on_ready = lambda: tell_ready(settings)
    ui = UiSettings(
        width=settings.panel.width,
        height=settings.panel.height,
        diagonal_inch=settings.panel.diagonal_inch,
        fullscreen=settings.panel.fullscreen,
        language=settings.language,
        idle=IdleTimes(
            pickup_s=settings.idle.pickup_s,
            villager_s=settings.idle.villager_s,
            operator_s=settings.idle.operator_s,
        ),
        site_name=settings.name,
        help_phone=settings.help_phone or "",
        has_locker=settings.cabinet is not None,
        has_shelf=bool(settings.shelves),
        drive_socket=settings.drive_socket,
        blind_cells=blind_cells,
        has_printer=any(DEVICE_KINDS[d.kind][0] == "printer" for d in settings.devices),
        has_scale=any(DEVICE_KINDS[d.kind][0] == "scale" for d in settings.devices),
    )
    run_app(ui, bridge)


def closed(fault: StoreFault) -> Closed:
    """The closed screen, with the backup that could be restored."""
    return Closed(fault.code, fault.backup.name if fault.backup else None)


def tell_ready(settings: Settings) -> None:
    print(json.dumps({"ready": True, "site": settings.site}), flush=True)  # noqa: T201 a supervisor waits for this line
