"""Alpha sign protocol (BetaBrite, "EZ KEY II"): packets, and Latin text in the priority file. No I/O.

The priority file is used because it exists without setting the sign's memory up, which would wipe what else it holds.
Chinese would have to be sent as dots and is not. Models disagree on the serial format; seven bits with even parity is
made here in software, on a line of eight bits without, which are the same ten bits on the wire.
Source: two libraries with captured packets, agreeing on what is used here; vectors in
tests/drivers/wire/test_panels.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.wire.panel import Amount, Content, Step, yuan

BAUD = 9600
PRIORITY = "0"  # file label: at most 125 bytes, overrides all others; empty it lets them be seen again
MAX_TEXT = 120
HOLD, ROTATE = "b", "a"

_LEAD = b"\0" * 5
_SOH, _STX, _ETX, _EOT = b"\x01", b"\x02", b"\x03", b"\x04"
_FILL = "\x30"  # position: both lines
_NEW_LINE = "\r"


@dataclass(frozen=True, slots=True)
class Sign:
    """How a sign is reached and read. Units: columns, milliseconds.

    `pause_ms` follows the STX: signs need 0.1 s there in nested packets. `start_pause_ms` follows each sign before it,
    for models that find their baud rate slowly (one program waits a second).
    """

    address: str = "00"
    columns: int = 16
    has_check: bool = True
    is_even: bool = True
    pause_ms: int = 100
    start_pause_ms: int = 0
    answers: bool = False


class Alpha:
    """The codec."""

    def __init__(self, sign: Sign = Sign()) -> None:
        self.answers = sign.answers
        self._sign = sign

    def setup(self) -> list[Step]:
        """Nothing: a sign keeps its files and needs no greeting."""
        return []

    def put(self, content: Content) -> list[Step]:
        """Write the priority file, and where the sign answers read it back."""
        return [*self._sent(write_text(PRIORITY, self._shown(content))), *self.check(content)]

    def check(self, content: Content) -> list[Step]:
        """Read the priority file back."""
        if not self._sign.answers:
            return []
        wanted = write_text(PRIORITY, self._shown(content))
        *lead, last = self._sent(b"B" + PRIORITY.encode())
        return [*lead, Step(last.chunk, last.pause_s, lambda heard: wanted in read_back(heard))]

    def lacks(self, content: Content) -> str:
        """What it cannot show."""
        if isinstance(content, Amount) or all(" " <= sign <= "~" for line in content for sign in line):
            return ""
        return "only Latin signs can be shown"

    def _shown(self, content: Content) -> str:
        lines = (yuan(content.fen),) if isinstance(content, Amount) else content
        latin = ["".join(sign if " " <= sign <= "~" else "?" for sign in line) for line in lines]
        text = _NEW_LINE.join(latin)[:MAX_TEXT]
        if not text:
            return ""
        mode = HOLD if max(map(len, latin)) <= self._sign.columns else ROTATE
        return f"\x1b{_FILL}{mode}{text}"

    def _sent(self, command: bytes) -> list[Step]:
        wire = packet([command], self._sign.address, self._sign.has_check)
        if self._sign.is_even:
            wire = bytes(map(even, wire))
        begin = wire.index(even(_STX[0]) if self._sign.is_even else _STX[0]) + 1
        lead, rest = wire[:begin], wire[begin:]
        if not self._sign.start_pause_ms:
            return [Step(lead, self._sign.pause_ms / 1000), Step(rest)]
        steps = [Step(bytes((byte,)), self._sign.start_pause_ms / 1000) for byte in lead[:-1]]
        return [*steps, Step(lead[-1:], self._sign.pause_ms / 1000), Step(rest)]


def write_text(label: str, text: str) -> bytes:
    """Command: write a TEXT file; `text` begins with ESC, position and mode."""
    return f"A{label}{text}".encode("ascii")


def packet(commands: Sequence[bytes], address: str = "00", has_check: bool = False) -> bytes:
    """Put commands on the wire, to signs of all kinds. Several are nested, each with its own end."""
    body = b"".join(_nested(command, has_check, is_alone=len(commands) == 1) for command in commands)
    return _LEAD + _SOH + b"Z" + address.encode("ascii") + body + _EOT


def read_back(heard: bytes) -> list[bytes]:
    """The commands in what a sign has sent, as far as their check is right; the eighth bit is not looked at."""
    plain = bytes(byte & 0x7F for byte in heard)
    commands = []
    for part in plain.split(_STX)[1:]:
        command, end, rest = part.partition(_ETX)
        if end and rest[:4] == check_sum(_STX + command + _ETX):
            commands.append(command)
    return commands


def even(byte: int) -> int:
    """Seven bits with even parity in the eighth."""
    return byte & 0x7F | (byte & 0x7F).bit_count() % 2 << 7


def _nested(command: bytes, has_check: bool, is_alone: bool) -> bytes:
    begun = _STX + command
    if has_check:
        return begun + _ETX + check_sum(begun + _ETX)
    return begun if is_alone else begun + _ETX


def check_sum(part: bytes) -> bytes:
    return f"{sum(part) & 0xFFFF:04X}".encode()
