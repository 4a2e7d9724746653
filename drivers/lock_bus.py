"""One half-duplex bus with lock boards: one question at a time, its answer, and what boards say unasked.

Which cell is which lock, and what an outcome means, is decided in drivers/locker.py. The frames come from a codec that
fulfils `drivers.wire.lock.LockWire`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from drivers.base import DeviceError, Garbled, NoAnswer
from drivers.link import Link
from drivers.wire.lock import BoardState, Echoed, LockEvent, LockMoved, LockWire, OpenReply

Contacts = tuple[bool, ...]  # raw: True is shorted; index 0 is lock 1


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits of one locker, in seconds."""

    reply_s: float = 0.3  # boards answer within about 200 ms; hosts in the field wait 300
    gap_s: float = 0.05  # line turnaround; used by every host we know
    reads: int = 5  # questions until two equal answers in a row; at 10 % damage all five fail once in 40,000
    settle_s: float = 1.0  # the pulse lasts 300 ms, then the door springs open
    poll_s: float = 0.3  # while somebody stands at an open door
    watch_s: float = 1.0  # idle; a forced door is noticed within this


USUAL = Timing()


@dataclass(slots=True)
class _Question:
    fits: Callable[[LockEvent], bool]
    answer: asyncio.Future[LockEvent]


class LockBus:
    """Ask boards. The caller holds `turn` around what must not be interleaved."""

    def __init__(self, link: Link, wire: LockWire, timing: Timing) -> None:
        self.turn = asyncio.Lock()
        self.pushed = asyncio.Event()
        self.sees_echo = False
        self.faults = 0
        self._link = link
        self._wire = wire
        self._timing = timing
        self._parser = wire.parser()
        self._question: _Question | None = None
        self._last_traffic_s = float("-inf")
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

    async def pulse(self, board: int, lock: int) -> OpenReply | LockMoved | None:
        """Send the opening exactly once; returns what the board says to it, None for silence.

        Errors: NotThere when no byte went out, which is the only case in which certainly no coil moved.
        """

        def fits(event: LockEvent) -> bool:
            return isinstance(event, OpenReply) or (
                isinstance(event, LockMoved) and (event.board, event.lock) == (board, lock)
            )

        try:
            event = await self._ask(self._wire.open(board, lock), fits)
        except (NoAnswer, Garbled):
            return None
        assert isinstance(event, OpenReply | LockMoved)
        return event

    async def contacts(self, board: int, known: Contacts | None = None) -> Contacts:
        """Ask for all contacts of a board until two answers in a row agree; `known` counts as the first.

        The check byte lets one in ten two-bit errors through, so a single answer proves nothing.
        Errors: NotThere at once; NoAnswer or Garbled after the last attempt.
        """
        last, failure = known, None
        for _ in range(self._timing.reads):
            try:
                event = await self._ask(self._wire.read_all(board), lambda event: _is_state_of(event, board))
            except (NoAnswer, Garbled) as error:
                self.faults += 1
                failure = error
                continue
            assert isinstance(event, BoardState)
            if event.shorted == last:
                return last
            last = event.shorted
        raise failure or Garbled(self._link.name, f"board {board} does not answer twice alike")

    async def _ask(self, request: bytes, fits: Callable[[LockEvent], bool]) -> LockEvent:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._last_traffic_s + self._timing.gap_s - loop.time())
        rejected = self._parser.rejected
        self._parser.expect(request)
        question = self._question = _Question(fits, loop.create_future())
        try:
            await self._link.write(request)
            async with asyncio.timeout(self._timing.reply_s):
                return await question.answer
        except TimeoutError:
            if self._parser.rejected > rejected:
                raise Garbled(self._link.name, "bytes came that are no answer") from None
            raise NoAnswer(self._link.name, f"silent for {self._timing.reply_s} s") from None
        finally:
            self._question = None
            self._last_traffic_s = loop.time()

    async def _listen(self) -> None:
        while True:
            chunk = await self._link.receive()
            if chunk:
                for event in self._parser.feed(chunk):
                    self._sort(event)
            else:
                self._parser.expect(b"")
                self._fail(NoAnswer(self._link.name, "port vanished before the answer"))

    def _sort(self, event: LockEvent) -> None:
        question = self._question
        if isinstance(event, Echoed):
            self.sees_echo = True
        elif question is not None and not question.answer.done() and question.fits(event):
            question.answer.set_result(event)
        if isinstance(event, LockMoved):
            self.pushed.set()  # a push is a reason to look, not a proof

    def _fail(self, error: DeviceError) -> None:
        if self._question is not None and not self._question.answer.done():
            self._question.answer.set_exception(error)


def _is_state_of(event: LockEvent, board: int) -> bool:
    return isinstance(event, BoardState) and event.board == board
