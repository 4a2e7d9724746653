"""A small HTTPS server on asyncio for short answers: bounded in time, in bytes, in callers and in their haste.

Knows no address of ours; sync/hub/reception.py says what is answered. One request on a connection.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

MAX_HEAD = 8 * 1024  # bytes of request line and headers
MAX_BODY = 16 * 1024
MAX_KNOWN_BODY = 128 * 1024  # of a terminal with a certificate: a piece of a copy of its books
MAX_CALLERS = 64  # connections at one moment; a district that comes back after a power cut tries again
CALL_S = 20.0  # handshake, request and answer over a slow line together
BURST = 20  # requests one address may make at once, then one every REFILL_S
REFILL_S = 2.0  # with more at once they come back quicker: a workshop's bench of new terminals is one address
PIECE_S = 150.0  # a piece of a release over a line of 20 kbit/s
MAX_SENDING = 24  # pieces under way at one moment: 6 MB, and 40 callers are left for everybody else
KNOWN_BURST = 40  # requests at once of one terminal with a certificate: a list and its pieces
KNOWN_REFILL_S = 0.25
MAX_ADDRESSES = 2_000  # addresses remembered; the one unheard for longest is forgotten first

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `serial`: of the client's certificate, hex, None without one; the handshake has verified it.

    `span`: first byte and end that the header Range asks for, None without one.
    """

    method: str
    path: str
    body: bytes
    peer: str
    serial: str | None
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; a text and bytes are sent as they are, anything else as JSON."""

    status: HTTPStatus
    content: Any


class Allowance:
    """How many requests an address has left: a bucket that fills slowly."""

    def __init__(self, ms: Callable[[], int], burst: int = BURST, refill_s: float | None = None) -> None:
        self.ms = ms
        self.burst = burst
        self._refill_ms = 1000 * (REFILL_S * BURST / burst if refill_s is None else refill_s)
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, peer: str) -> bool:
        """Use one up; False when none is left."""
        now = self.ms()
        left, at = self._left.pop(peer, (float(self.burst), now))
        left = min(float(self.burst), left + (now - at) / self._refill_ms)
        allowed = left >= 1
        self._left[peer] = (left - 1 if allowed else left, now)
        if len(self._left) > MAX_ADDRESSES:
            self._left.popitem(last=False)
        return allowed


class HttpsServer:
    """Serves `answer` until closed. `context` decides who may connect."""

    def __init__(self, answer: Callable[[Call], Reply], allowance: Allowance, wall_s: Callable[[], float]) -> None:
        self._answer = answer
        self._allowance = allowance
        self._known = Allowance(
            allowance.ms, max(KNOWN_BURST, allowance.burst), KNOWN_REFILL_S
        )  # by certificate, not by address
        self._wall_s = wall_s
        self._callers = 0
        self._sending = 0
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int, context: ssl.SSLContext) -> int:
        """Listen; return the port. Errors: OSError."""
        self._server = await asyncio.start_server(
            self._serve, host, port, ssl=context, limit=MAX_HEAD, ssl_handshake_timeout=CALL_S, ssl_shutdown_timeout=1.0
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers += 1
        try:
            async with asyncio.timeout(CALL_S) as limit:
                reply = await self._reply(reader, writer)
                if isinstance(reply.content, bytes):
                    limit.reschedule(asyncio.get_running_loop().time() + PIECE_S)
                await self._send(writer, reply)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:  # it went away, or is too slow
            log.debug("a caller was given up: %s", type(error).__name__)
        finally:
            self._callers -= 1
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        if isinstance(reply.content, bytes) and self._sending >= MAX_SENDING:
            reply = refusal(HTTPStatus.TOO_MANY_REQUESTS, "busy")
        self._sending += isinstance(reply.content, bytes)
        try:
            writer.transport.set_write_buffer_limits(high=0)  # drained means sent: the bound counts what is under way
            writer.write(self._packed(reply))
            await writer.drain()
        finally:
            self._sending -= isinstance(reply.content, bytes)

    async def _reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        peer, serial = str(writer.get_extra_info("peername")[0]), _serial(writer)
        allowed = self._allowance.take(peer) if serial is None else self._known.take(serial)
        if self._callers > MAX_CALLERS or not allowed:
            return refusal(HTTPStatus.TOO_MANY_REQUESTS, "busy")
        try:
            call = await _read(reader, peer, serial)
        except asyncio.LimitOverrunError:
            return refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large")
        except ValueError:
            return refusal(HTTPStatus.BAD_REQUEST, "bad_request")
        try:
            return self._answer(call)
        except Exception:  # the top of a call: one that trips a bug must not end the reception
            log.exception("a call of %s failed", call.path)
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "trouble")

    def _packed(self, reply: Reply) -> bytes:
        body, kind = _body(reply.content)
        head = [
            f"HTTP/1.1 {reply.status.value} {reply.status.phrase}",
            f"Date: {formatdate(self._wall_s(), usegmt=True)}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            "Connection: close",
        ]
        return "\r\n".join([*head, "", ""]).encode("ascii") + body


def refusal(status: HTTPStatus, word: str, sentence: str = "") -> Reply:
    """An answer that says no, by a word for a machine."""
    return Reply(status, {"refused": word, "why": sentence})


async def _read(reader: asyncio.StreamReader, peer: str, serial: str | None) -> Call:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    first, *lines = head.split("\r\n")
    method, path, version = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length, most = fields.get("content-length", "0"), MAX_BODY if serial is None else MAX_KNOWN_BODY
    if "transfer-encoding" in fields or not length.isdecimal() or int(length) > most:
        raise ValueError("length")
    span = _span(fields["range"]) if "range" in fields else None
    return Call(method, path, await reader.readexactly(int(length)), peer, serial, span)


def _span(asked: str) -> tuple[int, int]:
    """First byte and end of one range. Errors: ValueError."""
    found = re.fullmatch(r"bytes=(\d{1,12})-(\d{1,12})", asked)
    if found is None or int(found[1]) > int(found[2]):
        raise ValueError("range")
    return int(found[1]), int(found[2]) + 1


def _body(content: Any) -> tuple[bytes, str]:
    match content:
        case bytes():
            return content, "application/octet-stream"
        case str():
            return content.encode(), "text/plain; charset=utf-8"
    return json.dumps(content, ensure_ascii=False).encode(), "application/json; charset=utf-8"


def _serial(writer: asyncio.StreamWriter) -> str | None:
    """The serial of the verified certificate the caller showed."""
    shown = writer.get_extra_info("ssl_object").getpeercert()
    return f"{int(shown['serialNumber'], 16):x}" if shown else None
