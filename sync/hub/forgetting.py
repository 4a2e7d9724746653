"""Forgetting people: personal values go when a parcel is gone, or a bill settled, for as many days as are set.

On the walk over a log (sync/hub/walks.py) every fact with personal values is noted in `holding` under its parcel or
bill; the fact that ended the matter, walked past later, takes them all away. So nothing is searched for, and no index
is needed where facts come in. Bodies, hashes and digests stay: the chain is as it was. Whose business which values are
is in sync/hub/purpose.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.model import AccountNo, SiteCode
from sync.hub.database import Table, Values
from sync.hub.lived import Times
from sync.hub.manifest import GONE, parcel_id
from sync.hub.purpose import BILL, ENDINGS, PARCEL, SETTLED, UNNAMED, Named, Subject, named_by
from sync.hub.schema import HOLDING, SMS
from sync.hub.store import HubStore, Tx
from sync.hub.walks import BATCH, DOWN, UP, Row, Stretch, marks_of, next_stretch, walked

_PARCEL = Table("parcel", ("site", "parcel"), (
    "site", "parcel", "state", "waybill_no", "carrier", "recipient", "phone", "address", "changed_at"
))  # fmt: skip
_PARCEL_BY_WAYBILL = Table("parcel", ("site", "waybill_no"), _PARCEL.columns)
_BILL = Table("bill", ("site", "bill"), ("site", "bill", "state", "name", "account_no", "changed_at"))
_ONE = {
    UP: "SELECT kind, body FROM fact WHERE site = ? AND seq = ? AND event = ?",
    DOWN: "SELECT kind, body FROM down WHERE site = ? AND seq = ? AND event = ?",
}
_ERASE = {
    UP: "UPDATE fact SET personal = NULL WHERE site = ? AND seq = ? AND event = ? AND personal IS NOT NULL",
    DOWN: "UPDATE down SET personal = NULL WHERE site = ? AND seq = ? AND event = ? AND personal IS NOT NULL",
}
_FORGET_PARCEL = (
    "UPDATE parcel SET recipient = NULL, phone = NULL, address = NULL WHERE site = ? AND parcel = ? "
    "AND (recipient IS NOT NULL OR phone IS NOT NULL OR address IS NOT NULL)"
)
_FORGET_BILL = "UPDATE bill SET name = '', address = NULL, account_no = ? WHERE site = ? AND bill = ? AND name <> ''"
_HOLD = (
    "INSERT INTO holding (site, sort, subject, way, seq, event, at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_LET_GO = "DELETE FROM holding WHERE site = ? AND sort = ? AND subject = ? AND way = ? AND seq = ? AND event = ?"
# A bill may be told to several sites; the one where it was paid settles it for all, but where cash is to go back.
_PAID_ELSEWHERE = (
    "SELECT DISTINCT h.subject FROM holding h JOIN posting p ON p.bill = h.subject "
    "WHERE h.site = ? AND h.sort = 'bill' AND p.at <= ? AND NOT EXISTS "
    "(SELECT 1 FROM refusal r WHERE r.site = h.site AND r.bill = h.subject AND r.refunded < r.fen) "
    "ORDER BY h.subject LIMIT ?"
)
_ADRIFT = (
    "SELECT site, sort, subject, way, seq, event, at FROM holding h WHERE site = ? AND at <= ? "
    "AND NOT EXISTS (SELECT 1 FROM parcel p WHERE h.sort = 'parcel' AND p.site = h.site AND p.parcel = h.subject) "
    "AND NOT EXISTS (SELECT 1 FROM bill b WHERE h.sort = 'bill' AND b.site = h.site AND b.bill = h.subject) LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many parcels and bills lost their people, in how many facts of the site and announcements to it."""

    parcels: int = 0
    bills: int = 0
    facts: int = 0
    announcements: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


class Found(NamedTuple):
    """What a stretch brings: rows of `holding` to add, and whose matter is over, with its row if it has one."""

    holds: list[Values]
    over: dict[Subject, Row | None]


def step(store: HubStore, site: SiteCode, times: Times) -> Forgotten | None:
    """Walk some facts further, in one transaction. None when there is nothing to walk. Errors: StoreFault."""
    with store.reading() as tx:
        stretch = next_stretch(tx, site, times, marks_of(tx, site))
    if stretch is None:
        return None
    with store.transaction() as tx:
        tx.hold(site)
        if marks_of(tx, site).get(stretch.mark) != stretch.walked:
            return Forgotten()  # another one was here meanwhile
        found = look(tx, site, stretch, times)
        if found.holds:
            tx.session.execute_each(_HOLD, found.holds)
        done = _forget(tx, site, found.over)
        walked(tx, site, stretch)
        return done


