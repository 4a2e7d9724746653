"""The workbench itself: who may use it, which tool is in the hand, and which of the technician's wishes goes where.

One tool at a time. While the raw view or the search for a gun is open, scans come here and do nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from drivers.base import Device, Dimmable, Read
from edge.clock import Dice
from edge.config import DEVICE_KINDS
from edge.counter import Counter
from edge.flows.site import Site
from edge.model import OperatorId, Rejected, Role
from edge.steps import Step
from edge.steps import wizard as z
from edge.steps import workbench as w
from edge.workbench import devices, doors
from edge.workbench.reads import shown
from edge.workbench.wizard import Wizard, WizardKit

ENROL_S = 60.0
ENROL_SIGNS = 10  # of random capitals and digits: nobody types them by chance
TOOLS = {  # tool -> classes of devices it works on
    "raw": ("scanner",),
    "enrol": ("scanner",),
    "display": ("display", "price_display"),
    "print": ("printer",),
    "scale": ("scale",),
    "doors": (),
    "polarity": (),
}
TAKES_SCANS = ("raw", "enrol")
Who = Callable[[str], Awaitable[tuple[OperatorId, Role]]]


@dataclass(frozen=True, slots=True)
class Part:
    """One device as the settings name it."""

    kind: str
    path: str
    device: Device


@dataclass(frozen=True, slots=True)
class Fittings:
    """What the root gives to the bench.

    Shape: `find_keyboard(code, seconds)` waits for a keyboard that types the code, None when none did; OSError when
           this machine's keyboards cannot be listened to. `board_of(cell)` names the lock device of a cell and the
           polarity it runs with.
    """

    parts: tuple[Part, ...]
    dice: Dice
    board_of: Callable[[int], tuple[str, str]]
    find_keyboard: Callable[[str, float], Awaitable[w.GunFound | None]]
    post: Callable[[Step], None]
    wizard: WizardKit | None = None


class Workbench:
    """Owned by the io thread. `handle` is the desk's way in, `take` that of the root's readers."""

    def __init__(self, site: Site, counter: Counter, who: Who, fittings: Fittings) -> None:
        self._site = site
        self._counter = counter
        self._who = who
        self._fit = fittings
        self._tool = ""
        self._wanted = ""  # the code of an enrolment
        self._heard: asyncio.Future[w.GunFound | None] | None = None
        self._answers: asyncio.Queue[doors.Saw] = asyncio.Queue(1)
        self._turn = 0  # counts tools taken up: what belongs to an earlier one ends
        kit = fittings.wizard
        self.wizard = None if kit is None else Wizard(site, kit, self._technician, self._door_pin)

    # -- scans

    def take(self, read: Read) -> bool:
        """Take a scan if a tool wants it. True: nobody else may act on it."""
        if self.wizard is not None and self._is_technician() and self.wizard.take(read):
            return True
        if self._tool not in TAKES_SCANS or not self._is_technician():
            return False
        if self._tool == "raw":
            self._fit.post(shown(read, self._counter.learnt))
        elif self._heard is not None and not self._heard.done() and read.text.upper().endswith(self._wanted):
            self._heard.set_result(self._known_gun(read))
        return True

    def put_down(self) -> None:
        """The technician has left: scans work again, displays show what they should, nobody is asked any more."""
        self._turn += 1
        if self.wizard is not None:
            self.wizard.put_down()
        tool, self._tool, self._wanted = self._tool, "", ""
        if self._heard is not None:
            self._heard.cancel()
        self._said(doors.Saw(None, None))
        if tool == "display":
            for part in self._parts("display"):
                devices.calm_display(part.device)

    # -- requests

    async def handle(self, intent: w.WorkbenchIntent | z.WizardIntent) -> AsyncIterator[Step]:
        """Yield the steps of a request. Errors: Rejected, StoreFault."""
        if isinstance(intent, z.WizardIntent):
            if self.wizard is None:
                raise Rejected("not_allowed")
            async for step in self.wizard.handle(intent):
                yield step
            return
        if isinstance(intent, w.CloseTool):
            self.put_down()
            return
        self._technician()
        match intent:
            case w.OpenTool():
                steps = self._open(intent)
            case w.OpenCell():
                steps = self._open_cell(intent)
            case w.SawDoor():
                self._said(doors.Saw(intent.cell, intent.is_open))
                return
            case _:
                steps = self._tried(intent)
        async for step in steps:
            yield step

    async def _open(self, intent: w.OpenTool) -> AsyncIterator[Step]:
        tool = intent.tool
        if tool not in TOOLS:
            raise AssertionError(f"no tool {tool}")
        self.put_down()
        self._tool, turn = tool, self._turn
        yield w.ToolShown(tool, tuple(_told(part) for part in self._parts(tool)))
        match tool:
            case "enrol":
                more = self._enrol()
            case "scale":
                more = self._weigh(intent.device, turn)
            case "doors" | "polarity":
                more = self._look()
            case _:
                return
        async for step in more:
            if turn != self._turn:
                return
            yield step

    async def _tried(self, intent: w.WorkbenchIntent) -> AsyncIterator[Step]:
        say = self._site.say
        match intent:
            case w.TryDisplay():
                device = self._device("display", intent.device)
                yield await devices.try_display(device, self._class(device), intent.what, say)
            case w.TryPrinter():
                yield await devices.try_printer(self._device("print", intent.device), say)
            case w.TareScale():
                yield await self._tare(self._device("scale", intent.device))

    async def _tare(self, device: Device) -> Step:
        """Tare a scale. The counter's own counts so from then on, and its tickets say so."""
        told, tare_g = await devices.tare(device)
        if tare_g is not None and device is self._site.counter.scale:
            self._site.tare_g = tare_g
        return told

    async def _look(self) -> AsyncIterator[Step]:
        yield await doors.look(self._site)

    async def _weigh(self, name: str, turn: int) -> AsyncIterator[Step]:
        parts = [part for part in self._parts("scale") if name in ("", part.device.name)]
        for part in parts[:1]:
            watch = devices.watch_scale(part.device, lambda: turn == self._turn and self._is_technician())
            async for seen in watch:
                yield seen

    async def due(self) -> z.WizardBoard | None:
        """The first page of the wizard where a technician should be led through it."""
        return None if self.wizard is None else await self.wizard.due()

    async def _open_cell(self, intent: w.OpenCell) -> AsyncIterator[Step]:
        operator = await self._door_pin(intent.pin)
        if intent.reason not in (*doors.REASONS, "commissioning"):
            raise Rejected("not_allowed")
        if intent.tool == "polarity":
            asking = doors.Asking(operator, self._answers, *self._fit.board_of(intent.cell))
            steps = doors.prove_polarity(self._site, intent.cell, asking)
        else:
            steps = doors.try_door(self._site, intent.cell, intent.reason, operator)
        async for step in steps:
            yield step

    async def _door_pin(self, pin: str) -> OperatorId:
        """The PIN is asked for every door anew: a session left open opens nothing."""
        operator, role = await self._who(pin)
        if role is not Role.TECHNICIAN:
            raise Rejected("not_allowed")
        return operator

    def _said(self, saw: doors.Saw) -> None:
        """The newest answer counts."""
        while not self._answers.empty():
            self._answers.get_nowait()
        self._answers.put_nowait(saw)

    # -- finding a gun

    async def _enrol(self) -> AsyncIterator[Step]:
        self._wanted = self._fit.dice.token()[:ENROL_SIGNS]
        self._heard = asyncio.get_running_loop().create_future()
        yield w.EnrolShown(self._wanted, int(ENROL_S))
        keyboard = asyncio.ensure_future(self._fit.find_keyboard(self._wanted, ENROL_S))
        why = "late"
        try:
            async with asyncio.timeout(ENROL_S):
                await asyncio.wait({self._heard, keyboard}, return_when=asyncio.FIRST_COMPLETED)
                if keyboard.done() and not self._heard.done() and _failed(keyboard):
                    why = "no_input"
                    await asyncio.wait({self._heard})  # the guns of the settings can still be found
        except TimeoutError:
            pass
        finally:
            keyboard.cancel()
            await asyncio.gather(keyboard, return_exceptions=True)
        found = _result(self._heard) or _result(keyboard)
        yield found or w.EnrolOver(why)

    def _known_gun(self, read: Read) -> w.GunFound:
        """A gun of the settings: its own reader has the code, for nobody else hears a grabbed node."""
        name = read.scanner.partition("/")[0]
        part = next(part for part in self._parts("enrol") if part.device.name == name)
        before = read.text[: -len(self._wanted)]
        lines = (f"[devices.{name}]", f'kind = "{part.kind}"', f'path = "{part.path}"')
        return w.GunFound(
            path=part.path, port=part.path, lines=lines, known=read.scanner,
            keeps_case=read.text.endswith(self._wanted), has_aim=before[:1] == "]",
        )  # fmt: skip

    # -- parts

    def _parts(self, tool: str) -> list[Part]:
        return [part for part in self._fit.parts if DEVICE_KINDS[part.kind][0] in TOOLS[tool]]

    def _device(self, tool: str, name: str) -> Device:
        for part in self._parts(tool):
            if part.device.name == name:
                return part.device
        raise Rejected("no_such_device")

    def _class(self, device: Device) -> str:
        return next(DEVICE_KINDS[part.kind][0] for part in self._fit.parts if part.device is device)

    def _technician(self) -> OperatorId:
        operator = self._counter.operator()  # login_first
        if not self._is_technician():
            raise Rejected("not_allowed")
        return operator

    def _is_technician(self) -> bool:
        try:
            self._counter.operator()
        except Rejected:
            return False
        return self._counter.session is not None and self._counter.session.role is Role.TECHNICIAN


def _told(part: Part) -> w.ToolDevice:
    status = part.device.status()
    can = {"display": ("lines",), "price_display": ("lines", "amount")}.get(DEVICE_KINDS[part.kind][0], ())
    light = ("light",) if isinstance(part.device, Dimmable) else ()
    return w.ToolDevice(part.device.name, part.kind, part.path, status.health.value, (*can, *light))


def _failed(task: asyncio.Future[w.GunFound | None]) -> bool:
    return not task.cancelled() and isinstance(task.exception(), OSError)


def _result(done: asyncio.Future[w.GunFound | None] | None) -> w.GunFound | None:
    if done is None or not done.done() or done.cancelled() or done.exception() is not None:
        return None
    return done.result()
