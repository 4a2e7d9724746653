"""The task that carries out an ordered release: fetch by night, check, write when nobody is there, try, tell the hub.

What is decided is in edge/updates.py and edge/release.py; files come by edge/update_fetch.py, the other slot is written
by edge/update_helper.py. Every step may be the last before a power cut: what is known lies in the order's row and in
the trial's file, and the next start goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge import events, release, update_trial, updates
from edge.clock import Clock
from edge.release import BadSheet, Running, Sheet, Unfit
from edge.steps import UpdateLine
from edge.store import Store
from edge.update_ask import Helper
from edge.update_fetch import Fetching, Interrupted, Pace, Source, pieces, sheet
from edge.update_folder import tidy
from edge.update_settings import UpdateSettings
from edge.update_trial import Trial
from edge.updates import Order, State
from sync import bundle
from sync.enrol import EnrolFault

LOOK_S = 20.0
QUIET_MS = 60_000  # so long nobody has touched anything
UTC8_MINUTES = 8 * 60  # China has one time zone

log = logging.getLogger(__name__)


class Kiosk(Protocol):
    """What the running terminal says of itself."""

    def is_busy(self) -> bool:
        """Whether a flow runs or somebody is logged in."""

    def devices(self) -> dict[str, str]:
        """Name to health."""

    def is_online(self) -> bool:
        """Whether the hub is reached."""


class Voice(Source, Protocol):
    """The hub's reception as sync.enrol.Enroller speaks to it."""

    def ask_time(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What an update is made with. `voice`: None without a hub; `boot`: of this start; `late`: minutes after dusk."""

    folder: Path
    settings: UpdateSettings
    running: Running
    helper: Helper
    voice: Voice | None
    boot: str
    late: int
    rest: Callable[[float], None]


class Updating:
    """Owned by the io thread. `line` is what a screen may show."""

    def __init__(self, parts: Parts, store: Store, clock: Clock, kiosk: Kiosk) -> None:
        self._parts = parts
        self._store = store
        self._clock = clock
        self._kiosk = kiosk
        self._busy_ms = clock.ms()  # when somebody was last seen
        self._halt = threading.Event()
        self._said = ""
        self._ready: tuple[str, Path, bundle.Bundle] | None = None  # order, its file, judged in this life
        self._last: Order | None = None
        self._doing = ""  # fetching or writing
        self._slot = ""
        self._percent: int | None = None

    async def run(self) -> None:
        """Look for something to do, for ever."""
        with contextlib.suppress(Unfit):  # the screen tells no slot then
            await self._status()
        try:
            while True:
                await self.step()
                await asyncio.sleep(LOOK_S)
        finally:
            self._halt.set()  # a download in its thread ends with the next chunk

    async def step(self) -> None:
        """Do what can be done now. What goes wrong is told once, and tried again at the next look."""
        if self._kiosk.is_busy():
            self._busy_ms = self._clock.ms()
        try:
            await self._go_on()
            self._said = ""
        except (EnrolFault, Interrupted, Unfit, OSError) as error:
            if str(error) != self._said:
                log.info("update: %s", error)
            self._said = str(error)
        finally:
            self._doing, self._percent = "", None
        self._last = await self._store.run(updates.last)

    def line(self) -> UpdateLine:
        """How it stands, for a screen."""
        running, last = self._parts.running, self._last
        if last is None:
            return UpdateLine(self._slot, running.version)
        state = self._doing or last.state.value
        return UpdateLine(self._slot, running.version, state, last.version, self._percent, last.why)

    async def _go_on(self) -> None:
        trial = await asyncio.to_thread(update_trial.load, self._parts.folder)
        order = await self._store.run(updates.current)
        if trial is not None:
            await self._try(trial, order)
        elif order is None:
            await asyncio.to_thread(tidy, self._parts.folder, frozenset())
        elif order.state is State.WRITTEN:  # its file was lost; the slot that runs tells how it ended
            await self._ended(Trial(order.id, order.version, self._parts.running.version, "", "", {}, online=False))
        elif release.number(order.version) == release.number(self._parts.running.version):
            await self._move(order, State.INSTALLED, events.UpdateInstalled(order.id, order.version, order.version))
        elif order.at_once or self._is_night():
            await self._carry_out(order)

    # --- fetch and write ----------------------------------------------------------------------------------------

    async def _carry_out(self, order: Order) -> None:
        try:
            release.check(order.version, order.compatible, self._parts.running)
            if self._ready is None or self._ready[0] != order.id:
                self._ready = order.id, *await asyncio.to_thread(self._checked, order)
            _, file, told = self._ready
            if order.state is State.WAITING:
                fact = events.UpdateFetched(order.id, order.version, told.base, told.size)
                await self._move(order, State.FETCHED, fact, order.why)
            if self._is_quiet():
                self._ready = None
                await self._write(order, file, told.base)
        except Unfit as error:
            if error.word in ("no_helper", "busy"):
                raise
            log.warning("update to %s refused: %s", order.version, error)
            await self._move(
                order, State.REFUSED, events.UpdateRefused(order.id, order.version, error.word), error.word
            )

    def _fetch(self, order: Order) -> Path:
        """Runs aside. Errors: Unfit, Interrupted, EnrolFault, OSError."""
        voice = self._parts.voice
        if voice is None:
            raise Interrupted("there is no hub to fetch it from")
        try:
            voice.ask_time()
            offered = sheet(voice, order.sheet)
            offer = release.choose(offered, self._parts.running, whole=order.why == "whole")
            names = pieces(voice, offer)
        except BadSheet as error:
            raise Unfit("damaged", str(error)) from error
        _same_release(offered, order)
        tidy(self._parts.folder, frozenset({offer.sha256}))
        fetching = Fetching(self._parts.folder, offer, names, voice)
        self._doing = "fetching"

        def may_go_on() -> bool:
            self._percent = 100 - 100 * fetching.left() // offer.size
            return not self._halt.is_set() and (order.at_once or self._is_night())

        return fetching.run(Pace(self._parts.settings.kbit, may_go_on, self._parts.rest, self._clock.ms))

    def _checked(self, order: Order) -> tuple[Path, bundle.Bundle]:
        """The file of an order, whole and judged. Runs aside. Errors: as `_fetch`."""
        file = self._fetch(order)
        try:
            told = bundle.read(file, self._parts.settings.keyring)
            bundle.check_whole(file)
            _same_release(told, order)
        except Unfit:
            file.unlink()
            raise
        return file, told

    async def _write(self, order: Order, file: Path, base: str) -> None:
        before = await self._status()
        trial = Trial(
            order.id, order.version, self._parts.running.version, str(before["booted"]), self._parts.boot,
            self._kiosk.devices(), self._kiosk.is_online(),
        )  # fmt: skip
        await asyncio.to_thread(update_trial.save, self._parts.folder, trial)
        self._doing, self._percent = "writing", 0
        try:
            await asyncio.to_thread(self._parts.helper.install, file.name, self._progress)
        except Unfit as error:
            await asyncio.to_thread(update_trial.forget, self._parts.folder)
            if base and error.word in ("not_written", "wrong_base"):
                log.warning("update to %s: %s; the whole file is fetched instead", order.version, error)
                await self._store.run(updates.again, order.id, "whole")
                return
            raise
        await asyncio.to_thread(update_trial.save, self._parts.folder, update_trial.written(trial))
        await self._move(order, State.WRITTEN, events.UpdateWritten(order.id, order.version, trial.old))

    # --- try ----------------------------------------------------------------------------------------------------

    async def _try(self, trial: Trial, order: Order | None) -> None:
        told = await self._status()
        if told["booted"] != trial.slot:
            if not told["trial"]:
                await self._ended(trial)
        elif self._parts.boot != trial.boot:  # a start later, and still in the old slot
            if trial.written:
                await self._fell_back(trial)
            else:  # the power went while it was written
                await asyncio.to_thread(update_trial.forget, self._parts.folder)
        elif not trial.written:
            await asyncio.to_thread(update_trial.forget, self._parts.folder)  # a command or we ended in the middle
        elif self._is_quiet() and (order is None or order.at_once or self._is_night()):
            log.info("update: restarting into %s", trial.version)
            await asyncio.to_thread(self._parts.helper.restart)

    async def _ended(self, trial: Trial) -> None:
        if release.number(trial.version) != release.number(self._parts.running.version):
            await self._fell_back(trial)
            return
        fact = events.UpdateInstalled(trial.order, trial.version, trial.old)
        await self._store.run(updates.move, trial.order, State.INSTALLED, fact)
        log.info("update: %s runs for good", trial.version)
        await asyncio.to_thread(update_trial.forget, self._parts.folder)

    async def _fell_back(self, trial: Trial) -> None:
        words = await asyncio.to_thread(update_trial.verdict, self._parts.folder)
        why = ", ".join(words)[:100] or "no_start"
        log.warning("update: %s was given up (%s), %s runs", trial.version, why, self._parts.running.version)
        fact = events.UpdateFellBack(trial.order, trial.version, self._parts.running.version, why)
        await self._store.run(updates.move, trial.order, State.FELL_BACK, fact, why)
        await asyncio.to_thread(update_trial.forget, self._parts.folder)

    # --- parts --------------------------------------------------------------------------------------------------

    async def _status(self) -> dict[str, Any]:
        told = await asyncio.to_thread(self._parts.helper.status)
        self._slot = str(told["booted"])
        return told

    async def _move(self, order: Order, state: State, fact: events.Fact, why: str = "") -> None:
        await self._store.run(updates.move, order.id, state, fact, why)

    def _progress(self, told: Mapping[str, Any]) -> None:
        if isinstance(told.get("percent"), int):
            self._percent = told["percent"]

    def _is_quiet(self) -> bool:
        if self._kiosk.is_busy():
            self._busy_ms = self._clock.ms()
        return self._clock.ms() - self._busy_ms >= QUIET_MS

    def _is_night(self) -> bool:
        minute = (self._clock.stamp().at // 60_000 + UTC8_MINUTES) % (24 * 60)
        return self._parts.settings.is_open(minute, self._parts.late)


def _same_release(told: Sheet | bundle.Bundle, order: Order) -> None:
    if (told.version, told.compatible) != (order.version, order.compatible):
        raise Unfit("not_ours", "it is of another release than the order")
