"""The hub's reception: where devices ask to be let in and terminals renew their certificates, over HTTPS.

    GET  /v1/authority   the certificate of the district's authority, PEM
    GET  /v1/time        nothing but the `Date` of the answer
    POST /v1/enrolment   {request, wish} -> {state: waiting|granted|refused, code, site, certificate, sealed, profile}
    POST /v1/renewal     {request}, with a certificate in force -> {certificate}
    POST /v1/profile, books, kept    with a certificate in force: see sync/hub/for_terminals.py
    GET  /v1/release/D   a sheet, a list of pieces, or with Range a part of a file, by its SHA-256; certificate as above

A program of its own beside the hub: it is the only one that listens to strangers. Who is let in is decided in
sync/hub/enrolment.py, and by people.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from edge.model import SiteCode
from sync import x509
from sync.hub.authority import Authority, NoAuthority
from sync.hub.enrolment import Enrolments, NotNow
from sync.hub.for_terminals import ForTerminals
from sync.hub.https import Call, Reply, refusal
from sync.hub.profiles import Profiles
from sync.hub.releases import NotOffered, Releases
from sync.hub.store import StoreFault

LOOK_S = 3_600.0  # how often the server's own certificates are looked at; they are renewed months before their end
RELEASE = "/v1/release/"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reception:
    """Answers calls."""

    enrolments: Enrolments
    authority: Authority
    profiles: Profiles
    for_terminals: ForTerminals
    releases: Releases | None = None

    def answer(self, call: Call) -> Reply:
        """Answer one call."""
        try:
            match call.method, call.path:
                case "GET", "/v1/authority":
                    return Reply(HTTPStatus.OK, self.authority.certificate().decode("ascii"))
                case "GET", "/v1/time":
                    return Reply(HTTPStatus.OK, {})
                case "POST", "/v1/enrolment":
                    return self._enrol(call)
                case "POST", "/v1/renewal":
                    return self._renew(call)
                case "POST", path if call.serial is not None:
                    answer = self.for_terminals.answer(path, call.serial, _object(call.body))
                    return (
                        refusal(HTTPStatus.NOT_FOUND, "not_found") if answer is None else Reply(HTTPStatus.OK, answer)
                    )
                case "GET", path if path.startswith(RELEASE):
                    return self._release(call)
            return refusal(HTTPStatus.NOT_FOUND, "not_found")
        except (x509.BadPem, ValueError, TypeError, KeyError):
            return refusal(HTTPStatus.BAD_REQUEST, "bad_request")
        except NotNow as error:
            status = HTTPStatus.TOO_MANY_REQUESTS if error.word == "full" else HTTPStatus.FORBIDDEN
            return refusal(status, error.word, str(error))
        except (StoreFault, NoAuthority, OSError) as error:
            log.critical("the reception is closed: %s", error)
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "closed")

    def _enrol(self, call: Call) -> Reply:
        asked = _asked(call.body)
        request = x509.read_request(asked["request"])
        answer = self.enrolments.ask(request, str(asked.get("wish", ""))[:20], call.peer)
        told: dict[str, Any] = {"state": answer.state, "code": answer.code}
        if answer.state == "granted":
            told |= {"site": answer.site, "certificate": answer.certificate, "sealed": answer.sealed}
            told["profile"] = self.profiles.text(SiteCode(answer.site))
        return Reply(HTTPStatus.OK, told)

    def _renew(self, call: Call) -> Reply:
        if call.serial is None:
            return refusal(HTTPStatus.FORBIDDEN, "no_certificate")
        request = x509.read_request(_asked(call.body)["request"])
        return Reply(HTTPStatus.OK, {"certificate": self.enrolments.renew(call.serial, request)})

    def _release(self, call: Call) -> Reply:
        if self.releases is None or call.serial is None:
            return refusal(HTTPStatus.FORBIDDEN, "no_certificate")
        try:
            content = self.releases.content(call.serial, call.path.removeprefix(RELEASE), call.span)
        except NotOffered as error:
            return refusal(HTTPStatus.FORBIDDEN if error.word == "revoked" else HTTPStatus.NOT_FOUND, error.word)
        return Reply(HTTPStatus.OK if call.span is None else HTTPStatus.PARTIAL_CONTENT, content)


def context(authority: Authority) -> ssl.SSLContext:
    """TLS of the reception: a client may come without a certificate, but not with one of another authority."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(authority.server_file)
    made.load_verify_locations(authority.ca_file)
    made.verify_mode = ssl.CERT_OPTIONAL
    return made


async def keep_certificates(
    authority: Authority, now: Callable[[], datetime], served: ssl.SSLContext, reload: Callable[[], object]
) -> None:
    """Renew the server's own certificates in time, for ever; `reload` tells the broker."""
    while True:
        renewed = authority.renew_own(now())
        if renewed:
            log.info("renewed: %s", ", ".join(renewed))
            served.load_cert_chain(authority.server_file)  # new callers get it; the context is shared
            reload()
        await asyncio.sleep(LOOK_S)


def _object(body: bytes) -> dict[str, Any]:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("object")  # noqa: TRY004 a ValueError is what the caller's mistakes are here
    return found


def _asked(body: bytes) -> dict[str, Any]:
    asked = _object(body)
    if not isinstance(asked.get("request"), str):
        raise ValueError("request")  # noqa: TRY004 a ValueError is what the caller's mistakes are here
    return asked
