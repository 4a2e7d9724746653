"""A small HTTPS server on asyncio for short JSON answers: bounded in time, in bytes, in callers and in their haste.

Knows no address of ours; sync/hub/reception.py says what is answered. One request on a connection.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

MAX_HEAD = 8 * 1024  # bytes of request line and headers
MAX_BODY = 16 * 1024
MAX_CALLERS = 64  # connections at one moment; a district that comes back after a power cut tries again
CALL_S = 20.0  # handshake, request and answer over a slow line together
BURST = 20  # requests one address may make at once, then one every REFILL_S
REFILL_S = 2.0
MAX_ADDRESSES = 2_000  # addresses remembered; the one unheard for longest is forgotten first

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `serial`: of the client's certificate, hex, None without one; the handshake has verified it."""

    method: str
    path: str
    body: bytes
    peer: str
    serial: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; a text is sent as it is, anything else as JSON."""

    status: HTTPStatus
    content: Any


class Allowance:
    """How many requests an address has left: a bucket that fills slowly."""

    def __init__(self, ms: Callable[[], int], burst: int = BURST, refill_s: float = REFILL_S) -> None:
        self._ms = ms
        self._burst = burst
        self._refill_ms = 1000 * refill_s
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, peer: str) -> bool:
        """Use one up; False when none is left."""
        now = self._ms()
        left, at = self._left.pop(peer, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) / self._refill_ms)
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
        self._wall_s = wall_s
        self._callers = 0
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
            async with asyncio.timeout(CALL_S):
                reply = await self._reply(reader, writer)
                writer.write(self._packed(reply))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:  # it went away, or is too slow
            log.debug("a caller was given up: %s", type(error).__name__)
        finally:
            self._callers -= 1
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        peer = str(writer.get_extra_info("peername")[0])
        if self._callers > MAX_CALLERS or not self._allowance.take(peer):
            return refusal(HTTPStatus.TOO_MANY_REQUESTS, "busy")
        try:
            call = await _read(reader, peer, _serial(writer))
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
        is_text = isinstance(reply.content, str)
        body = (reply.content if is_text else json.dumps(reply.content, ensure_ascii=False)).encode()
        head = [
            f"HTTP/1.1 {reply.status.value} {reply.status.phrase}",
            f"Date: {formatdate(self._wall_s(), usegmt=True)}",
            f"Content-Type: {'text/plain' if is_text else 'application/json'}; charset=utf-8",
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
    length = fields.get("content-length", "0")
    if "transfer-encoding" in fields or not length.isdecimal() or int(length) > MAX_BODY:
        raise ValueError("length")
    return Call(method, path, await reader.readexactly(int(length)), peer, serial)


def _serial(writer: asyncio.StreamWriter) -> str | None:
    """The serial of the verified certificate the caller showed."""
    shown = writer.get_extra_info("ssl_object").getpeercert()
    return f"{int(shown['serialNumber'], 16):x}" if shown else None
