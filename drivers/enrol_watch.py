"""Listen to all keyboards at once, taking none, until one of them types the code on the screen.

Who it is is decided in drivers/enrol.py; the nodes are opened by drivers/input_nodes.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from drivers.enrol import Enrolment, Found, Node
from drivers.input_nodes import InputSource, monotonic_ms

log = logging.getLogger(__name__)

TICK_S = 0.1  # a code without Enter is noticed this much late


Watched = tuple[Node, InputSource]  # as `drivers.input_nodes.keyboards` opens them


async def find_scanner(text: str, keyboards: Sequence[Watched], timeout_s: float) -> Found | None:
    """Wait until a keyboard types `text`; None when the time is over. Closes the keyboards. Errors: ValueError."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Found] = loop.create_future()
    open_fds: set[int] = set()
    try:
        enrolment = Enrolment(text, [node for node, _ in keyboards])
        for node, source in keyboards:
            loop.add_reader(source.fd, partial(_take, (node, source), enrolment, found, open_fds))
            open_fds.add(source.fd)
        async with asyncio.timeout(timeout_s):
            while not found.done():
                await asyncio.wait([found], timeout=TICK_S)
                _settle(found, enrolment.idle(monotonic_ms()))
            return found.result()
    except TimeoutError:
        return None
    finally:
        for fd in open_fds:
            loop.remove_reader(fd)
        for _, source in keyboards:
            source.close()


def _take(keyboard: Watched, enrolment: Enrolment, found: asyncio.Future[Found], open_fds: set[int]) -> None:
    node, source = keyboard
    try:
        for event in source.read():
            at_ms = event.sec * 1000 + event.usec // 1000
            _settle(found, enrolment.feed(node.path, (event.type, event.code, event.value), at_ms))
    except BlockingIOError:
        return
    except OSError as error:
        log.info("%s vanished while it was listened to: %s", node.path, error)
        enrolment.remove(node.path)
        open_fds.discard(source.fd)
        asyncio.get_running_loop().remove_reader(source.fd)


def _settle(found: asyncio.Future[Found], result: Found | None) -> None:
    if result is not None and not found.done():
        found.set_result(result)
