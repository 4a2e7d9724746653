"""Releases that this hub offers: the files in a folder, what they are and their pieces in the database.

A file enters by `add` with the releasing people's signature checked, and goes by its SHA-256 from then on. What is
ordered where is in sync/hub/rollouts.py; the reception hands out what `content` returns.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.release import (
    DIGEST_RULE,
    PIECE,
    Offer,
    Sheet,
    Unfit,
    digest,
    number,
    pieces_bytes,
    sheet_bytes,
    spans,
)
from sync import bundle
from sync.files import sync_folder
from sync.hub.store import HubStore, StoreFault, Tx

FOLDER = "releases"  # in the hub's data folder
BOOK = "releases"
IN_FORCE = "SELECT count(*) FROM certificate WHERE serial = ? AND revoked_at IS NULL AND end_at > ?"


class NotOffered(Exception):
    """Nothing of that name is handed to that caller. `word`: revoked | not_found."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Added:
    """A file that was taken in. `sheet`: the release's sheet with it, by SHA-256."""

    offer: Offer
    version: str
    compatible: str
    sheet: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of one hub. Errors of all: StoreFault."""

    store: HubStore
    data_dir: Path

    def add(self, file: Path, keyring: Path) -> Added:
        """Check a bundle and take a copy of it in. Errors: Unfit, OSError when it cannot be read."""
        told = bundle.read(file, keyring)
        bundle.check_whole(file)
        name, pieces = _pieces(file, told.size)
        listed = pieces_bytes(pieces)
        offer = Offer(name, told.size, told.base, digest(listed))
        self._keep(file, name)
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            is_new = tx.value("SELECT count(*) FROM release_file WHERE sha256 = ?", (name,)) == 0
            if is_new:
                # the same release on the same base, built again, takes the place of the one before
                tx.execute(
                    "DELETE FROM release_file WHERE version = ? AND compatible = ? AND base = ?",
                    (told.version, told.compatible, told.base),
                )
                tx.execute(
                    "INSERT INTO release_file (sha256, version, compatible, base, size, pieces, list, added_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (name, told.version, told.compatible, told.base, told.size, offer.pieces, listed.decode("ascii"),
                     tx.stamp.at),
                )  # fmt: skip
            sheet = sheet_of(tx, told.version, told.compatible)
        return Added(offer, told.version, told.compatible, sheet, is_new)

    def listed(self) -> list[dict[str, Any]]:
        """Every file offered, the newest release first."""
        with self.store.reading() as tx:
            rows = list(tx.rows("SELECT sha256, version, compatible, base, size, added_at FROM release_file"))
        return sorted(rows, key=lambda row: (number(row["version"]), row["compatible"], row["base"]), reverse=True)

    def content(self, serial: str, name: str, span: tuple[int, int] | None) -> bytes:
        """What a terminal with this certificate may have: a text whole, or a part of a file. Errors: NotOffered."""
        if not re.fullmatch(DIGEST_RULE, name):
            raise NotOffered("not_found")
        with self.store.reading() as tx:
            if not tx.value(IN_FORCE, (serial, tx.stamp.at)):
                raise NotOffered("revoked")
            text = tx.value("SELECT content FROM release_sheet WHERE digest = ?", (name,))
            if text is None:
                text = tx.value("SELECT list FROM release_file WHERE pieces = ?", (name,))
            size = tx.value("SELECT size FROM release_file WHERE sha256 = ?", (name,))
        if text is not None and span is None:
            return str(text).encode("ascii")
        if size is None or span is None or span[1] > size or span[1] - span[0] > PIECE:
            raise NotOffered("not_found")
        return self._part(name, span)

    def _part(self, name: str, span: tuple[int, int]) -> bytes:
        try:
            with (self.data_dir / FOLDER / name).open("rb") as opened:
                return os.pread(opened.fileno(), span[1] - span[0], span[0])
        except OSError as error:
            raise StoreFault("disk", f"the release {name} cannot be read: {error.strerror}") from error

    def _keep(self, file: Path, name: str) -> None:
        folder = self.data_dir / FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / f".{name}.part"
            shutil.copyfile(file, part)
            with part.open("rb") as opened:
                os.fsync(opened.fileno())
            part.replace(folder / name)
            sync_folder(folder)
        except OSError as error:
            raise StoreFault("disk", f"the release cannot be kept in {folder}: {error.strerror}") from error


def sheet_of(tx: Tx, version: str, compatible: str) -> str:
    """Write down the sheet of a release as its files stand now; return its digest. Errors: Unfit not_ours."""
    rows = tx.rows(
        "SELECT sha256, size, base, pieces FROM release_file WHERE version = ? AND compatible = ?",
        (version, compatible),
    )
    offers = tuple(Offer(row["sha256"], row["size"], row["base"], row["pieces"]) for row in rows)
    if not offers:
        raise Unfit("not_ours", f"there is no release {version} for {compatible}")
    text = sheet_bytes(Sheet(version, compatible, offers))
    tx.execute(
        "INSERT INTO release_sheet (digest, version, compatible, content) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (digest) DO NOTHING",
        (digest(text), version, compatible, text.decode("ascii")),
    )
    return digest(text)


def boards(tx: Tx, version: str) -> list[str]:
    """The kinds of boards a release is there for."""
    found = tx.rows("SELECT DISTINCT compatible FROM release_file WHERE version = ? ORDER BY compatible", (version,))
    return [str(row["compatible"]) for row in found]


def _pieces(file: Path, size: int) -> tuple[str, list[str]]:
    """The SHA-256 of a file and of each of its pieces."""
    whole, pieces = hashlib.sha256(), []
    with file.open("rb") as opened:
        for first, end in spans(size):
            piece = opened.read(end - first)
            whole.update(piece)
            pieces.append(digest(piece))
    return whole.hexdigest(), pieces
