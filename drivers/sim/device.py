"""What the host asks of every simulated device. No bytes here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from drivers.sim.line import Line


class SimDevice(Protocol):
    """The device's half of a wire."""

    line: Line

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; returns the chunks that go back."""

    def tick(self, now_ms: int) -> list[bytes]:
        """Tell the device the time (monotonic); returns what it says unasked."""

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle; returns something JSON can hold. Errors: LookupError, ValueError."""
