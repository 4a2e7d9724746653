"""What a release is: its version, the sheet that names its files, their pieces; and which file a terminal takes. Pure.

A sheet is JSON and goes by its SHA-256: an order names the sheet, the sheet names each file and the list of its
pieces, the list names each piece. So all that travels is proven from the order on, whoever passes it on. Whether a
file may be installed is decided by its own signature, which is the releasing people's and not the hub's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PIECE = 256 * 1024  # bytes: 8 s on a line of 256 kbit/s; what is lost at most when a piece comes damaged
MAX_BUNDLE = 512 * 1024 * 1024  # as max-bundle-download-size of the image
MAX_SHEET = 64 * 1024
MAX_PIECES_LIST = 192 * 1024  # bytes of the longest list: 2,048 pieces of 64 digits with quotes and commas
VERSION_RULE = r"\d{1,5}(?:\.\d{1,5}){1,3}"
DIGEST_RULE = r"[0-9a-f]{64}"
# Why a release is not taken, as one word; the sentence for people is said where people read.
REFUSALS = (
    "bad_signature", "foreign_key", "no_keyring", "older", "same", "other_board", "half", "damaged", "too_large",
    "disk_full", "wrong_base", "no_slots", "not_ours", "expired", "not_written",
)  # fmt: skip


class BadSheet(ValueError):
    """A sheet, a list of pieces or a version that cannot be read."""


class Unfit(Exception):
    """A release that is not taken. `word`: one of REFUSALS; `detail` for the log."""

    def __init__(self, word: str, detail: str = "") -> None:
        super().__init__(f"{word}: {detail}" if detail else word)
        self.word = word
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Offer:
    """One file of a release. `base`: the version it builds on, empty for a whole one; `pieces`: SHA-256 of the list."""

    sha256: str
    size: int
    base: str
    pieces: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One release for one kind of board."""

    version: str
    compatible: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """What this terminal runs: `version` and `compatible` of its image."""

    version: str
    compatible: str


def number(version: str) -> tuple[int, ...]:
    """A version as it is compared. Errors: BadSheet."""
    if not re.fullmatch(VERSION_RULE, version):
        raise BadSheet(f"not a version: {version[:40]!r}")
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


def check(version: str, compatible: str, running: Running, *, force: bool = False) -> None:
    """Refuse what is not for this board or not newer; `force` lets an older or the same one pass. Errors: Unfit."""
    if compatible != running.compatible:
        raise Unfit("other_board", f"for {compatible}, this is {running.compatible}")
    if force:
        return
    if number(version) < number(running.version):
        raise Unfit("older", f"{version} is older than {running.version}")
    if number(version) == number(running.version):
        raise Unfit("same", f"{version} runs already")


def choose(sheet: Sheet, running: Running, *, whole: bool = False) -> Offer:
    """The smallest file that this terminal can use; `whole` passes over those that build on the running release.

    Errors: Unfit wrong_base when there is none.
    """
    fits = [offer for offer in sheet.offers if not offer.base or (offer.base == running.version and not whole)]
    if not fits:
        raise Unfit("wrong_base", f"nothing that can be put on {running.version}")
    return min(fits, key=lambda offer: offer.size)


def digest(content: bytes) -> str:
    """The name of a sheet, a list, a piece or a file."""
    return hashlib.sha256(content).hexdigest()


def spans(size: int) -> list[tuple[int, int]]:
    """First byte and end of every piece of a file."""
    return [(first, min(first + PIECE, size)) for first in range(0, size, PIECE)]


def sheet_bytes(sheet: Sheet) -> bytes:
    """The one text of a sheet."""
    offers = [
        {"sha256": each.sha256, "size": each.size, "base": each.base, "pieces": each.pieces}
        for each in sorted(sheet.offers, key=lambda offer: (offer.base, offer.sha256))
    ]
    table = {"version": sheet.version, "compatible": sheet.compatible, "files": offers}
    return json.dumps(table, sort_keys=True, separators=(",", ":")).encode("ascii")


def read_sheet(content: bytes) -> Sheet:
    """Read a sheet. Errors: BadSheet."""
    table = _json(content, dict)
    offers = tuple(_offer(each) for each in _field(table, "files", list))
    version, compatible = _field(table, "version", str), _field(table, "compatible", str)
    number(version)
    if not offers or not re.fullmatch(r"[a-z0-9-]{1,60}", compatible):
        raise BadSheet("a sheet without files or board")
    return Sheet(version, compatible, offers)


def pieces_bytes(pieces: Sequence[str]) -> bytes:
    """The one text of a list of pieces."""
    return json.dumps(list(pieces), separators=(",", ":")).encode("ascii")


def read_pieces(content: bytes, size: int) -> tuple[str, ...]:
    """Read the list of a file of that size. Errors: BadSheet."""
    pieces = _json(content, list)
    if len(pieces) != len(spans(size)) or not all(isinstance(p, str) and re.fullmatch(DIGEST_RULE, p) for p in pieces):
        raise BadSheet("not the pieces of this file")
    return tuple(pieces)


def _offer(table: Any) -> Offer:
    if not isinstance(table, dict):
        raise BadSheet("a file that is no object")
    offer = Offer(
        _field(table, "sha256", str),
        _field(table, "size", int),
        _field(table, "base", str),
        _field(table, "pieces", str),
    )
    if not re.fullmatch(DIGEST_RULE, offer.sha256) or not re.fullmatch(DIGEST_RULE, offer.pieces):
        raise BadSheet("a file without its digest")
    if not 0 < offer.size <= MAX_BUNDLE:
        raise BadSheet("a file of no possible size")
    if offer.base:
        number(offer.base)
    return offer


def _json(content: bytes, form: type) -> Any:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadSheet("no JSON") from error
    if not isinstance(found, form):
        raise BadSheet(f"no {form.__name__}")
    return found


def _field(table: Mapping[str, Any], name: str, form: type) -> Any:
    value = table.get(name)
    if type(value) is not form:
        raise BadSheet(f"{name} is missing")
    return value
