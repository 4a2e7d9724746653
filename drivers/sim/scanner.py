"""A hand scanner in plain serial line mode, seen from the wire, alone or several behind one dongle. Pure; no port."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.sim.line import Line, poke_line
from drivers.sim.memory import GunMemory

TERMINATORS = {"cr": b"\r", "crlf": b"\r\n", "lf": b"\n", "none": b""}


class Gun:
    """The scanner. What it says comes out at the next `tick`. `prefixes` has one per gun, with commas between."""

    def __init__(self, terminator: str = "cr", prefixes: str = "", memory: GunMemory | None = None) -> None:
        if terminator not in TERMINATORS:
            raise ValueError(f"terminator {terminator!r} is not one of {sorted(TERMINATORS)}")
        self.line = Line()
        self.terminator = terminator
        self.memory = memory or GunMemory()
        self.sent = 0
        self._prefixes = [part.strip(" ") for part in prefixes.split(",")] if prefixes else []
        self._unasked: list[bytes] = []

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; a scanner in line mode ignores them."""
        return self.line.outgoing(chunk, [])

    def tick(self, now_ms: int) -> list[bytes]:
        """Say what was scanned since, and what an upload has to say by now."""
        for text in self.memory.due(now_ms):
            self.send(text)
        unasked, self._unasked = self._unasked, []
        return self.line.outgoing(b"", unasked)

    def send(self, text: str, terminator: str | None = None) -> None:
        """Scan one code."""
        self.send_raw(text.encode() + TERMINATORS[terminator or self.terminator])

    def pull(self, gun: int, text: str) -> None:
        """Scan one code with one of the guns behind the dongle, counted from 1. Errors: ValueError."""
        if not 1 <= gun <= len(self._prefixes):
            raise ValueError(f"gun {gun} is not in 1..{len(self._prefixes)}")
        self.send(self._prefixes[gun - 1] + text)

    def burst(self, texts: Sequence[str]) -> None:
        """Send many codes without a pause, as an inventory upload does."""
        self.send_raw(b"".join(text.encode() + TERMINATORS[self.terminator] for text in texts))

    def send_raw(self, chunk: bytes) -> None:
        """Put any bytes on the wire."""
        self.sent += 1
        self._unasked.append(chunk)

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle by name; `raw` takes hex digits. Errors: LookupError, ValueError."""
        match handle, list(args):
            case "send", [text]:
                self.send(text)
            case "send", [text, terminator] if terminator in TERMINATORS:
                self.send(text, terminator)
            case "pull", [gun, text]:
                self.pull(int(gun), text)
            case "burst", texts:
                self.burst(texts)
            case "raw", [digits]:
                self.send_raw(bytes.fromhex(digits))
            case "state", []:
                pass
            case _:
                if not self.memory.poke(handle, args):
                    return poke_line(self.line, handle, args)
        return {"sent": self.sent, "faults": self.line.faults}
