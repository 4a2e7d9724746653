"""Urgent facts that go ahead of a backlog, one for each message: which ones, and what is on its way. Pure.

An advance notice is a batch of one fact with the word `advance`: the receiver checks its keyed hash against the hash
before it, both of which travel, acts on it at once, and moves no position. In its place in the log the same fact comes
again and is known by its event id: nothing is done twice, and a notice that is lost has cost nothing but the hurry.
Only what may be understood without the facts before it goes ahead. What the hub does with one is in
sync/hub/advances.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from edge.chain import Linked
from edge.events import (
    BillAccepted,
    BillPosted,
    BillRefunded,
    BillRefused,
    DoorForced,
    DoorLeftOpen,
    UpdateOrdered,
    UpdateWithdrawn,
)
from edge.model import LogId, Seq
from sync.wire import MAX_FACTS, Batch

UP = (BillAccepted.kind, BillRefunded.kind, DoorForced.kind, DoorLeftOpen.kind)
DOWN = (BillPosted.kind, BillRefused.kind, UpdateOrdered.kind, UpdateWithdrawn.kind)
NEAR = MAX_FACTS  # so many facts behind what is on its way, the next batch brings it anyway
NEWEST = 32  # of a backlog that stood before the line did; what happens while it drains goes ahead without end
LOOK_BACK = 5_000  # facts from the end in which they are looked for: some milliseconds, however long the backlog


class Advances:
    """What of one log goes ahead on one line. The caller looks into the log, sends, and tells about answers.

    Shape: `window` most notices without an answer; 1 keeps their order, whatever is lost. `look_back`: facts from the
           end of the log in which the caller looks, None for all. `tip` below: the last fact that is surely there
           before a notice sent now; where the order of notices matters, that is the cursor.
    """

    def __init__(self, window: int = 8, look_back: int | None = LOOK_BACK) -> None:
        self._window = window
        self._look_back = look_back
        self._is_understood = False
        self._looked = Seq(0)
        self._waiting: deque[Linked] = deque()
        self._on_its_way: deque[Seq] = deque()

    def begin(self) -> None:
        """A new line, or an answer that does not come: look again from the cursor."""
        self._looked = Seq(0)
        self._waiting.clear()
        self._on_its_way.clear()

    def answered(self, taken: Seq | None, upto: Seq) -> None:
        """The receiver has taken notices up to a fact, or the log itself; None: its release knows no notices."""
        self._is_understood = taken is not None
        have = max(taken or 0, upto)
        while self._on_its_way and self._on_its_way[0] <= have:
            self._on_its_way.popleft()

    def look_after(self, tip: Seq, head: Seq) -> Seq | None:
        """After which fact to look for urgent ones; None when there is nothing to hurry past."""
        if not self._is_understood or head <= max(self._looked, tip) or head - tip <= NEAR:
            return None
        return Seq(max(self._looked, tip, 0 if self._look_back is None else head - self._look_back))

    def found(self, facts: Iterable[Linked], upto: Seq) -> None:
        """Put what was found in line; all up to `upto` was looked at."""
        self._waiting.extend(facts)
        self._looked = upto

    def outgoing(self, log_id: LogId, tip: Seq) -> list[Batch]:
        """The notices to send now. What has meanwhile gone in its place in the log stays where it is."""
        batches: list[Batch] = []
        while self._waiting and len(self._on_its_way) < self._window:
            prev, item, mark = self._waiting.popleft()
            if item.seq > tip:
                self._on_its_way.append(item.seq)
                batches.append(Batch(log_id, item.seq, prev, (item,), mark, advance=True))
        return batches
