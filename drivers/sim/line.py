"""A bad cable, for every simulated device: silence, garbling, rubbish, delay, local echo. Pure; the host waits."""

from __future__ import annotations

import random
from collections.abc import Sequence

RUBBISH = b"\xff"  # what a host reads whose speed is far from the device's


class Line:
    """What happens to bytes on their way to a simulated device and back.

    Faults of `garble` are drawn per chunk: a byte is dropped, two bits are flipped (the error a check byte misses
    most), noise goes before it, it is cut in two, it is swallowed, or an answer comes twice (a cable never doubles
    what the kiosk sends, a driver might).
    """

    def __init__(self) -> None:
        self.delay_ms = 0
        self.echoes = False
        self.is_mute = False
        self.is_rubbish = False
        self.faults = 0
        self._mute_after: int | None = None
        self._rate = 0.0
        self._dice = random.Random(0)  # noqa: S311  faults must be repeatable, not secret

    def garble(self, rate: float, seed: int) -> None:
        """Damage this share of chunks from now on; 0 heals the cable."""
        if not 0 <= rate <= 1:
            raise ValueError(f"rate {rate} is not in 0..1")
        self._rate = rate
        self._dice = random.Random(seed)  # noqa: S311

    def mute(self, after_moves: int = 0) -> None:
        """Answer nothing any more, at once or from so many moves (pulses, updates) on. The device still acts."""
        self.is_mute = after_moves == 0
        self._mute_after = after_moves or None

    def unmute(self) -> None:
        """Answer again."""
        self.is_mute = False
        self._mute_after = None

    def moved(self) -> None:
        """The device did something: counts down to a `mute` that was set for later."""
        if self._mute_after is not None:
            self._mute_after -= 1
            if self._mute_after == 0:
                self.mute()

    def incoming(self, chunk: bytes) -> bytes:
        """What the device receives of what was sent to it."""
        return b"".join(self._damaged(chunk, kinds=5))

    def outgoing(self, received: bytes, replies: Sequence[bytes]) -> list[bytes]:
        """What comes back on the wire: the adapter's echo of what was sent, then the replies that get through."""
        echo = [received] if self.echoes and received else []
        if self.is_mute:
            return echo
        if self.is_rubbish:
            return echo + [RUBBISH * len(reply) for reply in replies if reply]
        return echo + [piece for reply in replies for piece in self._damaged(reply, kinds=6)]

    def _damaged(self, chunk: bytes, kinds: int) -> list[bytes]:
        if not chunk or self._dice.random() >= self._rate:
            return [chunk]
        self.faults += 1
        at = self._dice.randrange(len(chunk))
        match self._dice.randrange(kinds):
            case 0:
                return [chunk[:at] + chunk[at + 1 :]]
            case 1:
                return [self._flipped(self._flipped(chunk))]
            case 2:
                return [self._dice.randbytes(1 + at), chunk]
            case 3:
                return [chunk[:at], chunk[at:]]
            case 4:
                return []
        return [chunk, chunk]

    def _flipped(self, chunk: bytes) -> bytes:
        at = self._dice.randrange(len(chunk))
        return chunk[:at] + bytes((chunk[at] ^ 1 << self._dice.randrange(8),)) + chunk[at + 1 :]


def poke_line(line: Line, handle: str, args: Sequence[str]) -> object:
    """Move a handle of the cable by name. Errors: LookupError for an unknown handle, ValueError for its arguments."""
    match handle, list(args):
        case "mute", rest:
            line.mute(int(rest[0]) if rest else 0)
        case "unmute", []:
            line.unmute()
        case "garble", [rate, seed]:
            line.garble(float(rate), int(seed))
        case "slow", [delay]:
            line.delay_ms = int(delay)
        case "rubbish", [("on" | "off") as way]:
            line.is_rubbish = way == "on"
        case "echo", [("on" | "off") as way]:
            line.echoes = way == "on"
        case _:
            raise LookupError(f"no handle {handle!r} with {len(args)} arguments")
    return {"mute": line.is_mute, "delay_ms": line.delay_ms, "echo": line.echoes, "faults": line.faults}
