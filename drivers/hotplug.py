"""The kernel's and udev's word that something was plugged in, so that a device that came back is opened at once.

A word is only a reason to look: what looks has its own back-off, and goes on without when no words can be had (a
machine without the netlink family, a sandbox). Nothing is believed of what a word says but its kind.
Source: kernel kobject_uevent.c for the text of group 1, systemd's libudev for the head of group 2, which comes once the
links below /dev/serial and /dev/input are made.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from types import TracebackType

log = logging.getLogger(__name__)

UEVENT = 15  # netlink family NETLINK_KOBJECT_UEVENT
KERNEL, UDEV = 1, 2  # multicast groups, as bits
MAX_WORD = 8192  # the kernel's own bound is 2048; udev adds properties
SETTLE_S = 0.1  # one plug makes a dozen words within some milliseconds
_ACTIONS = (b"ACTION=add\0", b"ACTION=bind\0", b"ACTION=change\0")
_SUBSYSTEMS = tuple(b"SUBSYSTEM=%b\0" % name for name in (b"tty", b"input", b"usb", b"usbmisc", b"usb-serial"))


def is_arrival(word: bytes) -> bool:
    """Whether a word tells of a device that we could be waiting for."""
    word += b"\0"
    return any(action in word for action in _ACTIONS) and any(each in word for each in _SUBSYSTEMS)


class Arrivals:
    """A listener for the time that something is away. Begin it before looking, so that nothing falls between."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._arrived = asyncio.Event()

    def __enter__(self) -> Arrivals:
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, UEVENT)
            self._socket.bind((0, KERNEL | UDEV))
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)
        except (OSError, AttributeError) as error:
            log.debug("no words of plugs: %s", error)
            self._close()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._close()

    async def wait(self, seconds: float) -> bool:
        """Wait until something was plugged in and all is said of it, or the time is over; tells which."""
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(min(SETTLE_S, seconds))
        self._arrived.clear()
        return True

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            word = self._socket.recv(MAX_WORD)
        except BlockingIOError:
            return
        except OSError:  # ENOBUFS: so many words that some were lost
            word = _ACTIONS[0] + _SUBSYSTEMS[0]
        if is_arrival(word):
            self._arrived.set()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
