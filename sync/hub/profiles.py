"""The settings of each site as the hub keeps them: every version, and what terminals said of one they could not use.

What may stand in a profile is the terminal's own rule (edge/config.py, edge/site_profile.py); options of devices are
known to the drivers alone, so the terminal has the last word and says it (`refusal`). The tables lie in the hub's
database and are made at the first use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import site_profile
from edge.model import SiteCode
from sync.hub.authority import Authority
from sync.hub.database import Values
from sync.hub.store import HubStore, StoreFault, Tx
from sync.profile import Profile, signed

TABLES = (
    "CREATE TABLE IF NOT EXISTS profile (site TEXT NOT NULL, number BIGINT NOT NULL, text TEXT NOT NULL, "
    "digest TEXT NOT NULL, note TEXT NOT NULL, made_at BIGINT NOT NULL, PRIMARY KEY (site, number))",
    "CREATE TABLE IF NOT EXISTS profile_said (site TEXT NOT NULL, device TEXT NOT NULL, number BIGINT NOT NULL, "
    "word TEXT NOT NULL, detail TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (site, device))",
)
BOOK = "profile"
USED = "used"  # the word of a terminal that took a profile
MAX_DETAIL = 4_000  # signs kept of a terminal's list of mistakes
WORDS = (USED, "damaged", "altered", "other_district", "other_site", "other_device", "expired", "version", "invalid")


@dataclass(frozen=True, slots=True)
class Profiles:
    """The tables of one hub. `files`: profiles named in the settings, for sites without one here.

    Every call is one transaction. Errors of all: StoreFault.
    """

    store: HubStore
    authority: Authority
    files: dict[SiteCode, Path]

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        with self.store.transaction() as tx:
            for statement in TABLES:
                tx.execute(statement)

    def set(self, site: SiteCode, file: Path, note: str = "") -> int:
        """Keep a new version; return its number, that of the newest when nothing is different.

        Errors: ConfigError with every mistake and its line; BadProfile other_site, other_district; NoAuthority.
        """
        text = site_profile.read_text(file)
        site_profile.check(text, file, site, self.authority.fingerprint())
        digest = hashlib.sha256(text.encode()).hexdigest()
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            newest = _newest(tx, site)
            if newest is not None and newest["digest"] == digest:
                return int(newest["number"])
            number = 1 if newest is None else int(newest["number"]) + 1
            row: Values = (site, number, text, digest, note, tx.stamp.at)
            tx.execute("INSERT INTO profile (site, number, text, digest, note, made_at) VALUES (?, ?, ?, ?, ?, ?)", row)
            return number

    def history(self, site: SiteCode) -> list[dict[str, Any]]:
        """Every version, the oldest first, without its text; and what terminals said of it last."""
        with self.store.reading() as tx:
            said = {row["number"]: row for row in tx.rows("SELECT * FROM profile_said WHERE site = ?", (site,))}
            rows = tx.rows("SELECT number, digest, note, made_at FROM profile WHERE site = ? ORDER BY number", (site,))
            return [row | _said(said.get(row["number"])) for row in rows]

    def text(self, site: SiteCode, number: int | None = None) -> str | None:
        """A version's text, the newest when none is named; None where there is none."""
        found = self._found(site, number)
        return None if found is None else str(found["text"])

    def file(self, site: SiteCode, device: str, until: int = 0) -> bytes | None:
        """The newest version, signed: for the terminal with this claim code, empty for any. None where there is none.

        Errors: NoAuthority.
        """
        found = self._found(site, None)
        if found is None:
            return None
        made, number = int(found["made_at"]) // 1000, int(found["number"])
        profile = Profile(site, self.authority.fingerprint(), device, number, made, until, str(found["text"]))
        return signed(profile, self.authority.certificate(), self.authority.sign)

    def heard(self, site: SiteCode, device: str, number: int, word: str, detail: str) -> None:
        """Keep what a terminal said of a profile: that it uses it, or why it cannot."""
        if word not in WORDS:
            raise ValueError(word)
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            tx.execute(
                "INSERT INTO profile_said (site, device, number, word, detail, at) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (site, device) DO UPDATE SET number = excluded.number, word = excluded.word, "
                "detail = excluded.detail, at = excluded.at",
                (site, device, number, word, detail.replace("\0", "")[:MAX_DETAIL], tx.stamp.at),
            )

    def _found(self, site: SiteCode, number: int | None) -> dict[str, Any] | None:
        with self.store.reading() as tx:
            if number is not None:
                return tx.row("SELECT * FROM profile WHERE site = ? AND number = ?", (site, number))
            newest = _newest(tx, site)
        return newest if newest is not None else self._from_file(site)

    def _from_file(self, site: SiteCode) -> dict[str, Any] | None:
        file = self.files.get(site)
        if file is None:
            return None
        try:
            return {"text": file.read_text("utf-8")[: site_profile.MAX_TEXT], "number": 0, "made_at": 0}
        except (OSError, UnicodeDecodeError) as error:
            raise StoreFault("disk", f"the profile {file} cannot be read") from error


def _newest(tx: Tx, site: SiteCode) -> dict[str, Any] | None:
    return tx.row("SELECT * FROM profile WHERE site = ? ORDER BY number DESC LIMIT 1", (site,))


def _said(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {"said": row["word"], "device": row["device"], "mistakes": row["detail"].splitlines(), "said_at": row["at"]}
