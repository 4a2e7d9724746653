"""Tells systemd that the terminal is alive only while all three owners are: window, io and store.

Speaks the notify protocol directly: one datagram to the socket in NOTIFY_SOCKET. Does nothing without systemd.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable

from edge.store import Store, Tx

BEAT_S = 5.0
HUNG_S = 10.0  # an owner that was silent for so long is hung


class Watchdog:
    """`window` gives the monotonic seconds of the window's last turn, 0.0 when there is no window."""

    def __init__(self, store: Store, window: Callable[[], float]) -> None:
        self._store = store
        self._window = window
        self._given_up = False

    def give_up(self) -> None:
        """Stop telling; systemd restarts the program."""
        self._given_up = True

    async def beat(self) -> None:
        tell("READY=1")
        while True:
            async with asyncio.timeout(HUNG_S):
                await self._store.run(_alive)
            window = self._window()
            if not self._given_up and (window == 0.0 or time.monotonic() - window < HUNG_S):
                tell("WATCHDOG=1")
            await asyncio.sleep(BEAT_S)


def _alive(tx: Tx) -> None:
    tx.value("SELECT 1")


def is_supervised() -> bool:
    """Whether systemd started us: then nobody reads what is printed."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def tell(message: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.settimeout(1)
        out.sendto(message.encode(), address)
