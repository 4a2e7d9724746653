"""A loudspeaker behind ALSA: `drivers.base.Speaker` by the system's own player, one sound after another.

`aplay` (Debian's alsa-utils) is a program of its own, so a card that hangs is given up by ending it, and what is wrong
comes back as an exit code and a sentence. Nobody can tell from here whether a loudspeaker is plugged in or turned up:
that is what ears are for, at the commissioning. Source of the sentences: alsa-utils 1.2.8, aplay/aplay.c.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from drivers.base import DeviceError, Health, NoAnswer, NotThere, Status, Tone
from drivers.faults import Fault
from drivers.wire import tones

log = logging.getLogger(__name__)

PLAYER = "aplay"
SCHEME = "alsa://"
GRACE_S = 3.0  # beyond the length of a sound: a card that wakes up takes one
WATCH_S = 60.0  # between two looks at a card that nobody uses
MAX_HINT = 80
MAX_WAITING = 4  # sounds; a fifth comes too late to be understood
_SAID = (
    ("No such file", Fault.NO_PORT),
    ("No such device", Fault.NO_PORT),
    ("Unknown PCM", Fault.NO_PORT),
    ("busy", Fault.HELD),
    ("Permission denied", Fault.NO_RIGHT),
)


class AlsaSpeaker:
    """One output of ALSA, named as `aplay -L` names it. It is opened for each sound and closed again."""

    def __init__(self, name: str, pcm: str, player: str = PLAYER) -> None:
        self.name = name
        self._pcm = pcm
        self._player = player
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._status = Status(name, Health.OK, "not tried yet", fault=Fault.STARTING)
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look whether the output can be opened."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._look(), name=f"watch of {self.name}")

    async def stop(self) -> None:
        """End all. Safe to call twice."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    def status(self) -> Status:
        """Tell how the last sound went, or the last look."""
        return self._status

    async def sound(self, wanted: Sequence[Tone]) -> None:
        """Sound these, one after another. Errors: NotThere, NoAnswer (it hangs)."""
        async with self._turn:
            try:
                await self._play(wanted)
            except DeviceError as error:
                if self._status.fault is not error.fault:
                    log.warning("%s: %s", self.name, error.hint)
                self._status = Status(self.name, Health.AWAY, error.hint, fault=error.fault)
                raise
            self._status = Status(self.name, Health.OK)

    async def signal(self, accepted: bool) -> None:
        """Sound "taken" or "refused". Never raises; a sound that would come too late is left out."""
        if self._waiting >= MAX_WAITING:
            return
        self._waiting += 1
        try:
            with suppress(DeviceError):  # told by `status`
                await self.sound([Tone.ACCEPTED if accepted else Tone.REFUSED])
        finally:
            self._waiting -= 1

    async def _look(self) -> None:
        while True:
            with suppress(DeviceError):  # told by `status`
                await self.sound([])
            await asyncio.sleep(WATCH_S)

    async def _play(self, wanted: Sequence[Tone]) -> None:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                self._player, "-q", "-D", self._pcm, "-t", "wav", "-", stdin=pipe, stderr=pipe,
                stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise NotThere(self.name, f"{self._player} is not installed", Fault.NO_LIBRARY) from error
        try:
            async with asyncio.timeout(tones.seconds(wanted) + GRACE_S):
                _, said = await process.communicate(tones.wav(wanted))
        except TimeoutError as error:
            raise NoAnswer(self.name, "the output is open and takes no sound") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await _hung_up(process)
        if process.returncode:
            hint = said.decode(errors="replace").strip().rpartition("\n")[2]
            raise NotThere(self.name, hint[:MAX_HINT] or f"exit code {process.returncode}", _fault(hint))


async def _hung_up(process: asyncio.subprocess.Process) -> None:
    """A player that ends before it has all of the sound is told by its end; Debian's asyncio logs the pipe besides."""
    if process.stdin is not None:
        process.stdin.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.stdin.wait_closed()


def _fault(said: str) -> Fault:
    return next((fault for words, fault in _SAID if words in said), Fault.PORT_ERROR)
