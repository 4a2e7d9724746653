"""The memory of a simulated gun: codes are stored, then sent one after another at a pace. Pure.

Guns differ in what is left after an upload; `keeps` is the persistent batch mode that sends everything again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


class GunMemory:
    """What was scanned out of range. `pace_ms` lies between two codes of an upload."""

    def __init__(self, pace_ms: int = 30, keeps: bool = False, wraps: bool = False) -> None:
        self.stored: list[str] = []
        self.keeps = keeps
        self._pace_ms = pace_ms
        self._wraps = wraps
        self._leaving: deque[str] = deque()
        self._next_ms: int | None = None

    def store(self, texts: Sequence[str]) -> None:
        """Scan out of range."""
        self.stored += texts

    def upload(self, only: int | None = None) -> None:
        """Begin to send; `only` so many codes, as if the radio broke off, and then the memory stays as it is."""
        codes = self.stored if only is None else self.stored[:only]
        head = [f"<UPL>: start {len(self.stored):05}"] if self._wraps else []
        tail = [f"<UPL>: transmission {'NOK' if self.keeps else 'OK'}"] if self._wraps and only is None else []
        self._leaving.extend([*head, *codes, *tail])
        self._next_ms = None
        if only is None and not self.keeps:
            self.stored = []

    def due(self, now_ms: int) -> list[str]:
        """Give the lines that are sent by now."""
        lines = []
        while self._leaving and (self._next_ms is None or self._next_ms <= now_ms):
            lines.append(self._leaving.popleft())
            self._next_ms = (now_ms if self._next_ms is None else self._next_ms) + self._pace_ms
        return lines

    def poke(self, handle: str, args: Sequence[str]) -> bool:
        """Move a handle; False when it is none of the memory's. Errors: ValueError."""
        match handle, list(args):
            case "store", [*texts]:
                self.store(texts)
            case "upload", []:
                self.upload()
            case "upload", [count]:
                self.upload(int(count))
            case "forget", []:
                self.stored = []
            case _:
                return False
        return True
