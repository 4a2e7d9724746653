"""Newland (NLS) guns and heads, and their clones: unified commands to bytes, codes and replies to values. No I/O.

Command: 7E 01 "0000", "#" (until power-off) or "@" (stored), tag and value, 3B 03. Reply: 02 01 "0000", the same mark,
the tag and value again, then 06 done, 15 bad value or 05 unknown command, 3B 03. Codes come as plain lines between.
Only "#" is used: nothing of ours stays in the gun.
Sources: three open drivers agree on the frame; BEEPON stands in two of them, its replies in none.
"""

from __future__ import annotations

from collections.abc import Sequence

from drivers.wire.gun import Answer, Command, Heard, Pace
from drivers.wire.scans import IDLE_MS, LineScans

_HEAD, _REPLY_HEAD, _TAIL = b"\x7e\x010000", b"\x02\x010000", b";\x03"
_STX, _SOH, _ETX = 0x02, 0x01, 0x03
_TAG = 6  # signs: three for the tag, three for the sub-tag
MAX_REPLY = 256  # a query of a whole table is longer, but nothing here asks for one

_ANSWERS = {0x06: (Answer.DONE, ""), 0x15: (Answer.REFUSED, "bad value"), 0x05: (Answer.REFUSED, "unknown command")}
_HIGH, _LOW = "BEEPON2000F100T20V", "BEEPON500F200T20V"  # hertz, milliseconds, volume 1 to 20


class Newland:
    """`drivers.wire.gun.GunWire` for guns that understand unified commands."""

    can_signal = True
    can_trigger = True

    def __init__(self, idle_ms: int = IDLE_MS, wake: bool = False) -> None:
        self.idle_ms = idle_ms
        # The maker promises an answer within 5 s; heads in the field take about 100 ms.
        self.pace = Pace(reply_s=2.0, gap_s=0.05, wake_s=0.05 if wake else 0.0)
        self.rejected = 0
        self._lines = LineScans(idle_ms)
        self._reply = bytearray()
        self._reply_ms = 0
        self._expected: Command | None = None

    @property
    def is_partial(self) -> bool:
        """Whether a code or a reply has begun and not ended."""
        return self._lines.is_partial or bool(self._reply)

    def feed(self, chunk: bytes, at_ms: int) -> Heard:
        """Take bytes as they come."""
        heard = self.idle(at_ms)
        for byte in chunk:
            if self._reply or byte == _STX:
                self._reply.append(byte)
                self._reply_ms = at_ms
                self._sort(heard, at_ms)
            else:
                heard.scans.extend(self._lines.feed(bytes((byte,)), at_ms))
        return heard

    def idle(self, now_ms: int) -> Heard:
        """Tell the time; a half reply is thrown away."""
        if self._reply and now_ms - self._reply_ms >= self.idle_ms:
            self._reply.clear()
            self.rejected += 1
        return Heard(self._lines.idle(now_ms))

    def lost(self) -> None:
        """The port vanished: drop the half code and the half reply."""
        self._lines.lost()
        self._reply.clear()

    def expect(self, command: Command | None) -> None:
        """Tell which command is out; a reply to another one is none."""
        self._expected = command

    def not_taken(self) -> None:
        """Plain lines do not come again."""

    def opening(self) -> Sequence[Command]:
        """Let the gun read: an earlier run may have ended with reading switched off."""
        return [command("SCNENA1")]

    def beep(self, accepted: bool) -> Sequence[Command]:
        """One high beep, or two low ones."""
        return [command(_HIGH)] if accepted else [command(_LOW), command(_LOW)]

    def trigger(self, on: bool) -> Command:
        """Pull or let go of the trigger."""
        return command(f"SCNTRG{int(on)}")

    def enable(self, on: bool) -> Command:
        """Let the gun read or not."""
        return command(f"SCNENA{int(on)}")

    def _sort(self, heard: Heard, at_ms: int) -> None:
        """Look at what began with STX: a reply under way, a whole one, or a code after all."""
        reply = bytes(self._reply)
        if len(reply) > 1 and reply[1] != _SOH:
            self._reply.clear()
            heard.scans.extend(self._lines.feed(reply, at_ms))
        elif reply.endswith(_TAIL):
            self._reply.clear()
            self._answered(reply, heard)
        elif len(reply) >= MAX_REPLY or reply[-1] == _ETX:
            self._reply.clear()
            self.rejected += 1

    def _answered(self, reply: bytes, heard: Heard) -> None:
        body = reply[len(_REPLY_HEAD) : -len(_TAIL)]
        if not reply.startswith(_REPLY_HEAD) or len(body) < _TAG + 2 or body[-1] not in _ANSWERS:
            self.rejected += 1
        elif self._expected is not None and body[1 : 1 + _TAG] == self._expected.tag:
            heard.answers.append(_ANSWERS[body[-1]])


def command(text: str) -> Command:
    """Make a command that lasts until power-off. `text` is tag, sub-tag and value without "#" and ";"."""
    frame = _HEAD + b"#" + text.encode("ascii") + _TAIL
    return Command(frame, frame, tag=text[:_TAG].encode("ascii"))


def reply(text: str, mark: int = 0x06) -> bytes:
    """Make the reply of a gun, as the simulator needs it."""
    return _REPLY_HEAD + b"#" + text.encode("ascii") + bytes((mark,)) + _TAIL
