"""What to send, what to believe, when to send again: one `Sender` and one `Receiver` for both directions.

Pure: no I/O, no clock, no dice. The callers (sync/link.py at the point, sync/hub) read and write the logs, keep the
time, and carry bytes; a test joins two of these with a lossy pipe.

Why nothing is lost. The sender resends everything after its cursor, and only an answer of the *receiver* moves the
cursor; an acknowledgement of the broker proves nothing. The receiver takes exactly the fact after the last it has
(gap rule), in the transaction that moves its position, and always answers with that position. A lost, late, doubled
or reordered message therefore costs time only.

Why nothing is doubled. What is below the position is passed over. When a position itself goes backwards (a backup was
restored, a log was named anew) the same facts arrive again: their event ids, the first half of their keyed hash, are
known, and the keeper of the log ignores them.

Why nothing is silently different. A batch carries the hash before its first fact and the hash after its last. The
receiver recomputes the chain with the key of the site: a batch that does not fit is `bad`; a batch that does not
follow the receiver's own hash tells another history: `fork`. The sender looks the answered hash up in its own log:
  - ours, further on: the cursor moves;
  - ours, behind the cursor, with `gap`: the receiver has lost something (restored from a backup): the cursor moves
    back. Without `gap` it is an old answer that arrived late, and is ignored;
  - not ours: the histories part somewhere after the cursor (card restored or copied). The sender's log gets a new name
    and goes on from the cursor; what both still share is sorted out by the event ids;
  - below the cursor and no longer held: nobody can repair that by sending; `Trouble` calls a person.

A log the receiver does not know is begun only where the receiver knows the history before it: at the very beginning,
or after a hash it holds for this site under an older name. Otherwise it answers `gap` with a ladder of hashes it does
hold (newest first, then in growing steps, zero always), and the sender goes on from the highest that is its own. So a
hub restored from yesterday's backup and a point renamed since then still find each other.

The sender marks batches with the hashes *stored* in its log and never computes them: computing would give rotted or
edited rows a fresh, valid chain.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.chain import GENESIS, Item, Position, walk
from edge.model import EventId, LogId, Seq
from sync.wire import MAX_LADDER, Ack, Batch, Why

WINDOW = 48  # most batches in flight: what comes while a hub commits goes into its next commit, and into one of ours
RETRY_BASE_S = 1.0
RETRY_CAP_S = 60.0  # a district of 350 points then comes back spread over a minute


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the receiver makes of a batch.

    Shape: `items` are the facts to apply, in order, with their verified hashes in `marks`; `opens`: the log was not
    known before, and `base` is where it begins. Write items and `position` in one transaction, then send the answer.
    """

    base: Position
    items: tuple[Item, ...] = ()
    marks: tuple[str, ...] = ()
    why: Why | None = None
    opens: bool = False

    @property
    def position(self) -> Position:
        """Where the receiver stands once the items are applied."""
        if not self.items:
            return self.base
        return Position(self.base.log_id, self.items[-1].seq, self.marks[-1])

    @property
    def lost_track(self) -> bool:
        """Whether the answer needs a ladder: the log is unknown, and so is what comes before it."""
        return self.opens and self.why is Why.GAP

    def answer(self, known: Sequence[tuple[Seq, str]] = ()) -> Ack:
        """The answer to send after the commit."""
        return Ack(self.position, self.why, tuple(known[:MAX_LADDER]))


class Receiver:
    """Judges batches of one site. Holds the key and nothing else; the position comes from the caller's store."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def judge(
        self, batch: Batch, have: Position | None, *, knows_prev: bool = False, marks: Sequence[str] | None = None
    ) -> Verdict:
        """Tell which facts of a batch to take.

        Shape: `have` is the position in the log of this name, None if there is none yet. `knows_prev` matters only
               then: whether the caller holds the hash `batch.prev` at `batch.first - 1` under another name.
               `marks`: what `walk` makes of the batch with this key, where the caller has it already.
        """
        opens = have is None
        if have is None:
            if not knows_prev and not (batch.first == 1 and batch.prev == GENESIS):
                return Verdict(Position(batch.log_id, Seq(0), GENESIS), why=Why.GAP, opens=True)
            have = Position(batch.log_id, Seq(batch.first - 1), batch.prev)
        if self.is_gap(batch, have):
            return Verdict(have, why=Why.GAP, opens=opens)
        marks = walk(self._key, batch.prev, batch.items) if marks is None else marks
        if (marks[-1] if marks else batch.prev) != batch.mark:
            return Verdict(have, why=Why.BAD, opens=opens)
        known = have.upto - batch.first + 1  # facts of this batch that are already here
        if known > len(marks):  # an old batch; whether it was ever ours shows at the sender, by our answer
            return Verdict(have, opens=opens)
        if self.is_fork((batch.prev, *marks)[known], have):
            return Verdict(have, why=Why.FORK, opens=opens)
        return Verdict(have, batch.items[known:], tuple(marks[known:]), opens=opens)

    def proves(self, batch: Batch) -> bool:
        """Whether the one fact of an advance notice bears the hash that only a holder of the key can make.

        The hash covers number, kind, body, stamp and the hash before it: whoever sends it knows this log up to there.
        """
        return walk(self._key, batch.prev, batch.items)[-1] == batch.mark

    def is_gap(self, batch: Batch, have: Position) -> bool:
        """The gap rule. A method of its own so that a test can leave it out and show that it is needed."""
        return batch.first > have.upto + 1

    def is_fork(self, theirs: str, have: Position) -> bool:
        """The mark check, likewise. `theirs` is the sender's hash at our position."""
        return theirs != have.mark


