"""What a district sends to a point: a file of parcels to expect, bills and notices, checked whole, then written whole.

Every mistake is found and named by list, index and field, without repeating personal values. A waybill, bill or notice
that stands twice in one file is a mistake. One that the point was told before is passed over, so the same file may be
sent again: ids follow from the content (site, carrier and waybill number), nothing is doubled. A parcel that came to
the point before its row keeps the id it got there, and the row completes it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from edge.events import BillIssued, Fact, NoticePublished, ParcelExpected
from edge.model import AccountNo, Address, BillState, Name, ParcelState, Phone, SiteCode
from sync.hub.database import Values
from sync.hub.down import DownLog
from sync.hub.rows import Rows
from sync.hub.schema import BILL, BILL_BY_ID, DOWN, NOTICE, PARCEL, PARCEL_BY_WAYBILL
from sync.hub.store import HubStore, Tx

MAX_FILE_BYTES = 64 * 1024 * 1024  # 100,000 parcels are about 25 MB; more is sent as several files
MAX_FEN = 10_000_000  # 100,000 yuan: no household's bill
LISTS = ("parcels", "bills", "notices")
GONE = (ParcelState.PICKED_UP.value, ParcelState.RETURNED.value)
CHUNK = 1_000  # rows looked up and written at once
BILLS = "bills"  # the name to hold: one bill id is one bill in the whole district
Chunk = list[dict[str, Any]]
Rule = tuple[Callable[[Any], bool], str]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in a file. `index` counts from 0; None when it is about the whole list or file."""

    where: str
    index: int | None
    field: str | None
    what: str


