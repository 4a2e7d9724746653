"""The line from the point to the broker: a TCP forwarder that can be cut, stalled and mended. It changes no byte."""

from __future__ import annotations

import contextlib
import socket
import threading

from ports import HOST

CHUNK = 65536
CONNECT_S = 5.0
ACCEPT_POLL_S = 0.2  # how soon the accepting thread sees that the line was cut
JOIN_S = 5.0


class Line:
    """Forwards connections from one local port to another."""

    def __init__(self, listen_port: int, target_port: int) -> None:
        self.listen_port = listen_port
        self.target_port = target_port
        self.carried = 0  # bytes, both ways
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._ends: set[socket.socket] = set()

    @property
    def is_up(self) -> bool:
        """Whether a connection can be made and bytes pass."""
        return self._listener is not None and self._flowing.is_set()

    def start(self) -> None:
        """Take the port and forward. Errors: OSError when the port is taken."""
        if self._listener is not None:
            return
        self._flowing.set()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self.listen_port))
        except OSError:
            listener.close()
            raise
        listener.listen()
        listener.settimeout(ACCEPT_POLL_S)
        self._listener = listener
        self._accepting = threading.Thread(target=self._accept, args=(listener,), name="line", daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """Break every connection and refuse new ones until `mend`."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        if self._accepting is not None:
            self._accepting.join(JOIN_S)
            self._accepting = None
        self._flowing.set()  # a stalled pump must wake to see that its end is gone
        with self._lock:
            ends = list(self._ends)
        for end in ends:
            _close(end)

    def stall(self) -> None:
        """Keep connections but let no byte pass, as a radio hole does; `mend` delivers what waited."""
        self._flowing.clear()

    def mend(self) -> None:
        """Let bytes and connections pass again, after either `cut` or `stall`."""
        self._flowing.set()
        self.start()

    def stop(self) -> None:
        """The same as `cut`; the end of its life."""
        self.cut()

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                near, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:  # closed by cut
                return
            near.settimeout(None)
            try:
                far = socket.create_connection((HOST, self.target_port), CONNECT_S)
            except OSError:  # the broker is away: the caller sees a broken connection, as over a real line
                _close(near)
                continue
            far.settimeout(None)
            with self._lock:
                self._ends |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), name="line pump", daemon=True).start()
            if self._listener is not listener:  # cut while connecting
                _close(near)
                _close(far)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                self._flowing.wait()
                sink.sendall(chunk)
                self.carried += len(chunk)
        with self._lock:
            self._ends -= {source, sink}
        _close(source)
        _close(sink)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
