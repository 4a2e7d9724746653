"""What the reception does for terminals that came with a certificate: their settings, their books, copies of these.

    POST /v1/profile  {number, word, detail: what became of the last one} -> {profile}
    POST /v1/books    {way: up|down, after, mark} -> {log, upto, mark, known, items, codes}
    POST /v1/kept     {digest, size, at, piece} -> {at, whole};  {at} -> {size, digest, piece}

Everybody gets what is their own site's, by the name in the certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.hub import books
from sync.hub.enrolment import Bearer, Enrolments
from sync.hub.kept import Kept
from sync.hub.profiles import Profiles


@dataclass(frozen=True, slots=True)
class ForTerminals:
    """Answers of one hub. Errors: NotNow, StoreFault, ValueError, TypeError or KeyError for a question that is none."""

    enrolments: Enrolments
    profiles: Profiles
    kept: Kept

    def answer(self, path: str, serial: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer a question of the terminal with this certificate; None for an unknown path."""
        bearer = self.enrolments.bearer(serial)
        match path:
            case "/v1/profile":
                return self._profile(bearer, asked)
            case "/v1/books":
                return self._books(bearer, asked)
            case "/v1/kept":
                return self._kept(bearer, asked)
        return None

    def _profile(self, bearer: Bearer, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Hear what became of the last one, and give the newest."""
        if asked.get("word"):
            said = str(asked["word"]), str(asked.get("detail", ""))
            self.profiles.heard(bearer.site, bearer.device, int(asked["number"]), *said)
        file = self.profiles.file(bearer.site, "")
        return {"profile": None if file is None else file.decode()}

    def _books(self, bearer: Bearer, asked: Mapping[str, Any]) -> dict[str, Any]:
        store, after, mark = self.enrolments.store, int(asked["after"]), str(asked["mark"])
        if asked["way"] == "down":
            return books.down_facts(store, bearer.site, after, mark)
        return books.up(store, bearer.site, after, mark) | {"codes": books.codes(store, bearer.site)}

    def _kept(self, bearer: Bearer, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "piece" not in asked:
            return self.kept.give(bearer.site, int(asked["at"]))
        return self.kept.take(bearer.site, self.enrolments.store.keys[bearer.site], dict(asked))
