"""The way in: whom a request must be for, who may see what, which forms are believed, and how an answer is sealed.

The pages are in sync/hub/web/pages.py and sync/hub/web/actions.py.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from sync.hub.store import StoreFault
from sync.hub.web import actions, pages
from sync.hub.web.entry import WHOLE_MS, Entry, same
from sync.hub.web.visit import MAX_UPLOAD, Asked, House, Visit
from sync.hub.web.words import LANGUAGES, Words

HOSTS = re.compile(
    r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.ASCII
)  # whatever a name server says of other names, they are not ours
SESSION, FORM, LANGUAGE = "village_hub", "village_hub_form", "village_hub_language"
LIVE = "X-Live"  # the page asks by itself; nobody has touched it
SEALS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
ENDPOINTS: dict[str, Callable[..., Response]] = {
    "overview": pages.overview,
    "site": pages.site,
    "sums": pages.sums,
    "send": pages.send,
    "enrolments": pages.enrolments,
    "send_file": actions.send_file,
    "send_notice": actions.send_notice,
    "admit": actions.admit,
}
RULES = Map(
    [
        Rule("/", endpoint="overview", methods=["GET"]),
        Rule("/site/<code>", endpoint="site", methods=["GET"]),
        Rule("/site/<code>/sums", endpoint="sums", methods=["GET"]),
        Rule("/send", endpoint="send", methods=["GET"]),
        Rule("/send/file", endpoint="send_file", methods=["POST"]),
        Rule("/send/notice", endpoint="send_notice", methods=["POST"]),
        Rule("/enrolments", endpoint="enrolments", methods=["GET"]),
        Rule("/enrolments", endpoint="admit", methods=["POST"]),
        Rule("/login", endpoint="login", methods=["GET", "POST"]),
        Rule("/logout", endpoint="logout", methods=["POST"]),
        Rule("/static/<name>", endpoint="static", methods=["GET"]),
    ],
    strict_slashes=False,
)

log = logging.getLogger(__name__)


class Gate:
    """The WSGI application. May be called from several threads."""

    def __init__(self, house: House, entry: Entry) -> None:
        self._house = house
        self._entry = entry

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Asked(environ)
        language = _language(request)
        try:
            response = self._answer(request, Words(language))
        except StoreFault as fault:
            log.warning("a page could not be shown: %s (%s)", fault, fault.code)
            response = self._stranger(request, language).message(HTTPStatus.SERVICE_UNAVAILABLE, "trouble.store")
        except HTTPException as error:
            response = self._refusal(request, language, error)
        except Exception:  # the top of a request: one that trips a bug must not end the page
            log.exception("a request for %s failed", request.path[:100])
            response = self._stranger(request, language).message(HTTPStatus.INTERNAL_SERVER_ERROR, "trouble.bug")
        if request.args.get("lang") in LANGUAGES:
            response.set_cookie(LANGUAGE, language, max_age=365 * 86_400, httponly=True, samesite="Strict")
        response.headers.update(SEALS)
        return response(environ, start)

    def _answer(self, request: Asked, words: Words) -> Response:
        if HOSTS.fullmatch(request.headers.get("Host", "")) is None:
            return self._stranger(request, words.language).message(HTTPStatus.MISDIRECTED_REQUEST, "trouble.host")
        endpoint, values = RULES.bind("127.0.0.1").match(request.path, request.method)
        if endpoint == "static":
            return pages.static(**values)
        secret = request.cookies.get(SESSION, "")
        session = self._entry.session(secret, live=request.method == "GET" and LIVE in request.headers)
        if endpoint == "login":
            return self._login(request, words)
        if session is None:
            return _to("/login")
        visit = Visit(self._house, request, words, session, session.form_token)
        if request.method == "POST":
            request.max_content_length = MAX_UPLOAD if endpoint == "send_file" else request.max_content_length
            if not _is_ours(request, session.form_token):
                return visit.message(HTTPStatus.FORBIDDEN, "trouble.form")
        if endpoint == "logout":
            return self._logout(secret)
        return ENDPOINTS[endpoint](visit, **values)

    def _login(self, request: Asked, words: Words) -> Response:
        token = request.cookies.get(FORM, "")
        status, sentence = HTTPStatus.OK, ""
        if request.method == "POST":
            if not token or not _is_ours(request, token):
                status, sentence = HTTPStatus.FORBIDDEN, "trouble.form"
            elif not self._entry.may_try():
                status, sentence = HTTPStatus.TOO_MANY_REQUESTS, "login.too_many"
            elif (secret := self._entry.begin(request.form.get("password", ""))) is not None:
                log.info("the desk has logged in")
                return _with_session(_to("/"), secret)
            else:
                log.warning("a wrong password at the desk's page")
                status, sentence = HTTPStatus.FORBIDDEN, "login.wrong"
        token = secrets.token_urlsafe(32)
        visit = Visit(self._house, request, words, None, token)
        response = visit.page("login.html", status, sentence=words(sentence) if sentence else "")
        response.set_cookie(FORM, token, httponly=True, samesite="Strict")
        return response

    def _logout(self, secret: str) -> Response:
        self._entry.end(secret)
        response = _to("/login")
        response.delete_cookie(SESSION, httponly=True, samesite="Strict")
        return response

    def _refusal(self, request: Asked, language: str, error: HTTPException) -> Response:
        match error:
            case NotFound():
                status, key = HTTPStatus.NOT_FOUND, "trouble.missing"
            case MethodNotAllowed():
                status, key = HTTPStatus.METHOD_NOT_ALLOWED, "trouble.method"
            case RequestEntityTooLarge():
                status, key = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "trouble.large"
            case _:
                status, key = HTTPStatus.BAD_REQUEST, "trouble.request"
        response = self._stranger(request, language).message(status, key)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    def _stranger(self, request: Asked, language: str) -> Visit:
        """For pages that show nothing."""
        return Visit(self._house, request, Words(language), None, "")


def _language(request: Asked) -> str:
    wanted = request.args.get("lang") or request.cookies.get(LANGUAGE) or ""
    return wanted if wanted in LANGUAGES else LANGUAGES[0]


def _is_ours(request: Asked, token: str) -> bool:
    """A form of this page: it knows the token, and no other page has sent it."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.headers.get('Host', '')}":
        return False
    return same(request.form.get("form_token", ""), token)


def _to(path: str) -> Response:
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})


def _with_session(response: Response, secret: str) -> Response:
    response.set_cookie(SESSION, secret, max_age=WHOLE_MS // 1000, httponly=True, samesite="Strict")
    response.delete_cookie(FORM, httponly=True, samesite="Strict")
    return response
