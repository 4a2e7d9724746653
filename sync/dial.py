"""Open a socket without blocking the loop, and encrypt it if so set.

What would block for seconds on a dead line (connect, TLS handshake) waits on the loop instead. Only a host *name* is
looked up by asyncio's own resolver thread; an address is not. What is said over the socket is in sync/mqtt.py.

A certificate that is not taken, ours or theirs, is told by one word and never looks like a line that is down.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERDICT_S = 3.0  # how long to wait for the far end's word on our certificate; it comes one round trip after ours
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's ssl has no name for

# What OpenSSL says about their certificate (verify codes of x509_vfy.h) and what they say about ours (alerts).
THEIRS: Mapping[int, str] = {9: "hub_clock", 10: "hub_clock", 23: "wrong_hub", 62: "wrong_hub", 64: "wrong_hub"}
OURS: Mapping[str, str] = {
    "CERTIFICATE_REVOKED": "revoked",
    "CERTIFICATE_EXPIRED": "expired",
    "UNKNOWN_CA": "unknown",
    "CERTIFICATE_UNKNOWN": "unknown",
    "BAD_CERTIFICATE": "unknown",
    "UNSUPPORTED_CERTIFICATE": "unknown",
    "CERTIFICATE_REQUIRED": "no_certificate",
    "HANDSHAKE_FAILURE": "no_certificate",  # how TLS 1.2 says that one is missing
}
TLS_WORDS = frozenset({*THEIRS.values(), *OURS.values()})


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of the certificate authority and, for a device of its own, certificate and key.

    `now_s`: the true time in Unix seconds, for a machine whose clock may be years off; None trusts the system's.
    """

    ca_file: Path
    cert_file: Path | None = None
    key_file: Path | None = None
    now_s: Callable[[], float] | None = None


class TlsRefused(OSError):
    """A certificate was not taken. The technician or the hub acts, not the line.

    Shape: `word` is revoked | expired | unknown | no_certificate (they do not take ours), wrong_hub (theirs is not of
    our authority, or of another name), hub_clock (theirs is not valid at this time: one of the two clocks is wrong).
    """

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


def word_of(error: BaseException) -> str | None:
    """The word for what TLS reports; None when it is not about a certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return THEIRS.get(error.verify_code, "wrong_hub")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        return next((word for ending, word in OURS.items() if reason.endswith(f"ALERT_{ending}")), None)
    return None


def context(tls: Tls, *, check_time: bool = True) -> ssl.SSLContext:
    """TLS as a client of our own authority alone. Errors: OSError when a file cannot be used."""
    made = ssl.create_default_context(cafile=str(tls.ca_file))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if not check_time:
        made.verify_flags |= NO_CHECK_TIME
    if tls.cert_file is not None:
        made.load_cert_chain(tls.cert_file, tls.key_file)
    return made


async def open_socket(host: str, port: int, tls: Tls | None) -> socket.socket:
    """Connect, and shake hands if `tls` is given. The caller bounds the time. Errors: OSError (ssl.SSLError is one)."""
    sock = await _connect(host, port)
    if tls is None:
        return sock
    try:
        return await _encrypt(sock, host, tls)
    except BaseException:
        sock.close()
        raise


async def open_any(hosts: Sequence[str], port: int, tls: Tls | None, share_s: float) -> socket.socket:
    """Open a socket to the first of the nodes of a broker that answers. Errors: OSError, of the last; TlsRefused.

    Each has its share of the time, so that a node that is silent does not hide the others.
    """
    reason: OSError = OSError("no node is named")
    for host in hosts:
        try:
            async with asyncio.timeout(share_s):
                return await open_socket(host, port, tls)
        except TlsRefused:
            raise
        except OSError as error:  # TimeoutError is one
            reason = error
    raise reason


async def _connect(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    reason = OSError(f"no address for {host}")
    for family, address in await _addresses(host, port):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            reason = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise reason


async def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]
    return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))]


async def _encrypt(sock: socket.socket, host: str, tls: Tls) -> ssl.SSLSocket:
    encrypted = context(tls, check_time=tls.now_s is None).wrap_socket(
        sock, server_hostname=host, do_handshake_on_connect=False
    )  # the plain socket is no more: its descriptor is in the new one
    try:
        await _agree(encrypted, tls)
    except BaseException:
        encrypted.close()
        raise
    return encrypted


async def _agree(encrypted: ssl.SSLSocket, tls: Tls) -> None:
    try:
        await _shake_hands(encrypted)
        if tls.now_s is not None:
            _check_time(encrypted, tls.now_s())
        if tls.cert_file is not None:
            await _hear_verdict(encrypted)
    except ssl.SSLError as error:
        word = word_of(error)
        if word is not None:
            raise TlsRefused(word, str(error)) from error
        raise


async def _shake_hands(encrypted: ssl.SSLSocket) -> None:
    while True:
        try:
            encrypted.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(encrypted, reading=True)
        except ssl.SSLWantWriteError:
            await _ready(encrypted, reading=False)
        else:
            return


def _check_time(encrypted: ssl.SSLSocket, now_s: float) -> None:
    """Judge their certificate by the true time; the authority's own lasts longer than any terminal."""
    shown: Any = encrypted.getpeercert()
    if not ssl.cert_time_to_seconds(shown["notBefore"]) <= now_s <= ssl.cert_time_to_seconds(shown["notAfter"]):
        raise TlsRefused("hub_clock", "the broker's certificate is not valid at this time")


async def _hear_verdict(encrypted: ssl.SSLSocket) -> None:
    """Wait until the far end has taken our certificate or not.

    In TLS 1.3 its alert comes after our handshake is over. If we spoke first, the alert would be lost in the reset
    that answers our words (seen with Mosquitto 2.0.11: end of file instead of "revoked"). A yes is a session ticket;
    whoever sends none is believed after VERDICT_S. Before our first word the broker has nothing else to say.
    """
    try:
        async with asyncio.timeout(VERDICT_S):
            await _ready(encrypted, reading=True)
    except TimeoutError:
        return
    try:
        spoken = encrypted.recv(1)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return
    raise ConnectionError("the broker spoke out of turn" if spoken else "the broker closed the line")


async def _ready(sock: socket.socket, *, reading: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    watch, unwatch = (loop.add_reader, loop.remove_reader) if reading else (loop.add_writer, loop.remove_writer)
    watch(sock, _wake, ready)
    try:
        await ready
    finally:
        unwatch(sock)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
