"""What every lock board's codec speaks: neutral values, and the small protocol a board's codec fulfils.

No bytes and no I/O here. A codec says only "the feedback contact of this lock is shorted"; what that means for the
door depends on the lock's wiring (`Polarity`), which is a setting of the cabinet and never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """The board answers an opening. It names the lock it believes to have pulsed.

    `shorted` None: the board took the command, but its answer is no word about the contact.
    """

    board: int
    lock: int
    shorted: bool | None


@dataclass(frozen=True, slots=True)
class Declined:
    """The board answers that it will not. `lock` None: it does not say which.

    `is_certain`: the frame's check is strong enough to believe from this answer alone that no coil moved.
    """

    board: int
    lock: int | None
    reason: str
    is_certain: bool


@dataclass(frozen=True, slots=True)
class LockState:
    """The board answers a question for one lock. `shorted` None: it cannot tell."""

    board: int
    lock: int
    shorted: bool | None


@dataclass(frozen=True, slots=True)
class BoardState:
    """The board answers a question for all its locks. Index 0 is lock 1; None: it cannot tell.

    `items` tells in which cells something lies; empty for boards without such sensors.
    """

    board: int
    shorted: tuple[bool | None, ...]
    items: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class LockMoved:
    """The board speaks unasked: a contact changed."""

    board: int
    lock: int
    shorted: bool | None


@dataclass(frozen=True, slots=True)
class Calmed:
    """The board confirms a request of `LockWire.at_start`."""

    board: int


@dataclass(frozen=True, slots=True)
class Echoed:
    """Our own question came back: the adapter echoes although the settings do not say so."""

    board: int


LockEvent = OpenReply | Declined | LockState | BoardState | LockMoved | Calmed | Echoed


@dataclass(frozen=True, slots=True)
class Look:
    """One question about contacts, and the locks that its answer tells: a `BoardState` of so many, or a `LockState`."""

    request: bytes
    locks: range


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

    def looks(self, board: int, lock: int | None = None) -> Sequence[Look]:
        """Build the questions for all contacts of one board, or the one that tells this lock (and maybe others)."""

    def parser(self) -> LockParser:
        """Make a fresh parser for one bus."""

    def answers_open(self, event: LockEvent, board: int, lock: int) -> bool:
        """Tell whether this ends the wait for an answer to the opening of a lock."""

    def at_start(self, board: int) -> Sequence[bytes]:
        """Build what makes a board safe after the port was opened; each is confirmed by `Calmed`. Often nothing."""

    def revive(self, board: int) -> bytes | None:
        """Build what frees a board that fell silent after an opening; nobody answers it. None: there is no such."""


class UsualManners:
    """What most makes do, to be inherited: an answer to each opening, nothing at start, nothing to revive."""

    __slots__ = ()

    def answers_open(self, event: LockEvent, board: int, lock: int) -> bool:  # noqa: ARG002  as the protocol says
        """Any answer to an opening counts: that it names the wrong lock must be seen."""
        return isinstance(event, OpenReply | Declined)

    def at_start(self, board: int) -> Sequence[bytes]:  # noqa: ARG002
        """Nothing."""
        return ()

    def revive(self, board: int) -> bytes | None:  # noqa: ARG002
        """Nothing."""
        return None
