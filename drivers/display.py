"""The LED display: the newest lines win, and they come back after the card or the cable was away.

No packets here (drivers/wire/onbon.py). `show` only remembers; one task talks to the card. Every command may be
repeated, since showing the same text twice does no harm.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from drivers import daylight
from drivers.base import Clock, DeviceError, Garbled, Health, NoAnswer, NotThere, Refused, Status
from drivers.faults import Fault
from drivers.link import Link
from drivers.wire import onbon, onbon_area

log = logging.getLogger(__name__)

MAX_LINES, MAX_LINE = 8, 120  # characters; nobody reads more from afar, and a packet stays under 2 kB
GLYPH_PX = 16  # the card's standard Chinese font; Latin letters are half as wide
AREA = 0
BUSY, BAD_CHECK = 3, 5  # refusals that another attempt may heal
_FAULTS = {
    BUSY: Fault.BUSY,
    4: Fault.TOO_LONG,
    BAD_CHECK: Fault.BAD_CHECK,
    12: Fault.NO_FONT,
    17: Fault.WRONG_TYPE,
    18: Fault.WRONG_AREA,
    19: Fault.WRONG_NUMBER,
}
HALF = daylight.always(8)
SCROLL_SPEED = 2  # as in the maker's own sample


@dataclass(frozen=True, slots=True)
class Panel:
    """The LED panel. Units: pixels. `in_pixels` False for the 5K1 generation, which counts in eights."""

    width: int = 128
    height: int = 32
    screen: int = 1
    device_type: int = onbon.ANY_TYPE
    brightness: daylight.Daylight = HALF
    in_pixels: bool = True


@dataclass(frozen=True, slots=True)
class DisplayTiming:
    """Waits of one display, in seconds."""

    reply_s: float = 3.0  # the maker's sample waits as long
    attempts: int = 3
    watch_s: float = 10.0  # a card that lost its memory shows its text again within this
    retry_s: float = 2.0


USUAL = DisplayTiming()


class LedDisplay:
    """`drivers.base.Display` on an Onbon font card."""

    def __init__(self, link: Link, panel: Panel, clock: Clock, timing: DisplayTiming = USUAL) -> None:
        self.name = link.name
        self._link = link
        self._panel = panel
        self._clock = clock
        self._timing = timing
        self._lines: tuple[str, ...] = ()
        self._stirred = asyncio.Event()
        self._parser = onbon.Parser()
        self._answer: asyncio.Future[onbon.Answer] | None = None
        self._hint = "not asked yet"
        self._fault: Fault | None = Fault.STARTING
        self._was_heard = False  # a packet of the card since the port was opened
        self._is_away = True
        self._was_lost = False
        self._can_report = True
        self._level: int | None = None  # brightness as last set; None: dark
        self._held: int | None = None  # percent, by hand; None: the time of day decides
        self._clock_set: date | None = None
        self._refused: dict[str, Refused] = {}  # settings the card would not take, by what they are
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the port and bring the card up in the background."""
        if not self._tasks:
            await self._link.start()
            work = {"answers": self._listen(), "lines": self._work()}
            self._tasks = [asyncio.create_task(each, name=f"{what} of {self.name}") for what, each in work.items()]

    async def stop(self) -> None:
        """Release the port. The card keeps what it shows. Safe to call twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._link.stop()

    def status(self) -> Status:
        """Tell how the display is, from what was last seen."""
        if not self._link.is_open:
            return Status(self.name, Health.AWAY, self._link.hint, fault=self._link.fault)
        if self._is_away:
            return Status(self.name, Health.AWAY, self._hint, fault=self._fault)
        fault = next(iter(self._refused.values())).fault if self._refused else None
        fault = Fault.SETTING_REFUSED if fault is Fault.REFUSED else fault
        return Status(self.name, Health.DEGRADED if self._hint else Health.OK, self._hint, fault=fault)

    def show(self, lines: Sequence[str]) -> None:
        """Put lines up soon; the newest call wins."""
        self._lines = tuple(line[:MAX_LINE] for line in lines[:MAX_LINES])
        self._stirred.set()

    def light(self, percent: int | None) -> None:
        """Hold this brightness soon; None gives it back to the time of day."""
        self._held = None if percent is None else min(100, max(0, percent))
        self._stirred.set()

    async def _work(self) -> None:
        """Bring the card up, then keep it showing; start over whenever it was away."""
        while True:
            if not self._link.is_open:
                await self._link.opened_after(self._link.times_opened)
            try:
                await self._bring_up()
                while True:
                    await self._keep_up()
            except DeviceError as error:
                if not self._is_away or self._hint != error.hint:
                    log.warning("%s: %s", self.name, error.hint)
                self._is_away, self._hint, self._fault = True, error.hint, error.fault
            await asyncio.sleep(self._timing.retry_s)

    async def _bring_up(self) -> None:
        """Everything a card needs that may just have got power. Refused settings degrade, they do not stop the text."""
        self._was_lost = False
        await self._ask(onbon.ping())
        self._refused.clear()
        await self._set_light()
        await self._set_clock()
        await self._try(onbon.delete_all_areas())
        self._is_away, self._can_report = False, True
        await self._put()

    async def _set_light(self) -> None:
        """Brightness by the time of day, dark where the schedule says so; our clock decides, not the card's."""
        level = self._wanted_level()
        await self._try(onbon.power(on=level is not None))
        if level is not None:
            await self._try(onbon.brightness(level))
        self._level = level

    def _wanted_level(self) -> int | None:
        if self._held is None:
            return self._panel.brightness.level(self._clock.local())
        return max(1, round(self._held * onbon.MAX_BRIGHTNESS / 100)) if self._held else None

    async def _set_clock(self) -> None:
        now = self._clock.local()
        await self._try(onbon.set_clock(now))
        self._clock_set = now.date()

    async def _follow_day(self) -> None:
        """What changes with the hour and the day: cards drift by seconds a day."""
        if self._wanted_level() != self._level:
            await self._set_light()
        if self._clock.local().date() != self._clock_set:
            await self._set_clock()

    async def _try(self, payload: bytes) -> None:
        """A setting that the card may refuse: it degrades the display and does not stop the text."""
        name = onbon.command_name(payload)
        try:
            await self._ask(payload)
            self._refused.pop(name, None)
        except Refused as error:
            self._refused[name] = error
        self._hint = "; ".join(each.hint for each in self._refused.values())

    async def _keep_up(self) -> None:
        """Wait for new lines; without any, see whether the card still holds the old ones."""
        try:
            async with asyncio.timeout(self._timing.watch_s):
                await self._stirred.wait()
        except TimeoutError:
            await self._follow_day()
            if await self._still_shows():
                return
        if self._was_lost:
            raise NotThere(self.name, self._link.hint or "port was lost", Fault.LOST)
        await self._follow_day()  # also on a panel that gets new text all day
        await self._put()

    async def _put(self) -> None:
        self._stirred.clear()  # before the lines are read: what comes later stirs again
        await self._ask(layout(self._lines, self._panel))

    async def _still_shows(self) -> bool:
        if self._can_report:
            try:
                report = await self._ask(onbon.query_status())
            except Refused:
                self._can_report = False  # this card does not report; put the text up again every time instead
            else:
                if isinstance(report, onbon.ScreenStatus) and report.is_on is not (self._level is not None):
                    await self._set_light()  # somebody switched it by hand, or it forgot
                return isinstance(report, onbon.ScreenStatus) and (AREA in report.areas) == bool(self._lines)
        return False

    async def _ask(self, payload: bytes) -> onbon.Answer:
        """Send a command until it is answered. Errors: NotThere, NoAnswer, Garbled, Refused."""
        failure: DeviceError = NoAnswer(self.name, "never asked")
        for _ in range(self._timing.attempts):
            try:
                answer = await self._ask_once(payload)
            except (NoAnswer, Garbled) as error:
                failure = error
                continue
            if not isinstance(answer, onbon.Nack):
                return answer
            advice = f" ({answer.advice})" if answer.advice else ""
            hint = f"{onbon.command_name(payload)} refused: {answer.name}{advice}"
            failure = Refused(self.name, hint, _FAULTS.get(answer.error))
            if answer.error not in (BUSY, BAD_CHECK):
                break
        raise failure

    async def _ask_once(self, payload: bytes) -> onbon.Answer:
        rejected = self._parser.rejected
        self._parser.reset()
        self._answer = asyncio.get_running_loop().create_future()
        packet = onbon.Packet(self._panel.screen, onbon.PC, payload, self._panel.device_type)
        try:
            await self._link.write(onbon.framed(packet))
            async with asyncio.timeout(self._timing.reply_s):
                return await self._answer
        except TimeoutError:
            if self._parser.rejected > rejected:
                fault = Fault.NOISY if self._was_heard else Fault.GARBLED
                raise Garbled(self.name, "bytes came that are no answer", fault) from None
            raise NoAnswer(self.name, f"silent for {self._timing.reply_s} s") from None
        finally:
            self._answer = None

    async def _listen(self) -> None:
        while True:
            chunk = await self._link.receive()
            if not chunk:
                self._parser.reset()
                self._was_lost, self._was_heard = True, False
                self._stirred.set()
                if self._answer is not None and not self._answer.done():
                    self._answer.set_exception(NoAnswer(self.name, "port vanished before the answer"))
            for packet in self._parser.feed(chunk):
                self._was_heard = True
                answer = onbon.answer(packet.payload)
                if answer is not None and self._answer is not None and not self._answer.done():
                    self._answer.set_result(answer)


def layout(lines: Sequence[str], panel: Panel) -> bytes:
    """Lay lines out: still when they fit, else one moving line; no lines clear the panel. Pure."""
    if not lines:
        return onbon.delete_all_areas()
    text = onbon_area.lines(lines)
    fits = onbon_area.columns(text) * GLYPH_PX // 2 <= panel.width and len(lines) * GLYPH_PX <= panel.height
    area = onbon_area.Area(
        text if fits else onbon_area.text("  ".join(lines)),
        panel.width,
        panel.height,
        AREA,
        in_pixels=panel.in_pixels,
        is_single_line=not fits or len(lines) == 1,
        motion=onbon_area.Motion.STATIC if fits else onbon_area.Motion.LEFT,
        speed=0 if fits else SCROLL_SPEED,
    )
    return onbon.update_areas([onbon_area.encode(area)])
