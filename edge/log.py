"""The append-only log of facts: append inside a transaction, read what is pending, move the cursors, verify, erase.

The fact table *is* the outbox: a fact is pending above the `up` cursor and acknowledged below it. What a fact means for
parcels or bills does not live here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from edge import events
from edge.chain import GENESIS, NOTHING_PERSONAL, Item, Linked, Position, event_id, field_digest, link
from edge.events import Encoded, Fact
from edge.model import EventId, LogId, Seq, Stamp
from edge.store import Tx

UP = "up"
DOWN = "down"
PERSONAL = "SELECT seq, field, salt, value FROM personal WHERE seq BETWEEN ? AND ?"
FROM_HERE = "SELECT seq, kind, body, at, boot, ms, synced FROM fact WHERE seq > ? ORDER BY seq LIMIT ?"


class Logged(NamedTuple):
    seq: Seq
    mark: str

    @property
    def event(self) -> EventId:
        return event_id(self.mark)


@dataclass(frozen=True, slots=True)
class Broken:
    """Where the chain does not fit: the first bad sequence number and why."""

    seq: Seq
    why: str


def begin(tx: Tx) -> None:
    """Name the log of a new database. Does nothing for an old one."""
    if tx.value("SELECT value FROM meta WHERE key = 'log_id'") is None:
        tx.insert("meta", {"key": "log_id", "value": tx.dice.ident()})
        tx.insert("cursor", {"name": UP, "log_id": _log_id(tx), "seq": 0, "hash": GENESIS, "at": None})
        tx.insert("cursor", {"name": DOWN, "log_id": "", "seq": 0, "hash": GENESIS, "at": None})
        tx.bookkeeping = True


def take_over(tx: Tx) -> int:
    """Chain a log that began before there was a link key to that key. Return how many facts; 0 where nothing is to do.

    Until then it was chained to the device key, and the hub has heard nothing of it.
    """
    first = tx.row("SELECT * FROM fact WHERE seq = 1")
    if first is None or tx.keys.link == tx.keys.device or cursor(tx, UP).upto > 0:
        return 0
    if link(tx.keys.device, GENESIS, _item(first)) != first["hash"]:
        return 0
    tx.bookkeeping = True
    previous, count = GENESIS, 0
    for item, _ in items(tx):
        previous = link(tx.keys.link, previous, item)
        tx.execute("UPDATE fact SET hash = ? WHERE seq = ?", (previous, item.seq))
        count += 1
    return count


def append(tx: Tx, fact: Fact) -> Logged:
    """Put a fact at the end of the log, in the same transaction as the change it tells of."""
    encoded = events.encode(fact, tx.dice.salt)
    last, previous = tx.end or _end(tx)
    item = Item(Seq(last + 1), encoded.kind, encoded.body, tx.stamp)
    mark = link(tx.keys.link, previous, item)
    at = tx.stamp
    tx.execute(
        "INSERT INTO fact (seq, kind, body, at, boot, ms, synced, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (item.seq, item.kind, item.body, at.at, at.boot, at.ms, int(at.synced), mark),
    )
    if encoded.personal:
        values = [part for field, pair in encoded.personal.items() for part in (item.seq, field, *pair)]
        tx.execute(_insert_personal(len(encoded.personal)), tuple(values))
    tx.end = item.seq, mark
    tx.appended += 1
    return Logged(item.seq, mark)


@lru_cache(16)
def _insert_personal(count: int) -> str:
    return f"INSERT INTO personal (seq, field, salt, value) VALUES {', '.join(['(?, ?, ?, ?)'] * count)}"  # noqa: S608


def adopt(tx: Tx, item: Item, mark: str) -> bool:
    """Put a fact of our own that the hub still has at the end again, as it was. False when it does not follow."""
    last, previous = tx.end or _end(tx)
    if item.seq != last + 1 or link(tx.keys.link, previous, item) != mark:
        return False
    at = item.stamp
    tx.execute(
        "INSERT INTO fact (seq, kind, body, at, boot, ms, synced, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (item.seq, item.kind, item.body, at.at, at.boot, at.ms, int(at.synced), mark),
    )
    for field, pair in item.personal.items():
        tx.execute("INSERT INTO personal (seq, field, salt, value) VALUES (?, ?, ?, ?)", (item.seq, field, *pair))
    tx.end = item.seq, mark
    tx.bookkeeping = True
    return True


# --- positions ----------------------------------------------------------------------------------------------------


def head(tx: Tx) -> Position:
    last, mark = _end(tx)
    return Position(_log_id(tx), Seq(last), mark)


def _end(tx: Tx) -> tuple[int, str]:
    found = tx.execute("SELECT seq, hash FROM fact ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, GENESIS) if found is None else (int(found[0]), str(found[1]))


def cursor(tx: Tx, name: str) -> Position:
    row = tx.row("SELECT log_id, seq, hash FROM cursor WHERE name = ?", (name,))
    if row is None:
        raise AssertionError("the log was not begun")
    return Position(LogId(row["log_id"]), Seq(row["seq"]), row["hash"])


def confirmed_at(tx: Tx) -> int | None:
    """UTC milliseconds of the last answer of the hub, None if there never was one."""
    value: int | None = tx.value("SELECT at FROM cursor WHERE name = 'up'")
    return value


def mark_at(tx: Tx, seq: Seq) -> str | None:
    """Return the hash at a position, GENESIS for 0, None for what is not held."""
    if seq == 0:
        return GENESIS
    value: str | None = tx.value("SELECT hash FROM fact WHERE seq = ?", (seq,))
    return value


def confirm(tx: Tx, position: Position) -> None:
    """Note how far the hub has our log. Moves back too: a hub restored from a backup has less than it told before."""
    if mark_at(tx, position.upto) != position.mark or position.log_id != _log_id(tx):
        raise AssertionError("a position that is not ours was confirmed")
    _move(tx, UP, position)


def fork(tx: Tx, seen: Position) -> Position:
    """The hub holds another history than ours: name our log anew and go on from what both share.

    The event ids sort out the repeats: same history and content, same id.
    """
    old = rename(tx)
    append(tx, events.LogForked(old, _log_id(tx), int(seen.upto)))
    raise_alarm(tx, "fork", old)
    return cursor(tx, UP)


def rename(tx: Tx) -> LogId:
    """Name the log anew: what the card before us still holds of the old one is told apart from ours. Return the old."""
    old, at = _log_id(tx), cursor(tx, UP)
    new = LogId(tx.dice.ident())
    tx.update("meta", ("key", "log_id"), {"value": new})
    _move(tx, UP, Position(new, at.upto, at.mark))
    return old


def raise_alarm(tx: Tx, code: str, subject: str) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO alarm (code, subject, seq) VALUES (?, ?, (SELECT coalesce(max(seq), 0) FROM fact))",
        (code, subject),
    )


def drop_alarm(tx: Tx, code: str, subject: str) -> None:
    tx.execute("DELETE FROM alarm WHERE code = ? AND subject = ?", (code, subject))


def apply_down(
    tx: Tx, log_id: LogId, items: Sequence[Item], marks: Sequence[str], apply: Callable[[Tx, Fact], None]
) -> Position:
    """Apply facts of the hub exactly once and move the cursor, all in this transaction.

    Shape:  `items` follow the cursor without a gap and `marks` are their verified hashes (sync.relay.Receiver).
    Errors: AssertionError if they do not follow (a bug of the caller).
    """
    at = cursor(tx, DOWN)
    tx.bookkeeping = True
    for item, mark in zip(items, marks, strict=True):
        have = at.upto if log_id == at.log_id else 0  # a log under another name starts at its first fact
        if item.seq <= have:
            continue
        if item.seq != have + 1:
            raise AssertionError("a gap in the facts of the hub")
        if _is_new(tx, mark):
            apply(tx, _decoded(item))
        at = Position(log_id, item.seq, mark)
    _move(tx, DOWN, at)
    return at


def apply_advance(tx: Tx, linked: Linked, apply: Callable[[Tx, Fact], None]) -> None:
    """Apply one fact of the hub out of turn, if it was not; the position stays. In its turn it is then known."""
    tx.bookkeeping = True
    if _is_new(tx, linked.mark):
        apply(tx, _decoded(linked.item))


def _is_new(tx: Tx, mark: str) -> bool:
    """A hub restored from a backup sends its log again under a new name: the same event is applied once for ever."""
    known = bytes.fromhex(event_id(mark))
    return tx.execute("INSERT OR IGNORE INTO applied (event) VALUES (?)", (known,)).rowcount == 1


def _decoded(item: Item) -> Fact:
    try:
        return events.decode(Encoded(item.kind, item.body, item.personal))
    except events.BadFact:
        return events.UnknownFact(item.kind, item.body)  # the hub made a mistake: kept apart, never blocks the rest


def _move(tx: Tx, name: str, position: Position) -> None:
    tx.bookkeeping = True
    tx.update(
        "cursor",
        ("name", name),
        {"log_id": position.log_id, "seq": position.upto, "hash": position.mark, "at": tx.stamp.at},
    )


def _log_id(tx: Tx) -> LogId:
    return LogId(tx.value("SELECT value FROM meta WHERE key = 'log_id'"))


# --- reading ------------------------------------------------------------------------------------------------------


def read_after(tx: Tx, seq: Seq, limit: int, max_bytes: int) -> tuple[Item, ...]:
    """Return the facts after `seq`, at most `limit` and about `max_bytes` of bodies (always one if there is one)."""
    # No dictionaries, nothing built twice: backlogs are long.
    rows = tx.execute(FROM_HERE, (seq, limit)).fetchall()
    size = 0
    for place, row in enumerate(rows):
        size += len(row[2]) * 3  # a Chinese sign is three bytes
        if place and size > max_bytes:
            del rows[place:]
            break
    held = _personal(tx, rows[0][0], rows[-1][0]) if rows else {}
    of = held.get
    return tuple(
        Item(number, kind, body, Stamp(at, boot, ms, synced != 0), of(number, NOTHING_PERSONAL))
        for number, kind, body, at, boot, ms, synced in rows
    )


def newest_of(tx: Tx, kinds: Sequence[str], after: Seq, limit: int) -> tuple[Linked, ...]:
    """Return the newest facts of these kinds after `after`, at most `limit`, oldest first, each with its two hashes."""
    marks = ", ".join("?" * len(kinds))
    found = tx.rows(
        "SELECT f.*, (SELECT hash FROM fact b WHERE b.seq = f.seq - 1) AS prev FROM fact f "  # noqa: S608  marks only
        f"WHERE f.seq > ? AND f.kind IN ({marks}) ORDER BY f.seq DESC LIMIT ?",
        (after, *kinds, limit),
    )
    rows = [row for row in reversed(found) if row["prev"] is not None or row["seq"] == 1]
    held = _personal(tx, rows[0]["seq"], rows[-1]["seq"]) if rows else {}
    return tuple(
        Linked(
            row["prev"] or GENESIS, _item(row)._replace(personal=held.get(row["seq"], NOTHING_PERSONAL)), row["hash"]
        )
        for row in rows
    )


def pending(tx: Tx) -> int:
    return int(head(tx).upto - cursor(tx, UP).upto)


def items(tx: Tx, after: int = 0) -> Iterator[tuple[Item, str]]:
    """Yield every fact after a position with its hash, oldest first, without its personal values."""
    while chunk := tx.rows("SELECT * FROM fact WHERE seq > ? ORDER BY seq LIMIT 500", (after,)):
        for row in chunk:
            yield _item(row), row["hash"]
        after = chunk[-1]["seq"]


def _item(row: dict[str, Any]) -> Item:
    stamp = Stamp(row["at"], row["boot"], row["ms"], bool(row["synced"]))
    return Item(Seq(row["seq"]), row["kind"], row["body"], stamp)


def _with_personal(tx: Tx, taken: list[Item]) -> tuple[Item, ...]:
    held = _personal(tx, taken[0].seq, taken[-1].seq) if taken else {}
    return tuple(item._replace(personal=held.get(item.seq, NOTHING_PERSONAL)) for item in taken)


def _personal(tx: Tx, first: int, last: int) -> dict[int, dict[str, tuple[str, str]]]:
    """The personal values that are still held, by fact and field."""
    held: dict[int, dict[str, tuple[str, str]]] = {}
    for seq, field, salt, value in tx.execute(PERSONAL, (first, last)):
        held.setdefault(seq, {})[field] = (salt, value)
    return held


# --- proof and erasure --------------------------------------------------------------------------------------------


def verify(tx: Tx, last: int | None = None) -> Broken | None:
    """Recompute the chain, whole or only its `last` facts. Return where it breaks, None when it holds.

    Erased personal fields do not matter; a personal value that is still held must fit its digest. A cut tail shows
    only as far as the hub has confirmed it.
    """
    top = head(tx).upto
    start = 0 if last is None else max(0, top - last)
    previous = mark_at(tx, Seq(start)) or GENESIS
    expected = start
    while chunk := tx.rows("SELECT * FROM fact WHERE seq > ? ORDER BY seq LIMIT 500", (expected,)):
        plain = [_item(row) for row in chunk]
        for row, item in zip(chunk, _with_personal(tx, plain), strict=True):
            expected += 1
            if item.seq != expected:
                return Broken(Seq(expected), "missing")
            previous = link(tx.keys.link, previous, item)
            if previous != row["hash"] or row["synced"] not in {0, 1}:  # any other number would read as 1
                return Broken(item.seq, "hash")
            if item.personal and not _fits(item):
                return Broken(item.seq, "personal")
    return _confirmed_fits(tx, top)


def _confirmed_fits(tx: Tx, top: Seq) -> Broken | None:
    row = tx.row("SELECT seq, hash FROM cursor WHERE name = ?", (UP,)) or {"seq": 0, "hash": GENESIS}
    if row["seq"] > top:
        return Broken(Seq(top + 1), "missing")
    return None if mark_at(tx, row["seq"]) == row["hash"] else Broken(row["seq"], "cursor")


def _fits(item: Item) -> bool:
    digests = events.parse_body(item.body).get(events.DIGESTS, {})
    try:
        return all(
            field_digest(bytes.fromhex(salt), value) == digests.get(name)
            for name, (salt, value) in item.personal.items()
        )
    except ValueError:  # the salt is no hex any more
        return False


def erase(tx: Tx, seq: Seq, field: str | None = None) -> int:
    """Forget personal values of a fact, with their salts. Return how many. The chain stays whole."""
    if field is None:
        return tx.execute("DELETE FROM personal WHERE seq = ?", (seq,)).rowcount
    return tx.execute("DELETE FROM personal WHERE seq = ? AND field = ?", (seq, field)).rowcount
