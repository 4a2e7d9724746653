"""One half-duplex bus with lock boards: one question at a time, its answer, and what boards say unasked.

Which cell is which lock, and what an outcome means, is decided in drivers/locker.py. The frames come from a codec that
fulfils `drivers.wire.lock.LockWire`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.base import DeviceError, Garbled, NoAnswer, NotThere, Refused
from drivers.faults import Fault
from drivers.link import Link
from drivers.wire.lock import (
    BoardState,
    Calmed,
    Declined,
    Echoed,
    LockEvent,
    LockMoved,
    LockState,
    LockWire,
    Look,
    OpenReply,
)

Contacts = Mapping[int, bool | None]  # lock -> raw contact: True is shorted, None: the board cannot tell
OpenAnswer = OpenReply | LockMoved | Declined


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits of one locker, in seconds."""

    reply_s: float = 0.3  # boards answer within about 200 ms; hosts in the field wait 300
    gap_s: float = 0.05  # line turnaround; used by every host we know
    reads: int = 5  # questions until two equal answers in a row; at 10 % damage all five fail once in 40,000
    settle_s: float = 1.0  # the pulse lasts 300 ms, then the door springs open
    poll_s: float = 0.3  # while somebody stands at an open door
    watch_s: float = 1.0  # idle; a forced door is noticed within this
    open_reply_s: float | None = None  # for the answer to an opening; None: as reply_s


USUAL = Timing()


@dataclass(slots=True)
class _Question:
    fits: Callable[[LockEvent], bool]
    answer: asyncio.Future[LockEvent]


