"""Zebra (Symbol, Motorola) Simple Serial Interface: bytes to scans and answers, commands to bytes. No I/O.

Packet: length, opcode, source, status, data, checksum (two bytes, high first). The length counts all but the checksum;
the sum of everything, checksum read as 16 bits, is 0 modulo 65,536. Every packet is acknowledged, else the gun sends
it again twice with the retransmission bit and then sounds four low beeps: the scan is lost and its hand knows it.
Sources: Simple Serial Interface Programmer's Guide 72E-40451-04EN for packets, ACK and NAK; two open drivers for the
long layout, segments and status bits of cordless guns. Facts with one source: segments (opcode 73), the status bits
0x20 and 0x80, and the layout of BATCH_DATA, which is checked to fit to the byte before it is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from drivers.base import Flaw
from drivers.wire.gun import Answer, Command, Heard, Pace
from drivers.wire.scans import IDLE_MS, MAX_CODE, Bursts, Scan, decoded

DECODER, HOST = 0x00, 0x04
RETRANSMITTED, CONTINUED, PERMANENT = 0x01, 0x02, 0x08
MAX_LENGTH = 0xFF
PARTS_MS = 2500  # a gun sends a part again after 2 s; one that waits longer between parts has given the code up

SEGMENT, SEGMENT_ACK = 0x73, 0x74
ACK, NAK = 0xD0, 0xD1
CAPABILITIES, BATCH_REQUEST, BATCH_DATA = 0xD4, 0xD5, 0xD6
INIT_RESPONSE, HOST_ACK = 0x91, 0x96
PARAM_SEND, START_DECODE, STOP_DECODE, BEEP, SCAN_ENABLE, SCAN_DISABLE = 0xC6, 0xE4, 0xE5, 0xE6, 0xE9, 0xEA
DECODE_DATA = 0xF3

RESEND, BAD_CONTEXT, DENIED = 0x01, 0x02, 0x06
_REASONS = {BAD_CONTEXT: "not now", DENIED: "denied", 0x0A: "cancelled"}
BEEP_ACCEPTED, BEEP_REFUSED = 0, 6  # one short high, two short low
_NO_CHECK = (ACK, NAK, CAPABILITIES)  # never acknowledged
_NO_READ = b"NR"
_IN_TEXT = b"\x1d\r\n"  # control characters that stored codes may hold

# Bar code types that say more than their text does, as AIM identifiers. Two-dimensional types are left out: the byte
# does not tell whether FNC1 came first.
_AIM = {0x01: "A0", 0x03: "C0", 0x06: "I0", 0x0A: "E4", 0x0B: "E0", 0x0F: "C1", 0x30: "e0", 0x31: "e0", 0x32: "e0"}


def sealed(opcode: int, payload: bytes = b"", source: int = HOST, status: int = 0) -> bytes:
    """Make a packet. Errors: ValueError when the data is longer than a packet holds."""
    length = 4 + len(payload)
    if length > MAX_LENGTH:
        raise ValueError(f"{len(payload)} bytes do not fit into one packet")
    body = bytes((length, opcode, source, status)) + payload
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")


def is_whole(packet: bytes) -> bool:
    """Tell whether length and checksum of a packet agree."""
    if len(packet) < 6 or len(packet) != packet[0] + 2:
        return False
    return (sum(packet[:-2]) + int.from_bytes(packet[-2:], "big")) & 0xFFFF == 0


@dataclass(slots=True)
class _Parts:
    """A code that comes in several packets."""

    kind: int
    text: bytearray
    last_ms: int
    wanted: int | None = None  # bytes of text, when the first segment told
    next_segment: int = 1


class Ssi:
    """`drivers.wire.gun.GunWire` for SSI guns set to packeted data. With `aim`, the type becomes an AIM identifier."""

    can_signal = True
    can_trigger = True

    def __init__(self, idle_ms: int = IDLE_MS, aim: bool = True, wake: bool = False) -> None:
        self.idle_ms = idle_ms
        self.pace = Pace(reply_s=1.0, gap_s=0.02, wake_s=0.05 if wake else 0.0)
        self.rejected = 0
        self._aim = aim
        self._bursts = Bursts()
        self._buffer = bytearray()
        self._last_ms = 0
        self._previous: tuple[int, bytes] | None = None  # opcode and data of the newest packet with scans
        self._parts: _Parts | None = None
        self._is_orphan = False  # the head of a code was given up, its tail must not pass for a code
        self._is_answer_due = False

    @property
    def is_partial(self) -> bool:
        """Whether a packet or a code of several packets has begun and not ended."""
        return bool(self._buffer) or self._parts is not None

    def feed(self, chunk: bytes, at_ms: int) -> Heard:
        """Take bytes as they come."""
        heard = self.idle(at_ms)
        if not self._buffer:
            chunk = chunk.lstrip(b"\0")  # a waking gun's; no packet begins with zero
        self._buffer += chunk
        self._last_ms = at_ms
        if self._take(heard, at_ms):
            heard.replies.append(nak(RESEND))
        return heard

    def idle(self, now_ms: int) -> Heard:
        """Tell the time; what is left of a broken packet is thrown away, and the gun asked to send it again."""
        heard = Heard()
        if self._buffer and now_ms - self._last_ms >= self.idle_ms:
            while self._buffer:
                self._reject()
                self._take(heard, self._last_ms)
            heard.replies.append(nak(RESEND))
        if self._parts is not None and now_ms - self._parts.last_ms >= PARTS_MS:
            self._parts = None
            self._is_orphan = True
            heard.scans.append(self._scan("", now_ms, Flaw.DAMAGED))
        return heard

    def lost(self) -> None:
        """The port vanished: drop half packets and half codes."""
        self._buffer.clear()
        self._parts = self._previous = None
        self._is_orphan = False

    def expect(self, command: Command | None) -> None:
        """Tell whether a command is out. SSI answers do not say to what they answer."""
        self._is_answer_due = command is not None

    def not_taken(self) -> None:
        """Forget the newest packet, so that its repetition counts."""
        self._previous = None

    def opening(self) -> Sequence[Command]:
        """Ask for packets, for this session only (storing wears the gun's memory), and let the gun read."""
        return [_command(PARAM_SEND, b"\xff\xee\x01"), _command(SCAN_ENABLE)]

    def beep(self, accepted: bool) -> Sequence[Command]:
        """One short high beep, or two short low ones."""
        return [_command(BEEP, bytes((BEEP_ACCEPTED if accepted else BEEP_REFUSED,)))]

    def trigger(self, on: bool) -> Command:
        """Start or stop a decode session. The gun must be set to host trigger."""
        return _command(START_DECODE if on else STOP_DECODE)

    def enable(self, on: bool) -> Command:
        """Let the gun read or not. One kit has the two codes swapped; the vendor's numbers are used."""
        return _command(SCAN_ENABLE if on else SCAN_DISABLE)

    def _take(self, heard: Heard, at_ms: int) -> bool:
        """Take whole packets off the front; tells whether something was thrown away and nothing came after it."""
        is_damaged = False
        while self._buffer:
            size = self._buffer[0] + 2
            if size < 6:
                is_damaged = self._reject() or is_damaged
            elif len(self._buffer) < size:
                return False  # the rest may come; else the pause clears it
            elif is_whole(packet := bytes(self._buffer[:size])):
                del self._buffer[:size]
                self._packet(packet, heard, at_ms)
                is_damaged = False
            else:
                is_damaged = self._reject() or True
        return is_damaged

    def _reject(self) -> bool:
        """Throw one byte away; zeros are no damage."""
        byte = self._buffer.pop(0)
        self.rejected += byte != 0
        return byte != 0

    def _packet(self, packet: bytes, heard: Heard, at_ms: int) -> None:
        opcode, source, status, payload = packet[1], packet[2], packet[3], packet[4:-2]
        if source == HOST:
            return  # our own, by an adapter that echoes
        if opcode in (ACK, NAK):
            self._answered(opcode, payload, heard)
            return
        is_again = bool(status & RETRANSMITTED) and self._previous == (opcode, payload)
        if opcode == SEGMENT:
            self._segment(payload, heard, at_ms)
            return
        if opcode not in _NO_CHECK:
            heard.replies.append(sealed(HOST_ACK if opcode == INIT_RESPONSE else ACK))
        if opcode in (DECODE_DATA, BATCH_DATA):
            self._previous = (opcode, payload)
            if opcode == DECODE_DATA and not is_again:
                heard.scans.extend(self._decoded(status, payload, at_ms))
            elif not is_again:
                heard.scans.extend(self._stored(payload, at_ms))

    def _answered(self, opcode: int, payload: bytes, heard: Heard) -> None:
        if not self._is_answer_due:
            return
        if opcode == ACK:
            heard.answers.append((Answer.DONE, ""))
        elif payload[:1] == bytes((RESEND,)):
            heard.answers.append((Answer.RESEND, "checksum"))
        else:
            code = payload[0] if payload else 0
            heard.answers.append((Answer.REFUSED, _REASONS.get(code, f"reason {code}")))

    def _decoded(self, status: int, payload: bytes, at_ms: int) -> list[Scan]:
        if self._is_orphan and status & (RETRANSMITTED | CONTINUED):
            self._is_orphan = bool(status & CONTINUED)
            return []
        self._is_orphan = False
        if not payload:
            return [self._scan("", at_ms, Flaw.DAMAGED)]
        kind, text = payload[0], payload[1:]
        if self._parts is not None and self._parts.wanted is None and self._parts.kind == kind:
            text = bytes(self._parts.text) + text
        self._parts = None
        if status & CONTINUED:
            self._parts = _Parts(kind, bytearray(text[: 4 * MAX_CODE + 4]), at_ms)
            return []
        if text[:1] == b"\x01" and int.from_bytes(text[1:3], "big") == len(text) - 3:
            text = text[3:]  # the layout of newer cordless guns
        return self._code(kind, text, at_ms)

    def _segment(self, payload: bytes, heard: Heard, at_ms: int) -> None:
        """Shape: segment number, then text; segment 0 has F3 00 00, total (2), type, 01, length (2) before it."""
        if not payload:
            return
        number, text, parts = payload[0], payload[1:], self._parts
        if number == 0 and len(text) >= 9 and text[0] == DECODE_DATA:
            wanted = int.from_bytes(text[7:9], "big")
            parts = self._parts = _Parts(text[5], bytearray(text[9:]), at_ms, wanted)
        elif parts is None or parts.wanted is None or number > parts.next_segment % 256:
            self._parts = None
            if parts is not None:
                heard.scans.append(self._scan("", at_ms, Flaw.DAMAGED))
        elif number == parts.next_segment % 256:
            parts.text += text
            parts.next_segment += 1
            parts.last_ms = at_ms
        is_over = parts is not None and parts.wanted is not None and len(parts.text) >= parts.wanted
        if is_over and parts is not None:
            self._parts = None
            heard.scans.extend(self._code(parts.kind, bytes(parts.text[: parts.wanted]), at_ms))
        heard.replies.append(sealed(ACK if is_over else SEGMENT_ACK))

    def _stored(self, payload: bytes, at_ms: int) -> list[Scan]:
        readings = [codes for counts_type in (False, True) if (codes := _walked(payload, counts_type)) is not None]
        if len(readings) != 1:
            return [replace(self._scan("", at_ms, Flaw.DAMAGED), is_stored=True)]
        scans = [scan for kind, text in readings[0] for scan in self._code(kind, text, at_ms)]
        return [replace(scan, is_stored=True) for scan in scans]

    def _code(self, kind: int, raw: bytes, at_ms: int) -> list[Scan]:
        raw = raw.rstrip(b"\r\n")
        if kind == 0x01 and raw == _NO_READ:
            return []
        text = decoded(raw)
        if text is None or not text:
            return [self._scan("", at_ms, Flaw.DAMAGED)]
        if len(text) > MAX_CODE:
            return [self._scan("", at_ms, Flaw.OVERLONG)]
        aim = f"]{_AIM[kind]}" if self._aim and kind in _AIM and not text.startswith("]") else ""
        return [self._scan(aim + text, at_ms)]

    def _scan(self, text: str, at_ms: int, flaw: Flaw | None = None) -> Scan:
        return Scan(text, at_ms, self._bursts.next(), flaw, at_ms)


def nak(reason: int) -> bytes:
    """Tell the gun that a packet was no good."""
    return sealed(NAK, bytes((reason,)))


def _command(opcode: int, payload: bytes = b"") -> Command:
    return Command(sealed(opcode, payload), sealed(opcode, payload, status=RETRANSMITTED))


def _walked(payload: bytes, counts_type: bool) -> list[tuple[int, bytes]] | None:
    """Split stored codes, each size, type, text; None when they do not fit to the byte or hold control characters.

    Not told by any source at hand: whether the size counts the type byte. Only one of the two may fit.
    """
    codes, at = [], 0
    while at < len(payload):
        end = at + 1 + payload[at] + (not counts_type)
        if end > len(payload) or end < at + 3:
            return None
        text = payload[at + 2 : end]
        if any(byte < 0x20 and byte not in _IN_TEXT for byte in text):
            return None
        codes.append((payload[at + 1], text))
        at = end
    return codes or None