class BadManifest(Exception):
    """A file that was refused, with all that is wrong in it. Nothing of it was written."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"the file has {len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}; nothing was sent")
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Sent:
    """How many rows were told to the point, and how many it had been told before."""

    parcels: int
    bills: int
    notices: int
    known_before: int


def send(store: HubStore, site: SiteCode, path: Path) -> Sent:
    """Check a file and append its facts to the site's log in one transaction. Errors: BadManifest, StoreFault."""
    content = read(path)
    mistakes = list(check(content))
    if mistakes:
        raise BadManifest(mistakes)
    with store.transaction() as tx:
        return _write(tx, site, content)


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Read a file as its three lists. Errors: BadManifest."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _whole(f"the file is larger than {MAX_FILE_BYTES // 1024 // 1024} MB: send it in parts")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise _whole(f"the file cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _whole("the file is no JSON") from error
    if not isinstance(content, dict):
        raise _whole("the file must hold one object with parcels, bills, notices")
    wrong = [Mistake("file", None, key, "is not one of parcels, bills, notices") for key in content if key not in LISTS]
    wrong += [Mistake(k, None, None, "must be a list") for k in LISTS if not isinstance(content.get(k, []), list)]
    if wrong or not content:
        raise BadManifest(wrong or [Mistake("file", None, None, "holds neither parcels nor bills nor notices")])
    for row in content.get("parcels", []):
        _in_capitals(row)
    return {key: content.get(key, []) for key in LISTS}


def _in_capitals(row: object) -> None:
    """A waybill in capitals, as guns read it and points look for it."""
    number = row.get("waybill_no") if isinstance(row, dict) else None
    if isinstance(row, dict) and isinstance(number, str) and number.isascii():
        row["waybill_no"] = number.upper()


def check(content: Mapping[str, list[Any]]) -> Iterator[Mistake]:
    """Yield every mistake."""
    for where, key in zip(LISTS, ("waybill_no", "bill_id", "notice_id"), strict=True):
        seen: dict[str, int] = {}  # a point finds a parcel by its waybill number alone, whoever carries it
        for index, row in enumerate(content[where]):
            if not isinstance(row, dict):
                yield Mistake(where, index, None, "must be an object")
                continue
            yield from _check_row(where, index, row)
            name = row.get(key)
            if isinstance(name, str):
                first = seen.setdefault(name, index)
                if first != index:
                    yield Mistake(where, index, key, f"stands in row {first} already")


def _check_row(where: str, index: int, row: dict[str, Any]) -> Iterator[Mistake]:
    rules = RULES[where]
    for field, (fits, hint) in rules.items():
        if field not in row:
            yield Mistake(where, index, field, "is missing")
        elif not fits(row[field]):
            yield Mistake(where, index, field, hint)
    for field in row.keys() - rules.keys():
        yield Mistake(where, index, str(field)[:40], "is not a field of this list")


def parcel_id(site: SiteCode, carrier: str, waybill_no: str) -> str:
    """The id of an expected parcel: 16 hex digits, the same for the same waybill."""
    return hashlib.sha256(f"{site}\n{carrier}\n{waybill_no}".encode()).hexdigest()[:16]


# --- writing ------------------------------------------------------------------------------------------------------


def _write(tx: Tx, site: SiteCode, content: Mapping[str, list[dict[str, Any]]]) -> Sent:
    tx.hold(site, BILLS)
    told: list[Values] = []
    down = DownLog(tx, site, later=told)
    counts = dict.fromkeys(LISTS, 0)
    for where, (ahead, writer) in WRITERS.items():
        for first in range(0, len(content[where]), CHUNK):
            chunk = content[where][first : first + CHUNK]
            rows = Rows(tx)
            ahead(rows, site, chunk)
            for index, row in enumerate(chunk, first):
                fact = writer(rows, site, row, index)
                if fact is not None:
                    down.append(fact)
                    counts[where] += 1
            rows.flush()
            tx.session.append(DOWN, told)
            told.clear()
    tx.session.announce()
    total = sum(len(rows) for rows in content.values())
    return Sent(counts["parcels"], counts["bills"], counts["notices"], total - sum(counts.values()))


def _parcels_ahead(rows: Rows, site: SiteCode, chunk: Chunk) -> None:
    rows.find(PARCEL_BY_WAYBILL, PARCEL, [(site, row["waybill_no"]) for row in chunk])
    rows.load(PARCEL, [(site, parcel_id(site, row["carrier"], row["waybill_no"])) for row in chunk])


def _parcel(rows: Rows, site: SiteCode, row: dict[str, Any], index: int) -> Fact | None:
    no, carrier = row["waybill_no"], row["carrier"]
    same = rows.find(PARCEL_BY_WAYBILL, PARCEL, [(site, no)])
    active = [each for each in same if each["state"] not in GONE]
    late = next((each for each in active if each["size"] is None), None)
    if late is not None:
        _complete(rows, late, row)
        return _announced(late["parcel"], row)
    if any(each["carrier"] in (carrier, None) for each in same):
        return None
    if active:
        raise BadManifest([Mistake("parcels", index, "waybill_no", "is expected from another carrier already")])
    ident = parcel_id(site, carrier, no)
    given = {name: row[name] for name in ("waybill_no", "carrier", "recipient", "phone", "address", "consent", "size")}
    rows.put(PARCEL, (site, ident), state=ParcelState.EXPECTED.value, changed_at=rows.tx.stamp.at, **given)
    return _announced(ident, row)


def _complete(rows: Rows, late: dict[str, Any], row: dict[str, Any]) -> None:
    """Complete a parcel that came to the point before its row, under the id the point gave it.

    Only such a parcel has no size. The row corrects the carrier and the phone that were taken at the counter, as the
    point does with the same announcement; a consent given there stays.
    """
    better = {name: row[name] for name in ("recipient", "phone", "address") if row[name] is not None}
    consent = row["consent"] if late["consent"] is None else late["consent"]
    key = (late["site"], late["parcel"])
    rows.put(PARCEL, key, carrier=row["carrier"], consent=consent, size=row["size"], **better)


def _announced(ident: str, row: dict[str, Any]) -> ParcelExpected:
    name, phone, address = row["recipient"], row["phone"], row["address"]
    return ParcelExpected(
        ident,
        row["waybill_no"],
        row["carrier"],
        Name(name) if name else None,
        Phone(phone) if phone else None,
        Address(address) if address else None,
        row["consent"],
        row["size"],
    )


def _bills_ahead(rows: Rows, site: SiteCode, chunk: Chunk) -> None:
    rows.find(BILL_BY_ID, BILL, [(row["bill_id"],) for row in chunk])
    rows.load(BILL, [(site, row["bill_id"]) for row in chunk])


def _bill(rows: Rows, site: SiteCode, row: dict[str, Any], index: int) -> Fact | None:
    ident, fen = row["bill_id"], row["fen"]
    told = rows.find(BILL_BY_ID, BILL, [(ident,)])
    accounts = (row["account_no"], AccountNo(row["account_no"]).masked())  # the second once its payer was forgotten
    if any(
        (each["fen"], each["period"]) != (fen, row["period"]) or each["account_no"] not in accounts for each in told
    ):
        raise BadManifest([Mistake("bills", index, "bill_id", "names another bill already")])
    if any(each["site"] == site for each in told):
        return None
    given = {name: row[name] for name in ("biller", "account_no", "name", "address", "period", "fen", "due")}
    state = {"sort": row["kind"], "state": BillState.UNPAID.value, "changed_at": rows.tx.stamp.at}
    rows.put(BILL, (site, ident), **given, **state)
    address = Address(row["address"]) if row["address"] else None
    account, name = AccountNo(row["account_no"]), Name(row["name"])
    return BillIssued(ident, row["biller"], row["kind"], account, name, address, row["period"], fen, row["due"])


def _notices_ahead(rows: Rows, site: SiteCode, chunk: Chunk) -> None:
    rows.load(NOTICE, [(site, row["notice_id"]) for row in chunk])


def _notice(rows: Rows, site: SiteCode, row: dict[str, Any], _index: int) -> Fact | None:
    key = (site, row["notice_id"])
    if rows.get(NOTICE, key) is not None:
        return None
    rows.put(NOTICE, key, text=row["text"], valid_until=row["valid_until"], at=rows.tx.stamp.at)
    return NoticePublished(row["notice_id"], row["text"], row["valid_until"])


WRITERS: Mapping[str, tuple[Callable[[Rows, SiteCode, Chunk], None], Callable[..., Fact | None]]] = {
    "parcels": (_parcels_ahead, _parcel),
    "bills": (_bills_ahead, _bill),
    "notices": (_notices_ahead, _notice),
}


# --- rules --------------------------------------------------------------------------------------------------------


def _whole(what: str) -> BadManifest:
    return BadManifest([Mistake("file", None, None, what)])


def _text(most: int) -> Rule:
    def fits(value: Any) -> bool:
        return isinstance(value, str) and bool(value.strip()) and len(value) <= most and _clean(value)

    return fits, f"must be a text of 1 to {most} signs without control signs"


def _clean(value: str) -> bool:
    """No control signs, and nothing that cannot be encoded (half a surrogate pair)."""
    return all(sign >= " " and not "\ud800" <= sign <= "\udfff" and sign != "\x7f" for sign in value)


def _pattern(rule: str, hint: str) -> Rule:
    whole = re.compile(rule, re.ASCII)
    return lambda value: isinstance(value, str) and whole.fullmatch(value) is not None, hint


def _or_null(rule: Rule) -> Rule:
    fits, hint = rule
    return lambda value: value is None or fits(value), f"{hint}, or null"


def _choice(*words: str) -> Rule:
    return lambda value: isinstance(value, str) and value in words, f"must be one of: {', '.join(words)}"


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_PHONE = _pattern(r"\+?[0-9][0-9-]{4,19}", "must be a telephone number")
_ID = _pattern(r"[0-9A-Za-z._-]{1,64}", "must be 1 to 64 letters, digits, dots, hyphens")
_DAY: Rule = (_is_day, "must be a day as in 2026-03-31")
_FEN: Rule = (lambda value: type(value) is int and 0 < value <= MAX_FEN, f"must be whole fen from 1 to {MAX_FEN}")

RULES: Mapping[str, Mapping[str, Rule]] = {
    "parcels": {
        "waybill_no": _pattern(r"[0-9A-Za-z-]{4,40}", "must be 4 to 40 letters, digits, hyphens"),
        "carrier": _pattern(r"[0-9A-Za-z_-]{1,20}", "must be 1 to 20 letters, digits"),
        "recipient": _or_null(_text(60)),
        "phone": _or_null(_PHONE),
        "address": _or_null(_text(200)),
        "consent": _choice("locker", "shelf", "none"),
        "size": _choice("S", "M", "L"),
    },
    "bills": {
        "bill_id": _ID,
        "biller": _text(60),
        "kind": _choice("water", "power", "gas"),
        "account_no": _pattern(r"[0-9A-Za-z-]{1,40}", "must be 1 to 40 letters, digits, hyphens"),
        "name": _text(60),
        "address": _or_null(_text(200)),
        "period": _text(20),
        "fen": _FEN,
        "due": _DAY,
    },
    "notices": {"notice_id": _ID, "text": _text(500), "valid_until": _DAY},
}
