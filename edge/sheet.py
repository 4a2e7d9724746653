"""The reconciliation sheet: what a point and the hub each count of the same stretch of the log, side by side. Pure.

The stretch goes from the last fact the hub had before an outage to the last one of its backlog. Both sides count for
themselves; the code is made from the counts of one side with the key both share, so that the other can check it: over
the line, from a stick, or read out on the telephone. Where the facts come from is in edge/outages.py and
sync/hub/sheets.py; how a sheet looks is in ui/ and edge/slips.py.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any

from edge.chain import Position
from edge.events import BillAccepted, ParcelArrived, ParcelPickedUp, SheetConfirmed, parse_body

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to be taken for others
CODE_SIGNS = 8  # 40 bits: nobody guesses one for figures of their own, and it is typed in a breath
DAY_MS = 86_400_000
Counted = tuple[str, str, str]  # event id, kind, body


@dataclass(frozen=True, slots=True)
class Figures:
    """What one side counts. Units: fen. `digest`: SHA-256 over the event ids in order, one a line."""

    facts: int
    parcels_in: int
    parcels_out: int
    accepted: int
    accepted_fen: int
    posted: int
    posted_fen: int
    refused: int
    refused_fen: int
    digest: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the money accepted in the stretch, as one side has it in its books."""

    posted: int = 0
    posted_fen: int = 0
    refused: int = 0
    refused_fen: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """The facts after `after` up to `end`, of one site."""

    site: str
    after: int
    end: Position


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page. Units: `since`, `until` UTC ms: when the first fact began to wait, when the hub had the last one.

    Shape: `hub` None until the hub has answered; `code` its confirmation code, "" without; `is_genuine`: it was checked
           with our key. `differences` names the figures that differ, none when both agree.
    """

    stretch: Stretch
    since: int
    until: int
    ours: Figures
    hub: Figures | None = None
    code: str = ""
    is_genuine: bool = False

    @property
    def days(self) -> int:
        """Whole days without a line."""
        return max(0, self.until - self.since) // DAY_MS

    @property
    def hours(self) -> int:
        """Whole hours beside the days."""
        return max(0, self.until - self.since) % DAY_MS // 3_600_000

    @property
    def differences(self) -> tuple[str, ...]:
        if self.hub is None:
            return ()
        return tuple(
            each.name for each in fields(Figures) if getattr(self.ours, each.name) != getattr(self.hub, each.name)
        )

    @property
    def agrees(self) -> bool:
        """Whether the hub has confirmed exactly what we count."""
        return self.hub is not None and self.is_genuine and not self.differences


def tally(counted: Iterable[Counted], settled: Settled) -> Figures:
    """Count the facts of a stretch, in order. A body that cannot be read counts as a fact and no more."""
    facts = parcels_in = parcels_out = accepted = fen = 0
    digest = hashlib.sha256()
    for event, kind, body in counted:
        facts += 1
        digest.update(event.encode() + b"\n")
        name = kind.partition(".")[0]
        parcels_in += name == _name(ParcelArrived)
        parcels_out += name == _name(ParcelPickedUp)
        if name == _name(BillAccepted):
            accepted += 1
            fen += _fen(body)
    money = (settled.posted, settled.posted_fen, settled.refused, settled.refused_fen)
    return Figures(facts, parcels_in, parcels_out, accepted, fen, *money, digest.hexdigest())


def code_of(key: bytes, stretch: Stretch, figures: Figures) -> str:
    """The confirmation code of one side's figures, as in 7KQ2-M0XD."""
    at = stretch.end
    said = (stretch.site, at.log_id, stretch.after, at.upto, at.mark, *astuple(figures))
    mac = hmac.digest(key, b"village-point sheet 1\n" + "\n".join(map(str, said)).encode(), "sha256")
    number = int.from_bytes(mac[:5], "big")
    signs = "".join(SIGNS[number >> 5 * at & 31] for at in range(CODE_SIGNS))
    return f"{signs[:4]}-{signs[4:]}"


def same_code(typed: str, code: str) -> bool:
    """Compare a code as people type it: small letters, blanks, O for 0, I and L for 1."""
    plain = "".join(sign for sign in typed.upper() if sign.isalnum())
    return hmac.compare_digest(plain.translate(str.maketrans("OIL", "011")), code.replace("-", ""))


def confirmation(key: bytes, stretch: Stretch, figures: Figures) -> SheetConfirmed:
    """The hub's side as it travels: its figures and their code."""
    end = stretch.end
    return SheetConfirmed(
        end.log_id, stretch.after, int(end.upto), end.mark, **_plain(figures), code=code_of(key, stretch, figures)
    )


def figures_of(fact: SheetConfirmed) -> Figures:
    """The hub's figures out of its answer."""
    return Figures(**{each.name: getattr(fact, each.name) for each in fields(Figures)})


def to_json(sheet: Sheet) -> dict[str, Any]:
    """A sheet for a command's output."""
    stretch = sheet.stretch
    return {
        "site": stretch.site,
        "log": stretch.end.log_id,
        "after": stretch.after,
        "upto": stretch.end.upto,
        "mark": stretch.end.mark,
        "since": sheet.since,
        "until": sheet.until,
        "days": sheet.days,
        "ours": _plain(sheet.ours),
        "hub": None if sheet.hub is None else _plain(sheet.hub),
        "differences": list(sheet.differences),
        "code": sheet.code,
        "genuine": sheet.is_genuine,
    }


def _plain(figures: Figures) -> Mapping[str, Any]:
    return {each.name: getattr(figures, each.name) for each in fields(figures)}


def _fen(body: str) -> int:
    try:
        fen = parse_body(body).get("fen", 0)
    except ValueError:
        return 0
    return fen if type(fen) is int else 0


def _name(kind: type[BillAccepted | ParcelArrived | ParcelPickedUp]) -> str:
    return kind.kind.partition(".")[0]
