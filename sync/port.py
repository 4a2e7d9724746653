"""What the point's line to the hub is given and what it tells: the port to the log, settings, the outside, its state.

Values and protocols only; the line itself is sync/link.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edge.chain import Item, Linked, Position
from edge.model import LogId, Seq, SiteCode
from sync.mqtt import Broker
from sync.relay import WINDOW
from sync.rhythm import Timing


class LogPort(Protocol):
    """What the line needs of the log. Every call is one transaction or one read; errors of the store travel up."""

    async def up_position(self) -> Position:
        """How far the hub has confirmed our log."""

    async def head(self) -> Position:
        """The newest fact of our log."""

    async def mark_at(self, seq: Seq) -> str | None:
        """The hash at a position, GENESIS for 0, None for what is not held."""

    async def read_after(self, seq: Seq, limit: int, max_bytes: int) -> tuple[Item, ...]:
        """The facts after `seq`, at most `limit` and about `max_bytes`, always one if there is one."""

    async def confirm(self, position: Position) -> None:
        """Move the up cursor, also back, to a position that is ours."""

    async def fork(self, seen: Position) -> Position:
        """Give our log a new name that begins after the cursor, with a fact about it. Return the new up position."""

    async def down_position(self) -> Position:
        """How far we have the hub's log."""

    async def apply_down(self, log_id: LogId, items: Sequence[Item], marks: Sequence[str]) -> Position:
        """Apply each fact once and move the position, in one transaction.

        A hub restored from a backup renames its log and sends it again from the beginning: what was applied before
        under another name (same event id, the first half of its mark) must change nothing.
        """

    async def newest_of(self, kinds: Sequence[str], after: Seq, limit: int) -> tuple[Linked, ...]:
        """The newest facts of these kinds after `after`, at most `limit`, oldest first."""

    async def apply_advance(self, linked: Linked) -> None:
        """Apply one fact of the hub out of turn, unless it was applied; when its turn comes it changes nothing."""

    async def wait_for_more(self, timeout_s: float) -> None:
        """Return when something was committed, or the time is over."""


@dataclass(frozen=True, slots=True)
class LinkInfo:
    """How the line stands. `online`: the hub itself answered lately, not merely the broker.

    Units:  `last_answer_ms` monotonic milliseconds of the clock given to the link, None if never since the start.
    Shape:  `trouble` one word for the technician: bad | pruned | hole | not_allowed | too_large, or the word of a
            certificate that was not taken (sync.dial.TlsRefused), None when all is well.
    """

    online: bool = False
    connected: bool = False
    pending: int = 0
    last_answer_ms: int | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Who we are and where the hub is."""

    site: SiteCode
    broker: Broker
    key: bytes
    version: str
    timing: Timing = field(default_factory=Timing)
    window: int = WINDOW


async def nothing_to_be_done(_word: str) -> bool:
    """A certificate was not taken, and nobody here can change that."""
    return False


@dataclass(frozen=True, slots=True)
class Outside:
    """What comes from the root: monotonic milliseconds, dice from 0 up to 1, listeners, and the health of the point.

    `on_refused` is told why a certificate was not taken; it may try to put that right and say whether it did.
    """

    ms: Callable[[], int]
    dice: Callable[[], float]
    on_change: Callable[[LinkInfo], None]
    health: Callable[[], Mapping[str, str | int | bool]] = dict
    on_refused: Callable[[str], Awaitable[bool]] = nothing_to_be_done
