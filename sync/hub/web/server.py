"""The page on its port: the only import of the HTTP server. Loopback only, bounded in callers, bytes and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from sync.hub.web.visit import MAX_UPLOAD

HOST = "127.0.0.1"
THREADS = 4  # a desk with a few browsers; each waits for one of the two stores
MAX_CALLERS = 32
MAX_HEAD = 16 * 1024
SILENT_S = 20  # a caller that has begun and says nothing more
WHOLE_S = 300  # from the first byte to the last: 32 MB through a tunnel of 1 Mbit/s
LOOK_S = 5
FORM_BYTES = 64 * 1024  # what a form adds to the file in it

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Caller(HTTPChannel):
    """A connection that knows when its present request began."""

    begun_at: float = 0.0

    def received(self, data: bytes) -> bool:
        """Called with what has come."""
        if self.request is None:
            self.begun_at = self.last_activity
        return bool(super().received(data))


class PageServer(TcpWSGIServer):
    """Also gives up callers that send a little now and then, for ever."""

    channel_class = Caller

    def maintenance(self, now: int) -> None:
        """Called every LOOK_S. Units: seconds of the wall clock, as the library counts."""
        super().maintenance(now)
        for channel in cast("dict[int, Caller]", self.active_channels).values():
            if channel.request is not None and channel.begun_at < now - WHOLE_S:
                channel.will_close = True


def open_server(application: Application, port: int) -> PageServer:
    """Listen on loopback; port 0 takes any free one. Errors: OSError."""
    adjustments = Adjustments(
        listen=f"{HOST}:{port}",
        threads=THREADS,
        connection_limit=MAX_CALLERS,
        max_request_header_size=MAX_HEAD,
        max_request_body_size=MAX_UPLOAD + FORM_BYTES,
        channel_timeout=SILENT_S,
        cleanup_interval=LOOK_S,
        ident=None,
        log_socket_errors=False,  # a browser that leaves is no news
        expose_tracebacks=False,
    )
    threads = ThreadedTaskDispatcher()
    threads.set_thread_count(THREADS)
    return PageServer(application, {}, dispatcher=threads, adj=adjustments, sockinfo=cast("Any", adjustments.listen[0]))


def port_of(server: PageServer) -> int:
    """The port it listens on."""
    return int(cast("Any", server).effective_port)