def loose_ends(store: HubStore, site: SiteCode, times: Times) -> Forgotten | None:
    """Forget some of what no fact of the site will end: payers at other sites, and what nobody knows the use of.

    None when there is nothing of the kind. Errors: StoreFault.
    """
    with store.reading() as tx:
        if not paid_elsewhere(tx, site, times) and not adrift(tx, site, times):
            return None
    with store.transaction() as tx:
        tx.hold(site)
        done = _forget(tx, site, paid_elsewhere(tx, site, times))
        lost = adrift(tx, site, times)
        names = _still_named(tx, site, lost)
        moved: list[Values] = [(site, *name, *row[3:]) for row, name in zip(lost, names, strict=True) if name]
        if moved:
            tx.session.execute_each(_LET_GO, [row[:-1] for row, name in zip(lost, names, strict=True) if name])
            tx.session.execute_each(_HOLD, moved)
        return done + _erase(tx, [row for row, name in zip(lost, names, strict=True) if name is None])


def would_forget(store: HubStore, site: SiteCode, times: Times) -> Forgotten:
    """Count what would be forgotten now; change nothing. Errors: StoreFault."""
    noted: Counter[tuple[Subject, str]] = Counter()
    over: dict[Subject, Row | None] = {}
    with store.reading() as tx:
        marks = marks_of(tx, site)
        while (stretch := next_stretch(tx, site, times, marks)) is not None:
            found = look(tx, site, stretch, times)
            noted.update((Subject(sort, ident), way) for _, sort, ident, way, *_ in found.holds)
            over |= found.over
            marks[stretch.mark] = stretch.upto
        over |= paid_elsewhere(tx, site, times)
        lost = adrift(tx, site, times)
        erased = [row for row, name in zip(lost, _still_named(tx, site, lost), strict=True) if name is None]
        ways = Counter(row[3] for row in [*held_of(tx, site, over), *erased])
    new = [subject for subject, row in over.items() if row is not None and not _is_forgotten(subject, row)]
    sorts = Counter(subject.sort for subject in new)
    facts, announcements = (ways[way] + sum(noted[subject, way] for subject in over) for way in (UP, DOWN))
    return Forgotten(sorts[PARCEL], sorts[BILL], facts, announcements)


def look(tx: Tx, site: SiteCode, stretch: Stretch, times: Times) -> Found:
    """Read what a stretch means; the site is held, or nothing is written."""
    way, rows = stretch.mark[0], stretch.rows
    holds: list[Values] = []
    over: dict[Subject, Row | None] = {}
    people = [row for row in rows if row["personal"]]
    for row, (subject, held) in zip(people, _whose(tx, site, map(_named, people)), strict=True):
        holds.append((site, *subject, way, row["seq"], row["event"], min(row["received_at"], times.now)))
        if held is not None and _is_forgotten(subject, held):
            over[subject] = held
    ends = [row for row in rows if way == UP and row["kind"] in ENDINGS]
    for row, (subject, held) in zip(ends, _whose(tx, site, map(_named, ends)), strict=True):
        if held is not None and _is_over(subject, held) and held["changed_at"] == row["at"]:
            over[subject] = held
    return Found(holds, over | _other_names(tx, site, over))


def held_of(tx: Tx, site: SiteCode, subjects: Iterable[Subject]) -> list[Values]:
    """Where personal values of these subjects are."""
    keys = [(site, *subject) for subject in subjects]
    return tx.session.fetch(HOLDING, keys) if keys else []


def paid_elsewhere(tx: Tx, site: SiteCode, times: Times) -> dict[Subject, Row | None]:
    """Bills of this site whose money was taken at another one, long enough ago."""
    if times.old is None:
        return {}
    rows = tx.rows(_PAID_ELSEWHERE, (site, times.old, BATCH))
    return dict(_whose(tx, site, [Named(Subject(BILL, row["subject"]), "") for row in list(rows)]))


def adrift(tx: Tx, site: SiteCode, times: Times) -> list[Values]:
    """Very old personal values of no parcel and no bill that is known here: of unknown kinds, in damaged rows."""
    if times.very_old is None:
        return []
    return [tuple(row) for row in tx.execute(_ADRIFT, (site, times.very_old, BATCH))]


