"""What the driver of guns that take commands asks of a protocol. No I/O; the values and the contract alone.

Codecs: drivers/wire/ssi.py (Zebra, Symbol), newland.py, honeywell.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from drivers.wire.scans import Scan


class Answer(Enum):
    """What a gun says to a command."""

    DONE = "done"
    RESEND = "resend"  # it did not understand the bytes
    REFUSED = "refused"  # it understood and will not


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `again` are the bytes of a repetition; without `is_answered` the gun does it in silence."""

    frame: bytes
    again: bytes
    is_answered: bool = True
    tag: bytes = b""  # what the answer repeats of it, where the protocol does that


@dataclass(frozen=True, slots=True)
class Heard:
    """What some bytes came to: scans, bytes to send back for them, and answers to commands with a reason."""

    scans: list[Scan] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)
    answers: list[tuple[Answer, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pace:
    """Waits of one protocol, in seconds."""

    reply_s: float
    gap_s: float = 0.0  # between two commands
    wake_s: float = 0.0  # between the waking byte and the command; 0: no waking byte is sent


class GunWire(Protocol):
    """One protocol of guns that take commands."""

    idle_ms: int
    pace: Pace
    rejected: int  # pieces that were no frame of this protocol
    can_signal: bool
    can_trigger: bool

    @property
    def is_partial(self) -> bool:
        """Whether a code or frame has begun and not ended."""

    def feed(self, chunk: bytes, at_ms: int) -> Heard:
        """Take bytes as they come."""

    def idle(self, now_ms: int) -> Heard:
        """Tell the time; a pause ends what is half there."""

    def lost(self) -> None:
        """The port vanished: drop what is half there."""

    def expect(self, command: Command | None) -> None:
        """Tell which command is out, None for none any more; only its answer counts."""

    def not_taken(self) -> None:
        """Nobody had room for the newest scans: they may come again."""

    def opening(self) -> Sequence[Command]:
        """What to tell a gun once its port is open. Nothing of it is stored in the gun."""

    def beep(self, accepted: bool) -> Sequence[Command]:
        """A high short beep, or two low ones."""

    def trigger(self, on: bool) -> Command | None:
        """Pull or let go of the trigger; None when the protocol cannot."""

    def enable(self, on: bool) -> Command | None:
        """Let the gun read or not; None when the protocol cannot."""
