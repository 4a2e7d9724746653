"""Who asked to be let in, who was, and which certificates were given and taken back: tables of their own.

The tables lie in the hub's database and are made at the first use; statements stay within what SQLite and PostgreSQL
share. HTTPS is in sync/hub/reception.py, signing in sync/hub/authority.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from edge.model import SiteCode
from sync import x509
from sync.hub.authority import Authority, Revoked, is_due
from sync.hub.store import HubStore, Tx
from sync.x509 import Span, Subject

TABLES = (
    "CREATE TABLE IF NOT EXISTS enrolment (device_key TEXT PRIMARY KEY, code TEXT NOT NULL, request TEXT NOT NULL, "
    "device TEXT NOT NULL, wish TEXT NOT NULL, peer TEXT NOT NULL, asked_at BIGINT NOT NULL, state TEXT NOT NULL, "
    "site TEXT, decided_at BIGINT, sealed TEXT)",
    "CREATE TABLE IF NOT EXISTS certificate (serial TEXT PRIMARY KEY, site TEXT NOT NULL, device TEXT NOT NULL, "
    "device_key TEXT NOT NULL, pem TEXT NOT NULL, begin_at BIGINT NOT NULL, end_at BIGINT NOT NULL, "
    "revoked_at BIGINT, reason TEXT)",
    "CREATE INDEX IF NOT EXISTS certificate_by_site ON certificate (site)",
)
MAX_WAITING = 1_000  # a district of 350 points enrolled in one week; each waits in about 1 KB
MAX_WAITING_OF_PEER = 20  # several terminals in one workshop share an address
FORGET_MS = 7 * 24 * 3_600_000  # who was not approved within a week asks anew
DEVICE_SIGNS = 12
BOOK = "enrolment"  # one at a time, where a database lets several write: a code is approved once


class NotNow(Exception):
    """The hub refuses. `word` for a machine: full | unknown_code | unknown_site | occupied | revoked | unknown."""

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device that asked is told. `state`: waiting | granted | refused; the rest only when granted."""

    state: str
    code: str
    site: str = ""
    certificate: str = ""
    sealed: str = ""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A terminal that came with a certificate in force."""

    site: SiteCode
    device: str


@dataclass(frozen=True, slots=True)
class Enrolments:
    """The tables of one hub. Every call is one transaction. Errors of all: StoreFault."""

    store: HubStore
    authority: Authority
    days: int

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        with self.store.transaction() as tx:
            for statement in TABLES:
                tx.execute(statement)

    def ask(self, request: x509.Request, wish: str, peer: str) -> Answer:
        """Take a device's request, or answer the one it repeats. Errors: NotNow, NoAuthority."""
        authority = self.authority.fingerprint()
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            key = _hashed(request.public_key)
            found = tx.row("SELECT * FROM enrolment WHERE device_key = ?", (key,))
            if found is not None:
                return _answer(tx, found)
            self._make_room(tx, peer)
            code = x509.claim_code(request.public_key, authority)
            row = (key, code, request.pem, key[:DEVICE_SIGNS], wish, peer, tx.stamp.at, "waiting")
            tx.execute(
                "INSERT INTO enrolment (device_key, code, request, device, wish, peer, asked_at, state) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            return Answer("waiting", code)

    def approve(self, code: str, site: SiteCode, *, replace: bool = False) -> str:
        """Let the device with this code in as `site`; return its certificate's serial.

        `replace`: the certificates of the device that was there end. Errors: NotNow, NoAuthority, x509.BadPem.
        """
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            found = tx.row("SELECT * FROM enrolment WHERE code = ? AND state = 'waiting'", (normal(code),))
            if found is None:
                raise NotNow("unknown_code", f"no device waits with the code {normal(code)}")
            if site not in self.store.keys:
                raise NotNow("unknown_site", f"site {site!r} is not in the settings")
            if found["wish"] and found["wish"] != site:
                raise NotNow("unknown_site", f"the device was set up as {found['wish']}, not as {site}")
            self._clear_site(tx, site, replace=replace)
            request = x509.read_request(found["request"])
            serial = self._give(tx, Subject(site, found["device"]), request)
            sealed = x509.seal(request.public_key, self.store.keys[site]).hex()
            tx.execute(
                "UPDATE enrolment SET state = 'granted', site = ?, decided_at = ?, sealed = ? WHERE device_key = ?",
                (site, tx.stamp.at, sealed, found["device_key"]),
            )
            self._publish(tx)
            return serial

    def refuse(self, code: str) -> None:
        """Send a waiting device away. Errors: NotNow."""
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            done = tx.execute(
                "UPDATE enrolment SET state = 'refused', decided_at = ? WHERE code = ? AND state = 'waiting'",
                (tx.stamp.at, normal(code)),
            )
            if done.rowcount == 0:
                raise NotNow("unknown_code", f"no device waits with the code {normal(code)}")

    def renew(self, serial: str, request: x509.Request) -> str:
        """Give a terminal its next certificate, PEM; the same again for the same key.

        `serial`: of the certificate it came with. Errors: NotNow, NoAuthority.
        """
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            old = _bearer(tx, serial)
            key = _hashed(request.public_key)
            again = tx.row(
                "SELECT * FROM certificate WHERE device_key = ? AND site = ? AND revoked_at IS NULL "
                "ORDER BY end_at DESC LIMIT 1",
                (key, old["site"]),
            )
            if again is not None and not is_due(_span(again), _when(tx.stamp.at)):
                return str(again["pem"])
            serial = self._give(tx, Subject(old["site"], old["device"]), request)
            return str(tx.value("SELECT pem FROM certificate WHERE serial = ?", (serial,)))

    def bearer(self, serial: str) -> Bearer:
        """Who came with this certificate. Errors: NotNow when it was taken back or is not ours."""
        with self.store.reading() as tx:
            row = _bearer(tx, serial)
            return Bearer(SiteCode(row["site"]), str(row["device"]))

    def revoke(self, named: str, reason: str) -> list[str]:
        """Take back all certificates of a site, or one by its serial, and publish the list. Return the serials.

        Errors: NotNow when none is in force, NoAuthority.
        """
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            serials = self._in_force(tx, named)
            if not serials:
                raise NotNow("unknown", f"no certificate in force has the site or serial {named!r}")
            for serial in serials:
                _revoke(tx, serial, reason)
            self._publish(tx)
            return serials

    def publish(self) -> None:
        """Write the list of what was taken back anew. Errors: NoAuthority."""
        with self.store.transaction() as tx:
            tx.hold(BOOK)
            self._publish(tx)

    def waiting(self) -> list[dict[str, Any]]:
        """Who asked, newest last; no keys inside."""
        with self.store.reading() as tx:
            return list(
                tx.rows(
                    "SELECT code, state, wish, site, device, peer, asked_at, decided_at FROM enrolment "
                    "ORDER BY asked_at, code"
                )
            )

    def certificates(self) -> list[dict[str, Any]]:
        """Every certificate given, by site."""
        with self.store.reading() as tx:
            return list(
                tx.rows(
                    "SELECT site, serial, device, begin_at, end_at, revoked_at, reason FROM certificate "
                    "ORDER BY site, begin_at, serial"
                )
            )

    # --- inside ---------------------------------------------------------------------------------------------------

    def _make_room(self, tx: Tx, peer: str) -> None:
        tx.execute("DELETE FROM enrolment WHERE asked_at < ? AND state <> 'granted'", (tx.stamp.at - FORGET_MS,))
        waiting = tx.value("SELECT COUNT(*) FROM enrolment WHERE state = 'waiting'")
        of_peer = tx.value("SELECT COUNT(*) FROM enrolment WHERE state <> 'granted' AND peer = ?", (peer,))
        if waiting >= MAX_WAITING or of_peer >= MAX_WAITING_OF_PEER:
            raise NotNow("full", "too many devices wait for approval")

    def _clear_site(self, tx: Tx, site: SiteCode, *, replace: bool) -> None:
        for serial in self._in_force(tx, site):
            if not replace:
                raise NotNow("occupied", f"a terminal of {site} is in force; --replace ends its certificates")
            _revoke(tx, serial, "replaced")

    def _in_force(self, tx: Tx, named: str) -> list[str]:
        rows = tx.rows(
            "SELECT serial FROM certificate WHERE (site = ? OR serial = ?) AND revoked_at IS NULL AND end_at > ? "
            "ORDER BY serial",
            (named, named.lower(), tx.stamp.at),
        )
        return [str(row["serial"]) for row in rows]

    def _give(self, tx: Tx, subject: Subject, request: x509.Request) -> str:
        now = _when(tx.stamp.at)
        pem = self.authority.grant(subject, request.public_key, Span(now, now + timedelta(days=self.days)))
        made = x509.describe(pem)
        span = (_ms(made.span.begin), _ms(made.span.end))
        tx.execute(
            "INSERT INTO certificate (serial, site, device, device_key, pem, begin_at, end_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made.serial, subject.name, subject.device, _hashed(request.public_key), pem.decode("ascii"), *span),
        )
        return made.serial

    def _publish(self, tx: Tx) -> None:
        rows = tx.rows(
            "SELECT serial, revoked_at FROM certificate WHERE revoked_at IS NOT NULL AND end_at > ? ORDER BY serial",
            (tx.stamp.at,),
        )
        revoked = [Revoked(str(row["serial"]), _when(row["revoked_at"])) for row in rows]
        self.authority.publish_revoked(revoked, _when(tx.stamp.at))


def normal(code: str) -> str:
    """A code as people write it, as it is kept: capital letters, groups joined by hyphens."""
    signs = "".join(sign for sign in code.upper() if sign.isalnum())
    groups = [signs[at : at + x509.CODE_GROUP] for at in range(0, len(signs), x509.CODE_GROUP)]
    return "-".join(groups)


def _answer(tx: Tx, found: dict[str, Any]) -> Answer:
    if found["state"] != "granted":
        return Answer(found["state"], found["code"])
    pem = tx.value(
        "SELECT pem FROM certificate WHERE device_key = ? AND revoked_at IS NULL ORDER BY end_at DESC LIMIT 1",
        (found["device_key"],),
    )
    if pem is None:
        return Answer("refused", found["code"])
    return Answer("granted", found["code"], found["site"], pem, found["sealed"])


def _bearer(tx: Tx, serial: str) -> dict[str, Any]:
    """The row of a certificate in force. Errors: NotNow."""
    row = tx.row("SELECT * FROM certificate WHERE serial = ?", (serial,))
    if row is None:
        raise NotNow("unknown", "this certificate was not given by this hub")
    if row["revoked_at"] is not None:
        raise NotNow("revoked", "this certificate was taken back")
    return row


def _revoke(tx: Tx, serial: str, reason: str) -> None:
    tx.execute("UPDATE certificate SET revoked_at = ?, reason = ? WHERE serial = ?", (tx.stamp.at, reason, serial))


def _span(row: dict[str, Any]) -> Span:
    return Span(_when(row["begin_at"]), _when(row["end_at"]))


def _when(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _hashed(public_key: bytes) -> str:
    return hashlib.sha256(public_key).hexdigest()