class Move(StrEnum):
    """What an answer means for the sender."""

    NOTHING = "nothing"
    CONFIRM = "confirm"  # write the position as the new cursor
    FORK = "fork"  # not our history: give the log a new name
    TROUBLE = "trouble"  # a person must act; sending goes on slowly


@dataclass(frozen=True, slots=True)
class Step:
    """What the caller does about an answer. `alive`: it is about our log, so the receiver is there."""

    move: Move
    position: Position
    trouble: str | None = None  # bad | pruned
    alive: bool = True


class HoleInLog(Exception):
    """The log does not hold the next fact to send: it was pruned although the receiver still needs it."""


class Sender:
    """Where one log stands with its receiver. The caller reads the log, sends, and tells about answers and time-outs.

    After the start and after a time-out it asks (a batch without facts) before it sends: a receiver that is away for
    a week then costs a few bytes each minute.
    """

    def __init__(self, position: Position, window: int = WINDOW) -> None:
        self._window = window
        self._width = window  # of it, what the line has shown to carry
        self._cursor = position
        self._tip, self._tip_mark = position.upto, position.mark
        self._in_flight: deque[Seq] = deque()  # last fact of each batch on its way
        self._must_ask = True
        self._asked = False
        self._rewound = False
        self._dictionary = 0

    @property
    def dictionary(self) -> int:
        """The newest dictionary that the receiver can read, as it said last; 0 until it has."""
        return self._dictionary

    @property
    def cursor(self) -> Position:
        """How far the receiver has our log, as far as we know."""
        return self._cursor

    @property
    def tip(self) -> Seq:
        """The last fact on its way; read the log after this one."""
        return self._tip

    @property
    def waits(self) -> bool:
        """Whether an answer is outstanding."""
        return bool(self._in_flight) or self._asked

    @property
    def must_ask(self) -> bool:
        """Whether a question comes before any facts."""
        return self._must_ask

    @property
    def has_room(self) -> bool:
        """Whether another batch may go out now."""
        return not self._must_ask and len(self._in_flight) < self._width

    def narrow(self) -> None:
        """One batch in flight until answers come quickly: what queues up on a slow line is answered too late."""
        self._width = 1

    def widen(self) -> None:
        """An answer came quickly: one more batch may be in flight."""
        self._width = min(self._window, self._width + 1)

    def ease(self) -> None:
        """An answer came late: one batch fewer."""
        self._width = max(1, self._width - 1)

    @property
    def in_flight(self) -> int:
        """How many batches are on their way."""
        return len(self._in_flight)

    def keep_pace(self, pace: int) -> None:
        """Widen or narrow by what `sync.rhythm.Rhythm.pace` says."""
        if pace > 0:
            self.widen()
        elif pace < 0:
            self.ease()

    def moved(self, position: Position) -> None:
        """Begin anew at a position: after the start, after a fork."""
        self._cursor = position
        self.on_timeout()

    def ask(self) -> None:
        """Put a question before anything else, without giving up what is on its way."""
        self._must_ask = True

    def question(self) -> Batch:
        """Make a question. It also shows the receiver our hash at the cursor."""
        self._asked = True
        at = self._cursor
        return Batch(at.log_id, Seq(at.upto + 1), at.mark, (), at.mark)

    def batch(self, items: Sequence[Item], mark: str) -> Batch:
        """Make the next batch. `items` follow the tip, `mark` is the stored hash of the last. Errors: HoleInLog."""
        if items[0].seq != self._tip + 1:
            raise HoleInLog(f"fact {self._tip + 1} is no longer held")
        batch = Batch(self._cursor.log_id, items[0].seq, self._tip_mark, tuple(items), mark)
        self._tip, self._tip_mark = batch.last, mark
        self._in_flight.append(batch.last)
        return batch

    def needs(self, ack: Ack) -> tuple[Seq, ...]:
        """Tell at which positions the caller must look up its own hashes to judge an answer."""
        if ack.position.log_id != self._cursor.log_id:
            return ()
        return (ack.position.upto, *(seq for seq, _ in ack.known))

    def on_ack(self, ack: Ack, own: Mapping[Seq, str | None]) -> Step:
        """Judge an answer. `own` holds our hash at each position of `needs`, None for what is not held."""
        at = ack.position
        if at.log_id != self._cursor.log_id:  # of a log we no longer write, or of a copy of this card
            return Step(Move.NOTHING, self._cursor, alive=False)
        self._asked = False
        self._must_ask = False
        self._dictionary = ack.dictionary
        if ack.known:
            return self._go_to(self._highest_shared(ack, own))
        ours = GENESIS if at.upto == 0 else own.get(at.upto)
        if ours != at.mark:
            if ours is None and at.upto <= self._cursor.upto:
                return Step(Move.TROUBLE, self._cursor, "pruned")
            return Step(Move.FORK, at)
        if ack.why in (Why.BAD, Why.FORK):  # our hash at its position is right, so what follows does not fit the chain
            self.on_timeout()
            return Step(Move.TROUBLE, self._cursor, "bad")
        if at.upto <= self._cursor.upto and ack.why is None:  # the answer to a question, or an old one
            return Step(Move.NOTHING, self._cursor)
        return self._go_to(at)

    def on_timeout(self) -> None:
        """No answer in time: all that is on its way counts as lost, and a question goes first."""
        self._must_ask = True
        self._asked = False
        self.narrow()
        self._rewind()

    def _go_to(self, position: Position) -> Step:
        if position.upto > self._cursor.upto:
            self._cursor = position
            self._rewound = False
            while self._in_flight and self._in_flight[0] <= position.upto:
                self._in_flight.popleft()
            if position.upto > self._tip:
                self._rewind()
            return Step(Move.CONFIRM, position)
        if position.upto < self._cursor.upto:
            self._cursor = position
            self._rewind()
            self._rewound = True
            return Step(Move.CONFIRM, position)
        if not self._rewound:  # each batch behind a lost one is answered with a gap: go back only once
            self._rewind()
            self._rewound = True
        return Step(Move.NOTHING, position)

    def _rewind(self) -> None:
        self._tip, self._tip_mark = self._cursor.upto, self._cursor.mark
        self._in_flight.clear()
        self._rewound = False

    def _highest_shared(self, ack: Ack, own: Mapping[Seq, str | None]) -> Position:
        shared = [(seq, mark) for seq, mark in ack.known if seq > 0 and own.get(seq) == mark]
        seq, mark = max(shared, default=(Seq(0), GENESIS))
        return Position(ack.position.log_id, seq, mark)


