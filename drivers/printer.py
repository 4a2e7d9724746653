"""A receipt printer on a link: slips in order, each with its outcome, paper and cover as far as the printer tells.

Drawing is left to an ESC/POS library, the only file that knows it; it draws into memory, and its ports are not used:
they block, raise the wrong line signals and call a silent printer well. It is loaded when the first slip is drawn, in a
helper thread, since it reads a table of printers for a third of a second.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from drivers.base import DeviceError, Health, NoAnswer, NotThere, Refused
from drivers.faults import Fault
from drivers.link import Link
from drivers.paper import BarCode, Cover, Cut, Line, Paper, Printed, PrinterStatus, QrCode, Text
from drivers.wire import escpos
from drivers.wire.escpos import Form

log = logging.getLogger(__name__)

PIECE = 256  # bytes written at once: a quarter of a second at 9600 baud
MAX_SLIP = 65536  # bytes; the longest slip of the trade has about 2,000
QR_MODULE = 6  # dots: 0.75 mm, read by every telephone
BAR_MODULE = 2  # dots, the narrowest the command set allows
BAR_HEIGHT = 80  # dots: 10 mm


@dataclass(frozen=True, slots=True)
class PrinterTiming:
    """Waits of one printer, in seconds."""

    reply_s: float = 1.0  # it has no name in it: a late answer would be taken for the next one's
    attempts: int = 2
    watch_s: float = 10.0  # between two looks at paper and cover
    confirm_s: float = 20.0  # 2,000 bytes take two seconds on the wire; slow printers draw 50 mm a second
    look_s: float = 1.0  # between two looks while waiting for the end of a slip


USUAL = PrinterTiming()


class SlipPrinter:
    """`drivers.paper.Printer` over a link."""

    def __init__(self, link: Link, form: Form, timing: PrinterTiming = USUAL) -> None:
        self.name = link.name
        self._link = link
        self._form = form
        self._timing = timing
        self._turn = asyncio.Lock()
        self._heard = bytearray()
        self._arrived = asyncio.Event()
        self._answers = False  # whether it has ever answered on this cable
        self._is_silent = False
        self._was_asked = False
        self._paper = Paper.UNKNOWN
        self._cover = Cover.UNKNOWN
        self._has_error = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the port and begin to look at paper and cover."""
        if not self._tasks:
            await self._link.start()
            work = {"answers": self._listen(), "watch": self._watch()}
            self._tasks = [asyncio.create_task(each, name=f"{what} of {self.name}") for what, each in work.items()]

    async def stop(self) -> None:
        """Release the port. Safe to call twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._link.stop()

    def status(self) -> PrinterStatus:
        """Tell how the printer is, from what was last heard."""
        if not self._link.is_open:
            return PrinterStatus(self.name, Health.AWAY, self._link.hint, fault=self._link.fault)
        if self._is_silent:
            return PrinterStatus(self.name, Health.AWAY, "does not answer any more", fault=Fault.SILENT)
        trouble = self._trouble()
        if trouble or self._paper is Paper.NEAR_END:
            hint, fault = trouble or "paper is near its end", self._trouble_fault()
            return PrinterStatus(self.name, Health.DEGRADED, hint, self._paper, self._cover, fault=fault)
        hint = "" if self._answers else "never answers: paper and cover unknown"
        blind = None if self._answers else Fault.BLIND if self._was_asked else Fault.STARTING
        return PrinterStatus(self.name, Health.OK, hint, self._paper, self._cover, fault=blind)

    async def print(self, slip: Sequence[Line]) -> Printed:
        """Print one slip and tell what is known of it."""
        is_quick = "escpos.printer" in sys.modules and self._form.draws_qr  # two milliseconds then
        drawn = draw(slip, self._form) if is_quick else await asyncio.to_thread(draw, tuple(slip), self._form)
        async with self._turn:
            await self._look()
            if self._is_silent:
                raise NoAnswer(self.name, "answered before and is silent now")
            if self._trouble():
                raise Refused(self.name, self._trouble())
            if not await self._send(drawn):
                return Printed.UNKNOWN
            return await self._confirmed() if self._answers else Printed.SENT

    async def _send(self, drawn: bytes) -> bool:
        """Send a slip; False when only a part of it went out. Errors: NotThere, nothing went out."""
        for at in range(0, len(drawn), PIECE):
            try:
                await self._link.write(drawn[at : at + PIECE])
            except DeviceError as error:
                if at == 0 and isinstance(error, NotThere):
                    raise
                log.warning("%s: a slip broke off after %d bytes: %s", self.name, at, error.hint)
                return False
        return True

    async def _confirmed(self) -> Printed:
        """Wait until the printer has reached the mark behind the slip, or says why it stopped."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timing.confirm_s
        try:
            self._heard.clear()
            while loop.time() < deadline:
                await self._link.write(escpos.MARK)
                if await self._hear(escpos.is_mark, self._timing.look_s) is not None:
                    return Printed.DONE
                await self._look(is_waiting=True)
                if self._trouble() or self._is_silent:
                    log.warning("%s: stopped in a slip: %s", self.name, self._trouble() or "silent")
                    return Printed.UNKNOWN
        except DeviceError as error:
            log.warning("%s: lost in a slip: %s", self.name, error.hint)
            return Printed.UNKNOWN
        return Printed.SENT  # well and willing, but it does not know the mark

    def _trouble(self) -> str:
        if self._cover is Cover.OPEN:
            return "the cover is open"
        if self._paper is Paper.OUT:
            return "paper is out"
        return "the printer reports an error (cutter or print head)" if self._has_error else ""

    def _trouble_fault(self) -> Fault:
        if self._cover is Cover.OPEN:
            return Fault.COVER_OPEN
        if self._paper is Paper.OUT:
            return Fault.PAPER_OUT
        return Fault.PRINT_ERROR if self._has_error else Fault.PAPER_LOW

    async def _look(self, is_waiting: bool = False) -> None:
        """Ask for cover and paper. Errors: NotThere. While `is_waiting` for the mark, bytes that may be it are kept."""
        is_known = self._answers or await self._answers_often()
        answered = await self._asked(escpos.CAUSES, is_waiting) if is_known else None
        self._was_asked = True
        if answered is None:
            self._is_silent = self._answers
            self._paper, self._cover, self._has_error = Paper.UNKNOWN, Cover.UNKNOWN, False
            return
        self._answers, self._is_silent = True, False
        causes = escpos.causes(answered)
        self._cover = Cover.OPEN if causes.is_open else Cover.CLOSED
        self._has_error = causes.has_error
        sensed = await self._asked(escpos.PAPER, is_waiting)
        if sensed is None:
            self._paper = Paper.OUT if causes.is_out else Paper.UNKNOWN
            return
        sensors = escpos.paper(sensed)
        is_out = sensors.is_out or causes.is_out
        self._paper = Paper.OUT if is_out else Paper.NEAR_END if sensors.is_near_end else Paper.OK

    async def _answers_often(self) -> bool:
        """Whether it answers four questions in a row: a status byte carries no check, and noise answers one."""
        for what in (escpos.CAUSES, escpos.PAPER) * 2:
            if await self._asked(what, is_waiting=False) is None:
                return False
        return True

    async def _asked(self, what: int, is_waiting: bool) -> int | None:
        for _ in range(self._timing.attempts):
            if not is_waiting:
                self._heard.clear()
            try:
                await self._link.write(escpos.ask(what))
            except NoAnswer as error:
                raise NotThere(self.name, error.hint) from error
            answer = await self._hear(escpos.is_status, self._timing.reply_s)
            if answer is not None or not self._answers:
                return answer
        return None

    async def _hear(self, fits: Callable[[int], bool], timeout_s: float) -> int | None:
        """Take the first byte that fits out of what was heard, waiting for it; None when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    found = next((byte for byte in self._heard if fits(byte)), None)
                    if found is not None:
                        self._heard.remove(found)
                        return found
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return None

    async def _watch(self) -> None:
        while True:
            if not self._link.is_open:
                await self._link.opened_after(self._link.times_opened)
            try:
                async with self._turn:
                    await self._look()
            except DeviceError as error:
                log.debug("%s", error)
            await asyncio.sleep(self._timing.watch_s)

    async def _listen(self) -> None:
        while True:
            chunk = await self._link.receive()
            if not chunk:
                # Another printer may hang there when it is back.
                self._answers = self._is_silent = self._was_asked = False
            self._heard = (self._heard + chunk)[-PIECE:]
            self._arrived.set()


def draw(slip: Sequence[Line], form: Form) -> bytes:
    """Draw a slip. Blocks for a moment the first time. Errors: ValueError for a slip that cannot be set."""
    paper = _paper(form)
    paper.hw("INIT")
    paper._raw(b"\x1c&")  # Chinese mode; most printers here start in it, some do not
    for line in slip:
        match line:
            case Text():
                _text(paper, line, form)
            case QrCode(text):
                _qr(paper, text, form)
            case BarCode(text):
                _bar(paper, text, form)
            case Cut():
                paper.cut() if form.has_knife else paper.print_and_feed(6)
    drawn: bytes = paper.output
    if len(drawn) > MAX_SLIP:
        raise ValueError(f"a slip of {len(drawn)} bytes is longer than any of ours")
    return drawn


def _text(paper: Any, line: Text, form: Form) -> None:
    size = 2 if line.is_big else 1
    paper.set(align="center" if line.is_centred else "left", custom_size=True, width=size, height=size)
    for part in escpos.wrapped(line.text, form.columns // size):
        # Sent as it is: the library's own text() sends Chinese punctuation through Western code pages.
        paper._raw(escpos.encoded(part, form.charset) + b"\n")
    paper.set(align="left", custom_size=True, width=1, height=1)


def _qr(paper: Any, text: str, form: Form) -> None:
    if not text or not text.isprintable():  # some control signs are commands wherever they stand
        raise ValueError("a QR code of nothing, or with control signs")
    paper.set(align="center")
    paper.qr(text, native=form.draws_qr, size=QR_MODULE)
    paper._raw(b"\n")
    paper.set(align="left")


def _bar(paper: Any, text: str, form: Form) -> None:
    code, modules = escpos.code128(text)
    if modules * BAR_MODULE > form.dots:
        _text(paper, Text(text, is_centred=True), form)
        return
    # Not barcode(): that prints a sentence to the standard output on each call, where the command line speaks JSON.
    paper._hw_barcode(code, "CODE128", height=BAR_HEIGHT, width=BAR_MODULE, pos="BELOW", function_type="B")
    paper._raw(b"\n")
    paper.set(align="left")


def _paper(form: Form) -> Any:
    from escpos import capabilities
    from escpos.printer import Dummy

    shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)  # made at import for a cache that no other run finds
    paper = Dummy()
    data = copy.deepcopy(paper.profile.profile_data)
    data["media"]["width"]["pixels"] = form.dots
    paper.profile.profile_data = data
    return paper
