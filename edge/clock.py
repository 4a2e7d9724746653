"""The two sources of what cannot be computed: time and dice. Everything else gets them as parameters."""

from __future__ import annotations

import os
import secrets
import time
from datetime import datetime
from pathlib import Path
from typing import Protocol

from edge.model import UTC8, Ms, Stamp

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
NTP_SYNCED = "/run/systemd/timesync/synchronized"  # touched by systemd-timesyncd after the first good answer
_FAIR = 4_294 * 1_000_000  # of 32 random bits: below it each code is as likely as any other
_BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 8  # a sign for each value of a byte, each sign for eight of them


class Clock(Protocol):
    def stamp(self) -> Stamp: ...

    def ms(self) -> Ms:
        """Monotonic milliseconds since boot, counting sleep."""


class Dice(Protocol):
    def code(self) -> str:
        """Six decimal digits."""

    def token(self) -> str:
        """26 random base32 signs, 130 bits."""

    def ident(self) -> str:
        """64 random bits as 16 hex digits."""

    def salt(self) -> bytes:
        """16 random bytes."""


class SystemClock:
    """Also serves as the clock of the drivers."""

    def __init__(self) -> None:
        self._boot = BOOT_ID.read_text(encoding="ascii").replace("-", "")[:8]

    def stamp(self) -> Stamp:
        return Stamp(time.time_ns() // 1_000_000, self._boot, self.ms(), os.access(NTP_SYNCED, os.F_OK))

    def ms(self) -> Ms:
        return Ms(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)

    def local(self) -> datetime:
        return datetime.now(UTC8)


class SystemDice:
    def code(self) -> str:
        while (drawn := int.from_bytes(secrets.token_bytes(4), "big")) >= _FAIR:
            pass
        return f"{drawn % 1_000_000:06d}"

    def token(self) -> str:
        return secrets.token_bytes(26).translate(_BASE32).decode("ascii")

    def ident(self) -> str:
        return secrets.token_hex(8)

    def salt(self) -> bytes:
        return secrets.token_bytes(16)
