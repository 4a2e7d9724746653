"""Serial bytes of a scanner to one text per code, and what both kinds of scanner share. No I/O and no clock here.

Typed keys become texts in drivers/wire/keys.py. What a text means is for others to find out: AIM prefix and control
characters stay in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.base import Flaw

MAX_CODE = 4096  # characters; the densest QR code holds 4,296, real waybills under 700
IDLE_MS = 200  # a wrapper for cordless guns needed 120 to 150 to not break codes; people pause longer than this
BURST_MS = 50  # lines of one trigger pull follow within this gap; a second pull takes a person longer

_STX, _ETX, _CR, _LF = 0x02, 0x03, 0x0D, 0x0A


@dataclass(frozen=True, slots=True)
class Scan:
    """One code, or one line of a code with several lines.

    `text` is empty when there is a flaw, so that nobody acts on half a code. `burst` is the same number for lines that
    came from one trigger pull. `at_ms` is the time of the last byte or key, `began_ms` of the first. `is_stored` codes
    come from the gun's memory, as the gun says itself. `ended` is the sign that ended it; empty: a pause, or a frame.
    """

    text: str
    at_ms: int
    burst: int
    flaw: Flaw | None = None
    began_ms: int = field(default=0, compare=False)
    is_stored: bool = False
    ended: str = field(default="", compare=False)


class Bursts:
    """Numbers the trigger pulls: a line that begins within BURST_MS of the last line's end belongs to it."""

    def __init__(self) -> None:
        self._number = 0
        self._ended_ms: int | None = None

    def number(self, began_ms: int, ended_ms: int) -> int:
        """Give the burst number of a line."""
        if self._ended_ms is None or began_ms - self._ended_ms > BURST_MS:
            self._number += 1
        self._ended_ms = ended_ms
        return self._number

    def next(self) -> int:
        """Give the number of a code that came in a frame of its own."""
        self._number += 1
        self._ended_ms = None
        return self._number


class LineScans:
    """Plain line mode: data, then CR, CR LF, LF, ETX, or a pause of `idle_ms`.

    Bytes after MAX_CODE are counted, not kept. Text is UTF-8, or GB 18030 when it is not UTF-8.
    With `stx` each code begins with STX, and what stands before it is a piece of a lost code.
    """

    def __init__(self, idle_ms: int = IDLE_MS, stx: bool = False) -> None:
        self.idle_ms = idle_ms
        self._stx = stx
        self._bursts = Bursts()
        self._buffer = bytearray()
        self._is_overlong = False
        self._began_ms = 0
        self._last_ms = 0

    @property
    def is_partial(self) -> bool:
        """Whether a code has begun and not ended."""
        return bool(self._buffer) or self._is_overlong

    def feed(self, chunk: bytes, at_ms: int) -> list[Scan]:
        """Take bytes as they come and return the scans completed by them."""
        scans = self.idle(at_ms)
        for byte in chunk:
            if byte in (_CR, _LF) or (byte == _ETX and self._stx):
                scans += self._end(ended=chr(byte))
            elif byte == _STX and self._stx:
                scans += self._end(Flaw.DAMAGED)
            elif byte != 0:  # sleeping heads send zero bytes when they wake
                self._take(byte, at_ms)
        return scans

    def idle(self, now_ms: int) -> list[Scan]:
        """Tell the time; returns the code that a pause has ended, if any."""
        if self.is_partial and now_ms - self._last_ms >= self.idle_ms:
            return self._end()
        return []

    def lost(self) -> None:
        """The port vanished: drop the half code."""
        self._buffer.clear()
        self._is_overlong = False

    def _take(self, byte: int, at_ms: int) -> None:
        if not self.is_partial:
            self._began_ms = at_ms
        self._last_ms = at_ms
        if len(self._buffer) < MAX_CODE * 4:  # UTF-8 needs up to four bytes for one character
            self._buffer.append(byte)
        else:
            self._is_overlong = True

    def _end(self, flaw: Flaw | None = None, ended: str = "") -> list[Scan]:
        if not self.is_partial:
            return []  # the LF of a CR LF, or an empty line
        text = decoded(bytes(self._buffer))
        if flaw is None and (self._is_overlong or (text is not None and len(text) > MAX_CODE)):
            flaw = Flaw.OVERLONG
        elif flaw is None and text is None:
            flaw = Flaw.DAMAGED
        self.lost()
        burst = self._bursts.number(self._began_ms, self._last_ms)
        text = text if flaw is None and text is not None else ""
        return [Scan(text, self._last_ms, burst, flaw, self._began_ms, ended=ended)]


def decoded(raw: bytes) -> str | None:
    """Read bytes as UTF-8, else as GB 18030 (scanners have a switch for it), else None."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