def _still_named(tx: Tx, site: SiteCode, lost: Sequence[Values]) -> list[Subject | None]:
    """For each, the parcel that needs it after all: one that was here before its announcement, under another id."""
    found = _whose(tx, site, [_named_again(tx, row) for row in lost])
    return [None if held is None or _is_forgotten(subject, held) else subject for subject, held in found]


def _named(row: Row) -> Named:
    return named_by(row["kind"], row["body"])


def _named_again(tx: Tx, held: Values) -> Named:
    site, _, _, way, seq, event, _ = held
    row = tx.row(_ONE[way], (site, seq, event))
    return UNNAMED if row is None else _named(row)


def _whose(tx: Tx, site: SiteCode, named: Iterable[Named]) -> list[tuple[Subject, Row | None]]:
    """The subject of each, with its row. An announcement whose parcel has no row is found by the waybill number:
    the parcel was at the point before it, under an id of the point's own.
    """
    all_named = list(named)
    books = _books(tx, site, {each.subject for each in all_named})
    numbers = {each.waybill_no for each in all_named if each.subject not in books and each.waybill_no}
    others: dict[str, Row] = {}
    for row in _fetch(tx, _PARCEL_BY_WAYBILL, [(site, number) for number in numbers]):
        if row["waybill_no"] not in others or row["state"] not in GONE:
            others[row["waybill_no"]] = row
    found: list[tuple[Subject, Row | None]] = []
    for each in all_named:
        held = books.get(each.subject)
        other = others.get(each.waybill_no) if held is None else None
        found.append((each.subject, held) if other is None else (Subject(PARCEL, other["parcel"]), other))
    return found


def _books(tx: Tx, site: SiteCode, subjects: Iterable[Subject]) -> dict[Subject, Row]:
    """The rows of these subjects, where there are."""
    keys: dict[str, list[Values]] = {PARCEL: [], BILL: []}
    for sort, ident in subjects:
        if sort:
            keys[sort].append((site, ident))
    return {
        Subject(sort, row[sort]): row
        for sort, table in ((PARCEL, _PARCEL), (BILL, _BILL))
        for row in _fetch(tx, table, keys[sort])
    }


def _fetch(tx: Tx, table: Table, keys: list[Values]) -> Iterator[Row]:
    for values in tx.session.fetch(table, keys) if keys else ():
        yield dict(zip(table.columns, values, strict=True))


def _is_over(subject: Subject, row: Row) -> bool:
    return row["state"] in (GONE if subject.sort == PARCEL else SETTLED)


def _is_forgotten(subject: Subject, row: Row) -> bool:
    if subject.sort == BILL:
        return not row["name"]
    return _is_over(subject, row) and all(row[name] is None for name in ("recipient", "phone", "address"))


def _other_names(tx: Tx, site: SiteCode, over: Mapping[Subject, Row | None]) -> dict[Subject, Row | None]:
    """Under which ids these parcels were announced, where they came before that and bear the point's own."""
    announced = {
        Subject(PARCEL, parcel_id(site, row["carrier"], row["waybill_no"]))
        for subject, row in over.items()
        if subject.sort == PARCEL and row is not None and row["carrier"] and row["waybill_no"]
    }
    others = announced - over.keys()
    return dict.fromkeys(others - _books(tx, site, others).keys())


def _forget(tx: Tx, site: SiteCode, over: Mapping[Subject, Row | None]) -> Forgotten:
    parcels: list[Values] = [(site, subject.ident) for subject in over if subject.sort == PARCEL]
    bills = [
        (AccountNo(row["account_no"]).masked(), site, subject.ident)
        for subject, row in over.items()
        if subject.sort == BILL and row is not None
    ]
    for column in ("phone", "code") if parcels else ():
        tx.session.blank(SMS, column, parcels)
    emptied = tx.session.execute_each(_FORGET_PARCEL, parcels) if parcels else 0
    masked = tx.session.execute_each(_FORGET_BILL, bills) if bills else 0
    return Forgotten(emptied, masked) + _erase(tx, held_of(tx, site, over))


def _erase(tx: Tx, held: Sequence[Values]) -> Forgotten:
    """Empty the personal values of these facts; they need not be looked for any more."""
    erased = {
        way: tx.session.execute_each(_ERASE[way], facts)
        for way in (UP, DOWN)
        if (facts := [(site, seq, event) for site, _, _, its_way, seq, event, _ in held if its_way == way])
    }
    if held:
        tx.session.execute_each(_LET_GO, [row[:-1] for row in held])
    return Forgotten(0, 0, erased.get(UP, 0), erased.get(DOWN, 0))