def ladder(newest: Seq) -> list[Seq]:
    """Return positions to offer to a sender that lost track: the newest, then back in steps that double."""
    rungs = [newest]
    step = 1
    while rungs[-1] > 0:
        rungs.append(Seq(max(0, rungs[-1] - step)))
        step *= 2
    return rungs


class Backoff:
    """Waits between tries: full jitter under a doubling ceiling. `dice` gives numbers from 0 up to 1."""

    def __init__(self, dice: Callable[[], float], base_s: float = RETRY_BASE_S, cap_s: float = RETRY_CAP_S) -> None:
        self._dice = dice
        self._base_s = base_s
        self._cap_s = cap_s
        self._tries = 0

    def next_s(self) -> float:
        """Return how long to wait before the next try."""
        ceiling = min(self._cap_s, self._base_s * 2.0 ** min(self._tries, 16))
        self._tries += 1
        return self._dice() * ceiling

    def reset(self) -> None:
        """A try went well."""
        self._tries = 0


def same_log(at: Position, log_id: LogId) -> Position | None:
    """Return the position if it is in the log of this name."""
    return at if at.log_id == log_id else None


def digest(event_ids: Iterable[EventId]) -> str:
    """One SHA-256 over event ids in order of their sequence numbers, for comparing both ends."""
    whole = hashlib.sha256()
    for event in event_ids:
        whole.update(event.encode() + b"\n")
    return whole.hexdigest()
