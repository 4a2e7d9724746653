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
from sync.hub.down import DownLog
from sync.hub.store import HubStore, Tx

MAX_FILE_BYTES = 64 * 1024 * 1024  # 100,000 parcels are about 25 MB; more is sent as several files
MAX_FEN = 10_000_000  # 100,000 yuan: no household's bill
LISTS = ("parcels", "bills", "notices")
ACTIVE = f"state NOT IN ('{ParcelState.PICKED_UP}', '{ParcelState.RETURNED}')"
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
    return {key: content.get(key, []) for key in LISTS}


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
    tx.hold(site)
    down = DownLog(tx, site)
    counts: dict[str, int] = {}
    writers = {"parcels": _parcel, "bills": _bill, "notices": _notice}
    for where, writer in writers.items():
        counts[where] = 0
        for index, row in enumerate(content[where]):
            fact = writer(tx, site, row, index)
            if fact is not None:
                down.append(fact)
                counts[where] += 1
    total = sum(len(rows) for rows in content.values())
    return Sent(counts["parcels"], counts["bills"], counts["notices"], total - sum(counts.values()))


def _parcel(tx: Tx, site: SiteCode, row: dict[str, Any], index: int) -> Fact | None:
    no, carrier = row["waybill_no"], row["carrier"]
    ident = _completed(tx, site, row)
    if ident is None:
        known = "SELECT 1 FROM parcel WHERE site = ? AND waybill_no = ? AND (carrier = ? OR carrier IS NULL)"
        if tx.value(known, (site, no, carrier)):
            return None
        if tx.value(f"SELECT 1 FROM parcel WHERE site = ? AND waybill_no = ? AND {ACTIVE}", (site, no)):  # noqa: S608
            raise BadManifest([Mistake("parcels", index, "waybill_no", "is expected from another carrier already")])
        ident = parcel_id(site, carrier, no)
        personal = (row["recipient"], row["phone"], row["address"])
        tx.execute(
            "INSERT INTO parcel (site, parcel, state, waybill_no, carrier, recipient, phone, address, consent, size, "
            "changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (site, ident, ParcelState.EXPECTED, no, carrier, *personal, row["consent"], row["size"], tx.stamp.at),
        )
    return _announced(ident, row)


def _completed(tx: Tx, site: SiteCode, row: dict[str, Any]) -> str | None:
    """Complete a parcel that came to the point before its row; return the id the point gave it, None if there is none.

    Only such a parcel has no size. The row corrects the carrier and the phone that were taken at the counter, as the
    point does with the same announcement; a consent given there stays.
    """
    late: str | None = tx.value(
        f"SELECT parcel FROM parcel WHERE site = ? AND waybill_no = ? AND size IS NULL AND {ACTIVE}",  # noqa: S608
        (site, row["waybill_no"]),
    )
    if late is not None:
        tx.execute(
            "UPDATE parcel SET carrier = ?, recipient = coalesce(?, recipient), phone = coalesce(?, phone), "
            "address = coalesce(?, address), consent = coalesce(consent, ?), size = ? WHERE site = ? AND parcel = ?",
            (*(row[field] for field in ("carrier", "recipient", "phone", "address", "consent", "size")), site, late),
        )
    return late


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


def _bill(tx: Tx, site: SiteCode, row: dict[str, Any], index: int) -> Fact | None:
    ident, fen = row["bill_id"], row["fen"]
    for told in tx.rows("SELECT site, fen, account_no, period FROM bill WHERE bill = ?", (ident,)):
        if (told["fen"], told["account_no"], told["period"]) != (fen, row["account_no"], row["period"]):
            raise BadManifest([Mistake("bills", index, "bill_id", "names another bill already")])
        if told["site"] == site:
            return None
    who = (row["biller"], row["kind"], row["account_no"], row["name"], row["address"], row["period"])
    tx.execute(
        "INSERT INTO bill (site, bill, biller, sort, account_no, name, address, period, fen, due, state, changed_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (site, ident, *who, fen, row["due"], BillState.UNPAID, tx.stamp.at),
    )
    address = Address(row["address"]) if row["address"] else None
    account, name = AccountNo(row["account_no"]), Name(row["name"])
    return BillIssued(ident, row["biller"], row["kind"], account, name, address, row["period"], fen, row["due"])


def _notice(tx: Tx, site: SiteCode, row: dict[str, Any], _index: int) -> Fact | None:
    ident = row["notice_id"]
    if tx.value("SELECT 1 FROM notice WHERE site = ? AND notice = ?", (site, ident)):
        return None
    tx.execute(
        "INSERT INTO notice (site, notice, text, valid_until, at) VALUES (?, ?, ?, ?, ?)",
        (site, ident, row["text"], row["valid_until"], tx.stamp.at),
    )
    return NoticePublished(ident, row["text"], row["valid_until"])


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
