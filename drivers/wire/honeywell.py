"""Honeywell and Hand Held guns on a serial line: commands to bytes, lines or framed reads to values. No I/O.

SYN T CR pulls the trigger, SYN U CR lets go, SYN BEL CR beeps: none of them is answered. A menu command is SYN M CR,
tag and value, "!" (until power-off) or "." (stored); the gun repeats it with 06 done, 05 unknown tag or 15 bad value
before the closing sign. Only "!" is used. With DECHDR1 each read is framed: SYN FE, length (4 bytes, low first), CR,
"MSGGET", length of the data with its CR (4 digits), Honeywell's own code letter, AIM letter and modifier, GS, data, CR.
Sources: two open drivers for the commands; one for the frame. What its first length counts is told by none, so the
second one decides and the closing CR must be there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivers.base import Flaw
from drivers.wire.gun import Answer, Command, Heard, Pace
from drivers.wire.scans import IDLE_MS, MAX_CODE, Bursts, LineScans, Scan, decoded

_SYN, _FRAME = 0x16, 0xFE
_HEAD_BYTES = 21  # SYN FE, 4, CR, MSGGET, 4, letter, 2, GS
_HEAD = re.compile(rb"\x16\xfe.{4}\rMSGGET(\d{4})([!-~])([!-~]{2})\x1d", re.DOTALL)
_AIM = re.compile(rb"[A-Za-z][0-9A-Fa-f]")
_ANSWERS = {0x06: (Answer.DONE, ""), 0x15: (Answer.REFUSED, "bad value"), 0x05: (Answer.REFUSED, "unknown command")}
_ENDS = b"!."

_BEEP = Command(b"\x16\x07\r", b"\x16\x07\r", is_answered=False)
_PULL = Command(b"\x16T\r", b"\x16T\r", is_answered=False)
_LET_GO = Command(b"\x16U\r", b"\x16U\r", is_answered=False)


class Honeywell:
    """`drivers.wire.gun.GunWire`. With `framed` the gun is told at each opening to frame its reads."""

    can_signal = True
    can_trigger = True

    def __init__(self, idle_ms: int = IDLE_MS, framed: bool = True) -> None:
        self.idle_ms = idle_ms
        self.pace = Pace(reply_s=1.0, gap_s=0.15)  # beeps closer together sound as one
        self.rejected = 0
        self._framed = framed
        self._lines = LineScans(idle_ms)
        self._bursts = Bursts()
        self._frame = bytearray()
        self._line = bytearray()  # of the newest line, what an answer may be
        self._last_ms = 0
        self._expected: Command | None = None

    @property
    def is_partial(self) -> bool:
        """Whether a code or a frame has begun and not ended."""
        return bool(self._line or self._frame) or self._lines.is_partial

    def feed(self, chunk: bytes, at_ms: int) -> Heard:
        """Take bytes as they come."""
        heard = self.idle(at_ms)
        for byte in chunk:
            self._last_ms = at_ms
            if self._frame or byte == _SYN:
                self._frame.append(byte)
                self._framing(heard, at_ms)
            else:
                self._plain(byte, heard, at_ms)
        return heard

    def idle(self, now_ms: int) -> Heard:
        """Tell the time; a pause ends a line, and makes a half frame a damaged read."""
        heard = Heard()
        if now_ms - self._last_ms < self.idle_ms:
            return heard
        if self._frame:
            self._frame.clear()
            self.rejected += 1
            heard.scans.append(self._scan("", now_ms, Flaw.DAMAGED))
        if self._line:
            self._give_line(heard, self._last_ms)
        heard.scans.extend(self._lines.idle(now_ms))
        return heard

    def lost(self) -> None:
        """The port vanished: drop what is half there."""
        self._lines.lost()
        self._frame.clear()
        self._line.clear()

    def expect(self, command: Command | None) -> None:
        """Tell which command is out; only its answer is told from a code."""
        self._expected = command

    def not_taken(self) -> None:
        """Reads do not come again."""

    def opening(self) -> Sequence[Command]:
        """Ask for framed reads."""
        return [menu("DECHDR1")] if self._framed else []

    def beep(self, accepted: bool) -> Sequence[Command]:
        """One beep, or three: the protocol has one tone only."""
        return [_BEEP] if accepted else [_BEEP] * 3

    def trigger(self, on: bool) -> Command:
        """Pull or let go of the trigger."""
        return _PULL if on else _LET_GO

    def enable(self, on: bool) -> None:
        """No source names a command for it."""

    def _plain(self, byte: int, heard: Heard, at_ms: int) -> None:
        """Hold a line back while it may be an answer, else it is a code."""
        expected = self._expected
        if expected is None and not self._line:
            heard.scans.extend(self._lines.feed(bytes((byte,)), at_ms))
            return
        self._line.append(byte)
        answer = _ANSWERS.get(self._line[-2]) if byte in _ENDS and len(self._line) > 1 else None
        at = -1 if expected is None else self._line.upper().rfind(expected.tag)
        if answer is not None and at >= 0:
            del self._line[at:]
            heard.answers.append(answer)
        if byte in (0x0D, 0x0A) or len(self._line) > MAX_CODE:
            self._give_line(heard, at_ms)

    def _give_line(self, heard: Heard, at_ms: int) -> None:
        line = bytes(self._line)
        self._line.clear()
        heard.scans.extend(self._lines.feed(line, at_ms))

    def _framing(self, heard: Heard, at_ms: int) -> None:
        frame = bytes(self._frame)
        if len(frame) == 2 and frame[1] != _FRAME:
            self._frame.clear()
            for byte in frame:  # a stray sign before a code: it stays there, so that no code loses its first sign
                self._plain(byte, heard, at_ms)
        elif len(frame) == _HEAD_BYTES and _HEAD.fullmatch(frame) is None:
            self._frame.clear()
            self.rejected += 1
            heard.scans.append(self._scan("", at_ms, Flaw.DAMAGED))
        elif len(frame) >= _HEAD_BYTES and len(frame) == _HEAD_BYTES + int(frame[13:17]):
            self._frame.clear()
            heard.scans.append(self._framed_scan(frame, at_ms))

    def _framed_scan(self, frame: bytes, at_ms: int) -> Scan:
        raw = frame[_HEAD_BYTES:]
        text = decoded(raw[:-1].rstrip(b"\r\n")) if raw.endswith(b"\r") else None
        if not text:
            self.rejected += 1
            return self._scan("", at_ms, Flaw.DAMAGED)
        if len(text) > MAX_CODE:
            return self._scan("", at_ms, Flaw.OVERLONG)
        aim = frame[18:20]
        prefix = f"]{aim.decode()}" if _AIM.fullmatch(aim) and not text.startswith("]") else ""
        return self._scan(prefix + text, at_ms)

    def _scan(self, text: str, at_ms: int, flaw: Flaw | None = None) -> Scan:
        return Scan(text, at_ms, self._bursts.next(), flaw, at_ms)


def menu(text: str) -> Command:
    """Make a menu command that lasts until power-off. `text` is tag and value without the closing sign."""
    frame = b"\x16M\r" + text.encode("ascii") + b"!"
    return Command(frame, frame, tag=text.encode("ascii"))


def framed(text: str, letter: str = "j", aim: str = "C0") -> bytes:
    """Make a framed read, as the simulator needs it. Errors: ValueError for a text longer than four digits can say."""
    raw = text.encode() + b"\r"
    if len(raw) > 9999:
        raise ValueError(f"{len(raw)} bytes do not fit into one read")
    body = f"MSGGET{len(raw):04}{letter}{aim}\x1d".encode("ascii") + raw
    return b"\x16\xfe" + len(body).to_bytes(4, "little") + b"\r" + body
