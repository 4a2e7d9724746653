"""What every lock board's codec speaks: neutral values, and the small protocol a board's codec fulfils.

No bytes and no I/O here. A codec says only "the feedback contact of this lock is shorted"; what that means for the
door depends on the lock's wiring (`Polarity`), which is a setting of the cabinet and never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Polarity(Enum):
    """How the locks of one cabinet are wired. To be proven at commissioning by opening one door."""

    SHORT_WHEN_LOCKED = "short_when_locked"
    SHORT_WHEN_OPEN = "short_when_open"

    def is_open(self, shorted: bool) -> bool:
        """Tell whether a door with this contact state stands open."""
        return shorted is (self is Polarity.SHORT_WHEN_OPEN)

    def shorted(self, is_open: bool) -> bool:
        """Tell the contact state of a door: the other direction, for simulators."""
        return is_open is (self is Polarity.SHORT_WHEN_OPEN)


@dataclass(frozen=True, slots=True)
class OpenReply:
    """The board answers an opening. It names the lock it believes to have pulsed."""

    board: int
    lock: int
    shorted: bool


@dataclass(frozen=True, slots=True)
class LockState:
    """The board answers a question for one lock."""

    board: int
    lock: int
    shorted: bool


@dataclass(frozen=True, slots=True)
class BoardState:
    """The board answers a question for all its locks. Index 0 is lock 1."""

    board: int
    shorted: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class LockMoved:
    """The board speaks unasked: a contact changed."""

    board: int
    lock: int
    shorted: bool


@dataclass(frozen=True, slots=True)
class Echoed:
    """Our own question came back: the adapter echoes although the settings do not say so."""

    board: int


LockEvent = OpenReply | LockState | BoardState | LockMoved | Echoed


class LockParser(Protocol):
    """Bytes of one bus to values. Bounded, resynchronises by itself, never raises for bytes."""

    @property
    def rejected(self) -> int:
        """How many bytes belonged to no frame so far."""

    def expect(self, request: bytes) -> None:
        """Forget a half frame and prepare for the answer to this request."""

    def feed(self, chunk: bytes) -> list[LockEvent]:
        """Take bytes as they come and return the values completed by them."""


class LockWire(Protocol):
    """One make of lock board. `ways` locks per board, numbered from 1; boards are numbered from 1."""

    @property
    def ways(self) -> int:
        """How many locks one board reports."""

    def open(self, board: int, lock: int) -> bytes:
        """Build the request that pulses one lock. Errors: ValueError outside the board."""

    def read_all(self, board: int) -> bytes:
        """Build the request for the state of all locks of one board."""

    def parser(self) -> LockParser:
        """Make a fresh parser for one bus."""
