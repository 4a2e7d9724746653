"""Open a socket without blocking the loop, and encrypt it if so set.

What would block for seconds on a dead line (connect, TLS handshake) waits on the loop instead. Only a host *name* is
looked up by asyncio's own resolver thread; an address is not. What is said over the socket is in sync/mqtt.py.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of the certificate authority and, for a device of its own, certificate and key."""

    ca_file: Path
    cert_file: Path | None = None
    key_file: Path | None = None


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
    context = ssl.create_default_context(cafile=str(tls.ca_file))
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    encrypted = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    while True:
        try:
            encrypted.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(encrypted, reading=True)
        except ssl.SSLWantWriteError:
            await _ready(encrypted, reading=False)
        else:
            return encrypted


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
