"""Newland and Honeywell guns, seen from the wire: plain or framed codes, commands obeyed and answered. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from drivers.sim.memory import GunMemory
from drivers.sim.scanner import Gun
from drivers.wire import honeywell, newland

_UNIFIED = re.compile(rb"\x7e\x010000[#@]([0-9A-Z]{6})([^;]*);\x03")
_SERIAL = re.compile(rb"\x16(?:([TU\x07])\r|M\r([0-9A-Z]{6})([^.!]*)([.!]))", re.IGNORECASE)


@dataclass(slots=True)
class Ears:
    """What a gun was told. `beeps` are hertz for Newland, 0 for the one tone of Honeywell."""

    beeps: list[int] = field(default_factory=list)
    is_triggered: bool = False
    is_enabled: bool = True
    commands: int = 0
    answer: int = 0x06  # 15: bad value, 05: unknown command

    def state(self) -> dict[str, object]:
        return {
            "beeps": self.beeps,
            "triggered": self.is_triggered,
            "enabled": self.is_enabled,
            "commands": self.commands,
        }

    def poke(self, handle: str, args: Sequence[str]) -> bool:
        """Move the one handle: `answer 06|15|05`. Errors: ValueError."""
        if handle != "answer" or len(args) != 1:
            return False
        self.answer = int(args[0], 16)
        return True


class _HearingGun(Gun):
    """A gun in line mode that also listens."""

    commands: re.Pattern[bytes]

    def __init__(self, terminator: str = "cr", prefixes: str = "", memory: GunMemory | None = None) -> None:
        super().__init__(terminator, prefixes, memory)
        self.ears = Ears()
        self._heard = bytearray()

    def receive(self, chunk: bytes) -> list[bytes]:
        """Obey the commands in what the kiosk sends, and answer."""
        self._heard += self.line.incoming(chunk)
        replies: list[bytes] = []
        while (match := self.commands.search(bytes(self._heard))) is not None:
            del self._heard[: match.end()]
            self.ears.commands += 1
            replies += self._obey(match)
        del self._heard[:-256]
        return self.line.outgoing(chunk, replies)

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle by name. Errors: LookupError, ValueError."""
        if self.ears.poke(handle, args):
            return self.ears.state()
        told = super().poke(handle, args)
        return told | self.ears.state() if isinstance(told, dict) else told

    def _obey(self, match: re.Match[bytes]) -> list[bytes]:
        raise NotImplementedError


class NewlandGun(_HearingGun):
    """A Newland gun or head."""

    commands = _UNIFIED

    def _obey(self, match: re.Match[bytes]) -> list[bytes]:
        tag, value = match[1].decode(), match[2].decode()
        if self.ears.answer == 0x06:
            if tag == "BEEPON":
                self.ears.beeps.append(int(value.partition("F")[0]))
            elif tag == "SCNTRG":
                self.ears.is_triggered = value == "1"
            elif tag == "SCNENA":
                self.ears.is_enabled = value == "1"
        return [newland.reply(tag + value, self.ears.answer)]


class HoneywellGun(_HearingGun):
    """A Honeywell gun; frames its reads once it is told DECHDR1."""

    commands = _SERIAL

    def __init__(self, terminator: str = "cr", prefixes: str = "", memory: GunMemory | None = None) -> None:
        super().__init__(terminator, prefixes, memory)
        self.is_framed = False

    def send(self, text: str, terminator: str | None = None) -> None:
        """Scan one code."""
        if self.is_framed:
            self.send_raw(honeywell.framed(text))
        else:
            super().send(text, terminator)

    def burst(self, texts: Sequence[str]) -> None:
        """Send many codes without a pause."""
        for text in texts:
            self.send(text)

    def _obey(self, match: re.Match[bytes]) -> list[bytes]:
        if match[1] is None:
            tag, value, end = match[2].upper(), match[3], match[4]
            if tag == b"DECHDR" and self.ears.answer == 0x06:
                self.is_framed = value == b"1"
            return [match[2] + value + bytes((self.ears.answer,)) + end]
        if match[1] == b"\x07":
            self.ears.beeps.append(0)
        else:
            self.ears.is_triggered = match[1].upper() == b"T"
        return []
