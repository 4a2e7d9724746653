"""Gives a cut disk to an emulator over a unix socket. The protocol alone; what a write means is in cut_disk.py.

Source: NBD, doc/proto.md of the NetworkBlockDevice project: fixed newstyle handshake, simple replies. No FUA and no
trim are offered, so the emulator turns the first into a flush and leaves the second out.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from pathlib import Path

from cut_disk import CutDisk

MAGIC, OPTION, REPLY = 0x4E42444D41474943, 0x49484156454F5054, 0x3E889045565A9
REQUEST, ANSWER = 0x25609513, 0x67446698
OPT_EXPORT_NAME, OPT_ABORT, OPT_INFO, OPT_GO = 1, 2, 6, 7
REP_ACK, REP_INFO, REP_ERR_UNSUP = 1, 3, (1 << 31) + 1
FIXED_NEWSTYLE, NO_ZEROES = 1, 2
HAS_FLAGS, CAN_FLUSH = 1, 1 << 2
WRITE, DISCONNECT = 1, 2
EIO, EINVAL = 5, 22
MOST = 32 << 20  # bytes of one request; the protocol's usual bound
CHUNK = 1 << 20


class NbdServer:
    """Serves one disk until `stop`."""

    def __init__(self, disk: CutDisk) -> None:
        self.path: Path = disk.folder / "disk.sock"
        self._disk = disk
        self._listener: socket.socket | None = None
        self._clients: list[threading.Thread] = []

    def start(self) -> None:
        """Listen. Errors: OSError."""
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(2)
        threading.Thread(target=self._accept, args=(self._listener,), name="disk", daemon=True).start()

    def stop(self) -> None:
        """Take no new client; one that is there ends with its emulator."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # else the accepting thread sleeps on
            self._listener.close()
            self._listener = None
        self.path.unlink(missing_ok=True)

    def drain(self, seconds: float = 30.0) -> None:
        """Wait until every request of clients that are gone is done; what they had sent may still lie in the socket."""
        for client in self._clients:
            client.join(seconds)
            assert not client.is_alive(), "an emulator still holds the disk"
        self._clients.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                worker = threading.Thread(target=self._serve, args=(client,), name="disk client", daemon=True)
                self._clients.append(worker)
                worker.start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(EOFError, OSError):
            if _greeted(client, self._disk.size):
                while self._obey(client):
                    pass

    def _obey(self, client: socket.socket) -> bool:
        """Do one request; False at the end."""
        magic, _flags, kind, handle, at, count = struct.unpack(">IHHQQI", _exactly(client, 28))
        if magic != REQUEST or kind == DISCONNECT or count > MOST:
            return False
        payload = _exactly(client, count) if kind == WRITE else b""
        error, body = 0, b""
        try:
            match kind:
                case 0:  # read
                    body = self._disk.read(at, count)
                case 1:  # write
                    self._disk.write(at, payload)
                case 3:  # flush
                    self._disk.flush()
                case _:
                    error = EINVAL
        except (OSError, ValueError):
            error, body = EIO, b""
        client.sendall(struct.pack(">IIQ", ANSWER, error, handle) + body)
        return True


def _greeted(client: socket.socket, size: int) -> bool:
    """The handshake. Tell whether requests follow."""
    flags = HAS_FLAGS | CAN_FLUSH
    client.sendall(struct.pack(">QQH", MAGIC, OPTION, FIXED_NEWSTYLE | NO_ZEROES))
    is_short = bool(struct.unpack(">I", _exactly(client, 4))[0] & NO_ZEROES)
    while True:
        magic, option, length = struct.unpack(">QII", _exactly(client, 16))
        _exactly(client, min(length, MOST))
        if magic != OPTION or option == OPT_ABORT:
            return False
        if option == OPT_EXPORT_NAME:
            client.sendall(struct.pack(">QH", size, flags) + (b"" if is_short else bytes(124)))
            return True
        if option not in (OPT_INFO, OPT_GO):
            _reply(client, option, REP_ERR_UNSUP)
            continue
        _reply(client, option, REP_INFO, struct.pack(">HQH", 0, size, flags))
        _reply(client, option, REP_ACK)
        if option == OPT_GO:
            return True


def _reply(client: socket.socket, option: int, kind: int, body: bytes = b"") -> None:
    client.sendall(struct.pack(">QIII", REPLY, option, kind, len(body)) + body)


def _exactly(client: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        chunk = client.recv(min(count - len(parts), CHUNK))
        if not chunk:
            raise EOFError
        parts += chunk
    return bytes(parts)
