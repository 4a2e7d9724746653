"""What a terminal says to the hub's reception over HTTPS: who are you, let me in, renew me, my settings, the time.

Blocking calls with time-outs; a loop runs them in a helper thread. The only import of requests. What is kept on disk
is in sync/identity.py, when to call in sync/renewal.py.

First contact trusts one thing: the fingerprint of the district's authority, which stands in the settings and is no
secret. The authority's certificate may then come over any line; nothing else is said before it fits.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from edge.release import MAX_PIECES_LIST
from sync import x509
from sync.dial import Tls, context, word_of
from sync.identity import Identity
from sync.true_time import TrueTime

TIME_OUT_S = (10.0, 20.0)  # to connect, to answer: a line of 256 kbit/s with a second of latency
MAX_ANSWER = 512 * 1024  # bytes; the largest signed settings file, quoted twice, is a little less
CHUNK = 16 * 1024  # bytes of a release handed on at once
TIME_HOLDS_S = 300.0  # the monotonic clock carries it on; a hub's own clock is put right within that
CLAIM_SCHEME = "VPCLAIM:1:"  # what the QR code says before the code


class EnrolFault(Exception):
    """It did not work. `word`: line | wrong_hub | hub_clock | a word of TlsRefused | a word of the hub's refusal."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the reception is. `fingerprint`: SHA-256 of the authority's certificate, 64 hex digits."""

    host: str
    port: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claim:
    """How our request stands. `state`: waiting | granted | refused; `site` and `profile` when granted."""

    state: str
    code: str
    site: str = ""
    profile: str | None = None

    @property
    def qr(self) -> str:
        """The content of the QR code: the code with a word before it, so that no scanner takes it for a parcel."""
        return CLAIM_SCHEME + self.code


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    date: str
    body: bytes


class Enroller:
    """Speaks for one terminal. Errors of all methods: EnrolFault, OSError for the disk."""

    def __init__(self, desk: Desk, identity: Identity, time: TrueTime) -> None:
        self._desk = desk
        self._identity = identity
        self._time = time

    def meet(self) -> None:
        """Fetch the authority's certificate and check its fingerprint, once."""
        if not self._identity.authority_file.exists():
            with self._identity.alone():
                if not self._believed(self._offered_authority()):
                    raise EnrolFault("wrong_hub", "the far end is not the hub whose fingerprint is in the settings")

    def ask(self, wish: str) -> Claim:
        """Ask to be let in, or ask again; when granted, the identity is complete on disk. `wish`: a site, or empty."""
        self.meet()
        self._know_time()
        with self._identity.alone():
            key = self._identity.claim_key()
            code = x509.claim_code(x509.public_of(key), self._desk.fingerprint.lower())
            told = self._post("enrolment", {"request": x509.request(key, wish, ""), "wish": wish}, certified=False)
            if told.get("code") != code:
                raise EnrolFault("bad_answer", "the hub knows this device by another code")
            if told.get("state") != "granted":
                return Claim(str(told.get("state")), code)
            site, pem, sealed = (_text(told, name) for name in ("site", "certificate", "sealed"))
            self._identity.let_in(site, pem.encode("ascii"), bytes.fromhex(sealed))
            profile = told.get("profile")
            return Claim("granted", code, site, None if profile is None else str(profile))

    def profile(self, said: Mapping[str, str | int] | None = None) -> bytes | None:
        """Fetch the settings the hub has for our site, signed; None when it has none yet.

        `said`: number, word and detail of the one before, for the people of the hub.
        """
        self._know_time()
        told = self._post("profile", said or {}, certified=True)
        profile = told.get("profile")
        return None if profile is None else str(profile).encode()

    def say(self, what: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the reception something, as the terminal we were let in as; `ask_time` comes before the first of them."""
        return self._post(what, content, certified=True)

    def renew(self) -> None:
        """Fetch the next certificate with the one in force, and change over to it."""
        self.ask_time()
        with self._identity.alone():
            key = self._identity.next_key()
            own = self._identity.certificate()
            told = self._post("renewal", {"request": x509.request(key, own.name, own.device)}, certified=True)
            self._identity.renewed(_text(told, "certificate").encode("ascii"))

    def ask_time(self) -> None:
        """Hear the hub's time: from the hub itself, but whatever time its certificate is for.

        A clock that is years off would else end every talk before it begins. An old certificate of the hub that was
        stolen could lie about the time here; it could not go back before our own certificate was made, and gets
        nothing: all that is said later is for the authority's eyes and checked against its key.
        """
        answer = self._call("time", None, check_time=False, certified=False)
        try:
            hub_s = parsedate_to_datetime(answer.date).timestamp()
        except (ValueError, TypeError) as error:
            raise EnrolFault("bad_answer", "the hub does not tell the time") from error
        if self._identity.is_enrolled and hub_s < self._identity.certificate().span.begin.timestamp():
            raise EnrolFault("wrong_hub", "the hub tells a time before our own certificate was made")
        self._time.heard(hub_s)

    def _know_time(self) -> None:
        """Ask for it now and then: who waits for an approval asks every few seconds, for hours."""
        if not self._time.heard_within(TIME_HOLDS_S):
            self.ask_time()

    def fetch(self, name: str, span: tuple[int, int] | None, sink: Callable[[bytes], None]) -> None:
        """Fetch what has this SHA-256 among the hub's releases, or first byte to end of it, into `sink` as it comes.

        `sink` may rest, which slows the line down, and raise, which ends it. What came before an error counts.
        """
        left = MAX_PIECES_LIST if span is None else span[1] - span[0]
        asked = {} if span is None else {"Range": f"bytes={span[0]}-{span[1] - 1}"}
        with self._open(f"release/{name}", None, asked, certified=True) as answer:
            if answer.status_code not in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
                _refused(answer.status_code, _told(answer.raw.read(MAX_ANSWER)))
            while left > 0 and (chunk := answer.raw.read(min(CHUNK, left))):
                left -= len(chunk)
                sink(chunk)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _believed(self, pem: bytes) -> bool:
        try:
            return self._identity.keep_authority(pem, self._desk.fingerprint)
        except x509.BadPem:
            return False

    def _offered_authority(self) -> bytes:
        unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unchecked.check_hostname = False
        unchecked.verify_mode = ssl.CERT_NONE  # what comes is believed by its fingerprint alone
        line = http.client.HTTPSConnection(self._desk.host, self._desk.port, timeout=TIME_OUT_S[1], context=unchecked)
        try:
            line.request("GET", "/v1/authority")
            answer = line.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise EnrolFault("busy", "the hub's reception has no time for us now")
            return answer.read(x509.MAX_PEM)
        except (OSError, http.client.HTTPException) as error:
            raise EnrolFault("line", f"the hub's reception cannot be reached: {error}") from error
        finally:
            line.close()

    def _post(self, what: str, content: Mapping[str, Any], *, certified: bool) -> dict[str, Any]:
        answer = self._call(what, content, check_time=self._time.wrong_by_s == 0, certified=certified)
        told = _told(answer.body)
        _refused(answer.status, told)
        return told

    def _call(self, what: str, content: Mapping[str, Any] | None, *, check_time: bool, certified: bool) -> _Answer:
        with self._open(what, content, {}, check_time=check_time, certified=certified) as answer:
            body = answer.raw.read(MAX_ANSWER)  # bounded, unlike .content
            return _Answer(answer.status_code, answer.headers.get("Date", ""), body)

    @contextmanager
    def _open(
        self, what: str, content: Mapping[str, Any] | None, headers: Mapping[str, str], *,
        certified: bool, check_time: bool | None = None,
    ) -> Iterator[requests.Response]:  # fmt: skip
        """One call; errors of its reading, too, are EnrolFault."""
        method = "GET" if content is None else "POST"
        is_checked = self._time.wrong_by_s == 0 if check_time is None else check_time
        pair = self._identity.pair_file if certified else None
        ours = Tls(self._identity.authority_file, pair, pair)
        with requests.Session() as session:
            session.trust_env = False  # no proxy and no authorities but our own
            session.mount("https://", _Adapter(lambda: context(ours, check_time=is_checked)))
            host = f"[{self._desk.host}]" if ":" in self._desk.host else self._desk.host
            try:
                with session.request(
                    method, f"https://{host}:{self._desk.port}/v1/{what}", json=content, headers=headers,
                    timeout=TIME_OUT_S, verify=str(ours.ca_file), allow_redirects=False, stream=True,
                ) as answer:  # fmt: skip
                    yield answer
            except (requests.RequestException, HTTPError, OSError, http.client.HTTPException) as error:
                word = next((found for each in _causes(error) if (found := word_of(each))), "line")
                raise EnrolFault(word, f"the hub's reception does not answer: {error}") from error


class _Adapter(HTTPAdapter):
    """requests with our own TLS settings."""

    def __init__(self, made: Callable[[], ssl.SSLContext]) -> None:
        self._made = made
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._made())


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what it was raised from; requests and urllib3 wrap several times, also as an argument."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo and len(found) < 20:
        each = todo.pop()
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            todo += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError as error:
        raise EnrolFault("bad_answer", "the hub's answer cannot be read") from error
    if not isinstance(told, dict):
        raise EnrolFault("bad_answer", "the hub's answer cannot be read")
    return told


def _refused(status: int, told: Mapping[str, Any]) -> None:
    if status != http.HTTPStatus.OK:
        raise EnrolFault(str(told.get("refused", "refused")), str(told.get("why", "")) or "the hub refused")


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise EnrolFault("bad_answer", f"the hub's answer has no {name}")
    return value
