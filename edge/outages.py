"""Rules of outages: when a stretch of the log had to wait for the hub, when the hub had all of it, and its sheet.

An outage is seen by the facts themselves, so it survives restarts: when the hub confirms a fact that has waited for an
hour or longer, all that is in the log at that moment is the backlog. The counting is in edge/sheet.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge import events, log
from edge.chain import GENESIS, Position, event_id
from edge.events import BadFact, Encoded, OutageEnded, SheetConfirmed
from edge.model import LogId, Seq
from edge.sheet import Counted, Figures, Settled, Sheet, Stretch, code_of, figures_of, tally
from edge.store import Tx

LONG_MS = 3_600_000  # a shorter one nobody has to reconcile
MARK = "D"  # a bill's slip number has digits alone, a weighing's begins with another letter


def confirmed(tx: Tx, position: Position) -> None:
    """Note how far the hub has our log, and whether an outage ends with it."""
    before = log.cursor(tx, log.UP)
    since = _waits_since(tx, before.upto)
    log.confirm(tx, position)
    if position.upto <= before.upto:
        return
    open_row = tx.row("SELECT after, upto, since FROM outage WHERE until IS NULL ORDER BY after LIMIT 1")
    if open_row is None:
        if since is None or tx.stamp.at - since < LONG_MS:
            return
        open_row = {"after": before.upto, "upto": log.head(tx).upto, "since": since}
        tx.execute("INSERT OR REPLACE INTO outage (after, upto, since) VALUES (?, ?, ?)", tuple(open_row.values()))
    if position.upto >= open_row["upto"]:
        _end(tx, open_row)


def answered(tx: Tx, fact: SheetConfirmed) -> None:
    """The hub's side of a sheet has come. One that fits no outage of ours is passed over."""
    tx.bookkeeping = True
    tx.execute(
        "UPDATE outage SET hub = ? WHERE after = ? AND upto = ?",
        (events.encode(fact, tx.dice.salt).body, fact.after, fact.upto),
    )


def from_stick(tx: Tx, body: str) -> None:
    """A stick brought the hub's side with it: the sheet is about what that stick has settled.

    What is no such answer, or is about another history, is passed over.
    """
    fact = _read(body)
    if fact is None or not fact.after < fact.upto <= log.cursor(tx, log.UP).upto:
        return
    if log.mark_at(tx, Seq(fact.upto)) != fact.mark:
        return  # of another history
    known = tx.row("SELECT until FROM outage WHERE after = ? AND upto = ?", (fact.after, fact.upto))
    if known is None or known["until"] is None:
        since = _waits_since(tx, fact.after) or tx.stamp.at
        tx.execute(
            "INSERT OR REPLACE INTO outage (after, upto, since) VALUES (?, ?, ?)", (fact.after, fact.upto, since)
        )
        _end(tx, {"after": fact.after, "upto": fact.upto, "since": since})
        if tx.stamp.at - since < LONG_MS:  # nobody needs to be shown how a stick was tried out
            tx.execute("UPDATE outage SET shown = 1 WHERE after = ?", (fact.after,))
    answered(tx, fact)


def newest(tx: Tx, site: str) -> Sheet | None:
    """The sheet of the newest outage that has ended, None if there never was one."""
    row = tx.row("SELECT * FROM outage WHERE until IS NOT NULL ORDER BY upto DESC LIMIT 1")
    return None if row is None else _sheet(tx, site, row)


def is_sheet(slip: str) -> bool:
    """Whether a slip number is a sheet's."""
    return slip.startswith(MARK)


def slip_of(sheet: Sheet) -> str:
    """The number under which a sheet is printed: an operator may print it again."""
    return f"{MARK}{sheet.stretch.after}-{sheet.stretch.end.upto}"


def is_due(tx: Tx) -> bool:
    """Whether the newest sheet has not been put before an operator yet."""
    return bool(tx.value("SELECT shown FROM outage WHERE until IS NOT NULL ORDER BY upto DESC LIMIT 1") == 0)


def shown(tx: Tx) -> None:
    """An operator has the sheets before them."""
    tx.execute("UPDATE outage SET shown = 1 WHERE until IS NOT NULL")
    tx.bookkeeping = True


def _waits_since(tx: Tx, confirmed_upto: int) -> int | None:
    """When the first fact after a position was written; by the clock of this run where it is of this run."""
    first = tx.row("SELECT at, boot, ms FROM fact WHERE seq = ?", (confirmed_upto + 1,))
    if first is None:
        return None
    if first["boot"] == tx.stamp.boot:  # the wall clock may have jumped since
        return int(tx.stamp.at - (tx.stamp.ms - first["ms"]))
    return int(first["at"])


def _end(tx: Tx, row: dict[str, Any]) -> None:
    tx.execute("UPDATE outage SET until = ? WHERE after = ?", (tx.stamp.at, row["after"]))
    mark = log.mark_at(tx, row["upto"]) or GENESIS
    log.append(
        tx,
        OutageEnded(log.cursor(tx, log.UP).log_id, row["after"], row["upto"], mark, row["since"], tx.stamp.at),
    )


def _sheet(tx: Tx, site: str, row: dict[str, Any]) -> Sheet:
    ours = tally(_counted(tx, row["after"], row["upto"]), _settled(tx, row["after"], row["upto"]))
    mark = log.mark_at(tx, row["upto"]) or GENESIS
    hub, code, log_id = _answer(row["hub"])
    end = Position(log_id or log.cursor(tx, log.UP).log_id, Seq(row["upto"]), mark)
    stretch = Stretch(site, row["after"], end)
    is_genuine = hub is not None and code == code_of(tx.keys.link, stretch, hub)
    return Sheet(stretch, row["since"], row["until"], ours, hub, code, is_genuine)


def _answer(body: str | None) -> tuple[Figures | None, str, LogId | None]:
    fact = None if body is None else _read(body)
    return (None, "", None) if fact is None else (figures_of(fact), fact.code, LogId(fact.log))


def _read(body: str) -> SheetConfirmed | None:
    try:
        fact = events.decode(Encoded(SheetConfirmed.kind, body, {}))
    except BadFact:
        return None
    return fact if isinstance(fact, SheetConfirmed) else None


def _counted(tx: Tx, after: int, upto: int) -> Iterator[Counted]:
    for row in tx.execute("SELECT hash, kind, body FROM fact WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)):
        yield event_id(row[0]), row[1], row[2]


def _settled(tx: Tx, after: int, upto: int) -> Settled:
    row = tx.row(
        "SELECT coalesce(sum(state = 'posted'), 0) AS posted,"
        " coalesce(sum(CASE WHEN state = 'posted' THEN fen END), 0) AS posted_fen,"
        " coalesce(sum(state IN ('refused', 'reversed')), 0) AS refused,"
        " coalesce(sum(CASE WHEN state IN ('refused', 'reversed') THEN fen END), 0) AS refused_fen"
        " FROM bill WHERE accepted_seq > ? AND accepted_seq <= ?",
        (after, upto),
    )
    return Settled(**row) if row is not None else Settled()