class LockBus:
    """Ask boards. The caller holds `turn` around what must not be interleaved.

    `items` keeps, per board and lock, what two answers in a row said of things lying in the cells.
    """

    def __init__(self, link: Link, wire: LockWire, timing: Timing) -> None:
        self.turn = asyncio.Lock()
        self.pushed = asyncio.Event()
        self.sees_echo = False
        self.faults = 0
        self.heard = 0  # frames of the boards since the port was opened
        self.items: dict[int, Mapping[int, bool]] = {}
        self._link = link
        self._wire = wire
        self._timing = timing
        self._parser = wire.parser()
        self._question: _Question | None = None
        self._last_traffic_s = float("-inf")
        self._calmed: dict[int, int] = {}  # board -> how often the port had been opened then
        self._pulsed: set[int] = set()  # boards that have not answered twice alike since their last pulse
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the link and begin to listen."""
        if self._task is None:
            await self._link.start()
            self._task = asyncio.create_task(self._listen(), name=f"bus {self._link.name}")

    async def stop(self) -> None:
        """Stop listening and close the link."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._link.stop()

    async def pulse(self, board: int, lock: int) -> OpenAnswer | None:
        """Send the opening exactly once; returns what the board says to it, None for silence.

        Errors: NotThere when no byte went out, which is the only case in which certainly no coil moved.
        """
        try:
            await self._calm(board)
        except DeviceError as error:
            raise NotThere(self._link.name, f"no pulse was sent: {error.hint}", error.fault) from error
        self._pulsed.add(board)
        request, wait_s = self._wire.open(board, lock), self._timing.open_reply_s or self._timing.reply_s
        try:
            event = await self._ask(request, lambda event: self._wire.answers_open(event, board, lock), wait_s)
        except (NoAnswer, Garbled):
            return None
        return event if isinstance(event, OpenAnswer) else None  # a state is no answer: it is read again anyway

    async def contacts(self, board: int, known: Contacts | None = None, lock: int | None = None) -> Contacts:
        """Ask for the contacts of a board, or what tells this lock, until two answers in a row agree.

        `known` counts as the first. The check byte lets one in ten two-bit errors through, so a single answer proves
        nothing. Errors: NotThere at once; NoAnswer, Garbled or Refused after the last attempt.
        """
        await self._calm(board)
        seen: dict[int, bool | None] = {}
        for look in self._wire.looks(board, lock):
            seen |= await self._agreed(board, look, known or {})
        return seen

    async def _agreed(self, board: int, look: Look, known: Contacts) -> Contacts:
        last = {lock: known[lock] for lock in look.locks if lock in known}
        items: tuple[bool, ...] | None = None
        failure: DeviceError | None = None
        for _ in range(self._timing.reads):
            try:
                event = await self._answered(look.request, lambda event: _told(event, board, look) is not None, board)
            except (NoAnswer, Garbled, Refused) as error:
                self.faults += 1
                failure = error
                if board in self._pulsed:
                    await self._revive(board)
                continue
            told = dict(zip(look.locks, _told(event, board, look) or (), strict=True))
            again = event.items if isinstance(event, BoardState) else ()
            if told == last:
                self._pulsed.discard(board)  # a single answer may be a late one, from before the pulse
                self._note_items(board, look, items, again)
                return told
            last, items = told, again
        await self._revive(board)  # it may have been pulsed by who ran before us
        raise failure or Garbled(self._link.name, f"board {board} does not answer twice alike")

    def _note_items(self, board: int, look: Look, once: tuple[bool, ...] | None, again: tuple[bool, ...]) -> None:
        if once is not None:
            pairs = zip(look.locks, once, again, strict=False)
            self.items[board] = {lock: lies for lock, lay, lies in pairs if lay is lies}

    async def _calm(self, board: int) -> None:
        """Make a board safe once after each opening of the port. Errors: as `contacts`."""
        opened = self._link.times_opened
        requests = self._wire.at_start(board)
        if not requests or self._calmed.get(board) == opened:
            return
        for request in requests:
            await self._insisted(request, board)
        self._calmed[board] = opened

    async def _insisted(self, request: bytes, board: int) -> None:
        for attempt in range(self._timing.reads):
            try:
                await self._answered(request, lambda event: event == Calmed(board), board)
            except (NoAnswer, Garbled, Refused):
                self.faults += 1
                if attempt == self._timing.reads - 1:
                    raise
            else:
                return

    async def _revive(self, board: int) -> None:
        request = self._wire.revive(board)
        if request is not None:
            await self._quiet()
            self._parser.expect(request)
            await self._link.write(request)
            self._last_traffic_s = asyncio.get_running_loop().time()

    async def _answered(self, request: bytes, fits: Callable[[LockEvent], bool], board: int) -> LockEvent:
        """Ask what may be asked again. Errors: NotThere, NoAnswer, Garbled; Refused when the board declines."""

        def ends(event: LockEvent) -> bool:
            return fits(event) or (isinstance(event, Declined) and event.board == board)

        event = await self._ask(request, ends, self._timing.reply_s)
        if isinstance(event, Declined):
            raise Refused(self._link.name, f"board {board}: {event.reason}")
        return event

    async def _ask(self, request: bytes, fits: Callable[[LockEvent], bool], wait_s: float) -> LockEvent:
        loop = asyncio.get_running_loop()
        await self._quiet()
        rejected = self._parser.rejected
        self._parser.expect(request)
        question = self._question = _Question(fits, loop.create_future())
        try:
            await self._link.write(request)
            async with asyncio.timeout(wait_s):
                return await question.answer
        except TimeoutError:
            if self._parser.rejected > rejected:
                fault = Fault.NOISY if self.heard else Fault.GARBLED
                raise Garbled(self._link.name, "bytes came that are no answer", fault) from None
            raise NoAnswer(self._link.name, f"silent for {wait_s} s") from None
        finally:
            self._question = None
            self._last_traffic_s = loop.time()

    async def _quiet(self) -> None:
        """Leave the line alone as long as the boards need it."""
        await asyncio.sleep(self._last_traffic_s + self._timing.gap_s - asyncio.get_running_loop().time())

    async def _listen(self) -> None:
        while True:
            chunk = await self._link.receive()
            if chunk:
                for event in self._parser.feed(chunk):
                    self._sort(event)
            else:
                self.heard = 0
                self._parser.expect(b"")
                self._fail(NoAnswer(self._link.name, "port vanished before the answer"))

    def _sort(self, event: LockEvent) -> None:
        question = self._question
        self.heard += not isinstance(event, Echoed)
        if isinstance(event, Echoed):
            self.sees_echo = True
        elif question is not None and not question.answer.done() and question.fits(event):
            question.answer.set_result(event)
        if isinstance(event, LockMoved):
            self.pushed.set()  # a push is a reason to look, not a proof

    def _fail(self, error: DeviceError) -> None:
        if self._question is not None and not self._question.answer.done():
            self._question.answer.set_exception(error)


def _told(event: LockEvent, board: int, look: Look) -> tuple[bool | None, ...] | None:
    """The contacts in this answer when it is the one to this question."""
    match event:
        case BoardState(told_board, shorted) if told_board == board and len(shorted) == len(look.locks):
            return shorted
        case LockState(told_board, lock, shorted_one) if told_board == board and look.locks == range(lock, lock + 1):
            return (shorted_one,)
    return None
