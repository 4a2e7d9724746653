"""Scanners that take commands over their serial line: beeps, soft trigger, reading on and off, acknowledged reads.

What the bytes say is decided by a codec that fulfils `drivers.wire.gun.GunWire`. Here: one command at a time, its
answer, its repetitions; and that a read is acknowledged only once there is room for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from drivers.base import Clock, DeviceError, NoAnswer, NotThere, Refused, Status
from drivers.faults import Fault
from drivers.link import Link
from drivers.outbox import USUAL, Habits, ReadingScanner
from drivers.wire.gun import Answer, Command, GunWire, Heard

log = logging.getLogger(__name__)

TRIES = 3  # as often as the guns themselves repeat a read
SIGNAL_S = 3.0  # a beep that comes later than this tells the hand nothing
WAKE = b"\0"


class TalkingScanner(ReadingScanner):
    """`drivers.base.Scanner` for guns with a command channel."""

    def __init__(self, link: Link, wire: GunWire, clock: Clock, habits: Habits = USUAL) -> None:
        super().__init__(link.name, clock, habits)
        self.can_signal = wire.can_signal
        self.can_trigger = wire.can_trigger
        self._link = link
        self._wire = wire
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[tuple[Answer, str]] | None = None
        self._last_command_s = float("-inf")
        self._complaint = ""
        self._complaint_fault: Fault | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the port and begin to read."""
        if not self._tasks:
            await self._link.start()
            self._tasks = [
                asyncio.create_task(self._read(), name=f"scanner {self.name}"),
                asyncio.create_task(self._greet(), name=f"greeting {self.name}"),
            ]

    async def stop(self) -> None:
        """Release the port and end the streams. Safe to call twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._link.stop()
        self._outbox.end()

    def status(self) -> Status:
        """Tell how the scanner is: AWAY, or DEGRADED while it does not take commands, or OK."""
        if not self._link.is_open:
            return self._outbox.status(self._link.hint, self._link.fault)
        return self._outbox.status(None, self._complaint_fault, self._complaint)

    async def signal(self, accepted: bool) -> None:
        """Beep. What goes wrong is only visible in `status()`."""
        try:
            async with asyncio.timeout(SIGNAL_S):
                await self._send(self._wire.beep(accepted))
        except (TimeoutError, DeviceError) as error:
            log.debug("%s did not beep: %s", self.name, error)

    async def trigger(self, on: bool) -> None:
        """Pull or let go of the trigger from here. Errors: NotThere, NoAnswer, Refused."""
        command = self._wire.trigger(on)
        await self._send([command] if command is not None else [])

    async def enable(self, on: bool) -> None:
        """Let the gun read or not; nothing when the protocol cannot. Errors: NotThere, NoAnswer, Refused."""
        command = self._wire.enable(on)
        await self._send([command] if command is not None else [])

    async def _greet(self) -> None:
        """Set the gun up at each opening of the port; a gun that does not care still reads."""
        opened = 0
        while True:
            opened = await self._link.opened_after(opened)
            for command in self._wire.opening():
                try:
                    await self._send([command])
                except DeviceError as error:
                    log.info("%s does not take the set-up: %s", self.name, error.hint)

    async def _send(self, commands: Sequence[Command]) -> None:
        async with self._turn:
            for command in commands:
                try:
                    await self._command(command)
                except DeviceError as error:
                    if not isinstance(error, NotThere):
                        self._complaint = error.hint
                        self._complaint_fault = Fault.DEAF if error.fault is Fault.SILENT else error.fault
                    raise
                self._complaint, self._complaint_fault = "", None

    async def _command(self, command: Command) -> None:
        """Send one command until it is answered. Errors: NotThere, NoAnswer, Refused."""
        loop = asyncio.get_running_loop()
        for attempt in range(TRIES):
            await asyncio.sleep(self._last_command_s + self._wire.pace.gap_s - loop.time())
            answer, reason = await self._ask(command, command.again if attempt else command.frame)
            if answer is Answer.DONE:
                return
            if answer is Answer.REFUSED:
                raise Refused(self.name, f"refuses a command: {reason}")
        raise NoAnswer(self.name, f"did not answer {TRIES} times within {self._wire.pace.reply_s} s")

    async def _ask(self, command: Command, frame: bytes) -> tuple[Answer, str]:
        """Send bytes once and wait for what is said to them; silence reads as RESEND."""
        loop = asyncio.get_running_loop()
        pace = self._wire.pace
        if pace.wake_s:
            await self._link.write(WAKE)
            await asyncio.sleep(pace.wake_s)
        self._answer = loop.create_future()
        self._wire.expect(command if command.is_answered else None)
        try:
            await self._link.write(frame)
            if not command.is_answered:
                return Answer.DONE, ""
            async with asyncio.timeout(pace.reply_s):
                return await self._answer
        except TimeoutError:
            return Answer.RESEND, "silent"
        finally:
            self._answer = None
            self._wire.expect(None)
            self._last_command_s = loop.time()

    async def _read(self) -> None:
        while True:
            try:
                wait_ms = self._wire.idle_ms if self._wire.is_partial else None
                async with asyncio.timeout(self._outbox.wait_s(self._clock.ms(), wait_ms)):
                    chunk = await self._link.receive()
            except TimeoutError:
                await self._heard(self._wire.idle(self._clock.ms()))
                if not self._wire.is_partial:
                    self._outbox.idle(self._clock.ms())
                continue
            if chunk:
                await self._heard(self._wire.feed(chunk, self._clock.ms()))
            else:
                self._wire.lost()
                self._outbox.port_lost()
                self._fail(NoAnswer(self.name, "port vanished before the answer"))

    async def _heard(self, heard: Heard) -> None:
        lost = self._outbox.lost
        self._outbox.put(heard.scans)
        if self._outbox.lost > lost:
            self._wire.not_taken()  # unacknowledged, the gun sends it again and at last sounds its error
        else:
            await self._reply(heard.replies)
        for answer in heard.answers:
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(answer)

    async def _reply(self, replies: Sequence[bytes]) -> None:
        for reply in replies:
            try:
                await self._link.write(reply)
            except DeviceError as error:
                log.debug("%s: an acknowledgement did not go out: %s", self.name, error)
                return

    def _fail(self, error: DeviceError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
