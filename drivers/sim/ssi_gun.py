"""A Zebra gun in SSI mode, seen from the wire: packets, acknowledgements, repetitions, beeps. Pure; no port.

It behaves as badly as the real one: without an acknowledgement it repeats a packet twice, then gives the code up with
four low beeps (`lost`). Long codes leave in several packets of either kind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum

from drivers.sim.line import Line, poke_line
from drivers.sim.memory import GunMemory
from drivers.wire import ssi

RESPONSE_MS = 2000  # host response time-out as delivered
SENDS = 3
_FIRST_TEXT, _SEGMENT_TEXT = 241, 250  # bytes of text in the first and the later segments of a full packet


class Layout(Enum):
    """How codes leave."""

    CLASSIC = "classic"  # type, text; long ones continued
    CORDLESS = "cordless"  # type, 01, length, text; long ones in segments; status bit 0x20


class SsiGun:
    """The gun. What it says comes out at the next `tick`, or at once after an acknowledgement."""

    def __init__(self, layout: Layout = Layout.CLASSIC, memory: GunMemory | None = None) -> None:
        self.line = Line()
        self.layout = layout
        self.memory = memory or GunMemory()
        self.beeps: list[int] = []
        self.is_enabled = True
        self.is_triggered = False
        self.is_packeted = False
        self.lost = self.resent = self.acknowledged = self.naks = 0
        self.refuses: int | None = None
        self._queue: deque[list[bytes]] = deque()  # codes, each of one or several packets
        self._sent_ms: int | None = None
        self._sends = 0
        self._now_ms = 0
        self._buffer = bytearray()

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; returns the packets that go back."""
        self._buffer += self.line.incoming(chunk)
        replies: list[bytes] = []
        while self._buffer:
            size = self._buffer[0] + 2
            if size < 6:
                del self._buffer[0]
                continue
            if len(self._buffer) < size:
                break
            packet = bytes(self._buffer[:size])
            if ssi.is_whole(packet):
                del self._buffer[:size]
                replies += self._told(packet)
            else:
                self._buffer.clear()  # a bad sum: the rest of the burst is no good either
                replies.append(ssi.sealed(ssi.NAK, bytes((ssi.RESEND,)), ssi.DECODER))
        return self.line.outgoing(chunk, replies)

    def tick(self, now_ms: int) -> list[bytes]:
        """Tell the time; sends what waits, and again what was not acknowledged."""
        if now_ms - self._now_ms > 200:
            self._buffer.clear()  # half a command from long ago
        self._now_ms = now_ms
        return self.line.outgoing(b"", self._sendable())

    def send(self, text: str, kind: int = 0x03) -> None:
        """Scan one code."""
        if self.is_enabled:
            self._queue.append(packets(text.encode(), kind, self.layout))

    def upload(self) -> None:
        """Send the memory as BATCH_DATA packets."""
        size, batch = 0, b""
        for text in self.memory.stored:
            raw = text.encode()
            code = bytes((len(raw), 0x03)) + raw
            if size + len(code) > ssi.MAX_LENGTH - 4:
                self._queue.append([ssi.sealed(ssi.BATCH_DATA, batch, ssi.DECODER)])
                size, batch = 0, b""
            size, batch = size + len(code), batch + code
        if batch:
            self._queue.append([ssi.sealed(ssi.BATCH_DATA, batch, ssi.DECODER)])
        if not self.memory.keeps:
            self.memory.stored = []

    def state(self) -> dict[str, object]:
        """Everything a test asks for, ready for JSON."""
        return {
            "beeps": self.beeps,
            "enabled": self.is_enabled,
            "triggered": self.is_triggered,
            "packeted": self.is_packeted,
            "waiting": len(self._queue),
            "acknowledged": self.acknowledged,
            "resent": self.resent,
            "lost": self.lost,
            "naks": self.naks,
            "stored": len(self.memory.stored),
            "faults": self.line.faults,
        }

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle by name; `send` takes a type in hex, `refuse` a reason. Errors: LookupError, ValueError."""
        match handle, list(args):
            case "send", [text]:
                self.send(text)
            case "send", [text, kind]:
                self.send(text, int(kind, 16))
            case "burst", texts:
                for text in texts:
                    self.send(text)
            case "raw", [digits]:
                self._queue.append([bytes.fromhex(digits)])
            case "upload", []:
                self.upload()
            case "refuse", [reason]:
                self.refuses = int(reason) or None
            case "state", []:
                pass
            case _:
                if not self.memory.poke(handle, args):
                    return poke_line(self.line, handle, args)
        return self.state()

    def _sendable(self) -> list[bytes]:
        """The packet at the front, when it was never sent or its time is over."""
        while self._queue:
            if self._sent_ms is not None and self._now_ms - self._sent_ms < RESPONSE_MS:
                return []
            if self._sends < SENDS:
                return [self._front()]
            self._queue.popleft()
            self._sent_ms, self._sends = None, 0
            self.lost += 1
            self.beeps += [5] * 4
        return []

    def _front(self) -> bytes:
        packet = self._queue[0][0]
        if self._sends:
            self.resent += 1
            if ssi.is_whole(packet):
                packet = ssi.sealed(packet[1], packet[4:-2], packet[2], packet[3] | ssi.RETRANSMITTED)
        self._sends += 1
        self._sent_ms = self._now_ms
        return packet

    def _told(self, packet: bytes) -> list[bytes]:
        opcode, payload = packet[1], packet[4:-2]
        if opcode in (ssi.ACK, ssi.SEGMENT_ACK):
            return self._acknowledged()
        if opcode == ssi.NAK:
            self.naks += 1
            return [self._front()] if self._queue and 0 < self._sends < SENDS else []
        if self.refuses is not None:
            return [ssi.sealed(ssi.NAK, bytes((self.refuses,)), ssi.DECODER)]
        match opcode:
            case ssi.BEEP:
                if not packet[3] & ssi.RETRANSMITTED or self.beeps[-1:] != [payload[0]]:
                    self.beeps.append(payload[0])
            case ssi.START_DECODE | ssi.STOP_DECODE:
                self.is_triggered = opcode == ssi.START_DECODE
            case ssi.SCAN_ENABLE | ssi.SCAN_DISABLE:
                self.is_enabled = opcode == ssi.SCAN_ENABLE
            case ssi.PARAM_SEND:
                self.is_packeted = payload[1:3] == b"\xee\x01"
            case ssi.BATCH_REQUEST:
                self.upload()
        return [ssi.sealed(ssi.ACK, b"", ssi.DECODER, 0x80 if self.layout is Layout.CORDLESS else 0)]

    def _acknowledged(self) -> list[bytes]:
        if not self._sends:
            return []
        self.acknowledged += 1
        self._queue[0].pop(0)
        if not self._queue[0]:
            self._queue.popleft()
        self._sent_ms, self._sends = None, 0
        return self._sendable()


def packets(raw: bytes, kind: int, layout: Layout) -> list[bytes]:
    """Make the packets of one code."""
    if layout is Layout.CLASSIC:
        size = ssi.MAX_LENGTH - 5
        parts = [raw[at : at + size] for at in range(0, len(raw), size)] or [b""]
        marks = [ssi.CONTINUED] * (len(parts) - 1) + [0]
        return [
            ssi.sealed(ssi.DECODE_DATA, bytes((kind,)) + part, ssi.DECODER, mark)
            for part, mark in zip(parts, marks, strict=True)
        ]
    head = bytes((kind, 0x01)) + len(raw).to_bytes(2, "big")
    if len(raw) <= ssi.MAX_LENGTH - 8:
        return [ssi.sealed(ssi.DECODE_DATA, head + raw, ssi.DECODER, 0x20)]
    total = (len(raw) + 3).to_bytes(2, "big")  # three more than the text, as a captured packet has it
    first = b"\0\xf3\0\0" + total + head + raw[:_FIRST_TEXT]
    rest = [raw[at : at + _SEGMENT_TEXT] for at in range(_FIRST_TEXT, len(raw), _SEGMENT_TEXT)]
    later = [ssi.sealed(ssi.SEGMENT, bytes((number % 256,)) + part, ssi.DECODER) for number, part in enumerate(rest, 1)]
    return [ssi.sealed(ssi.SEGMENT, first, 0x02), *later]
