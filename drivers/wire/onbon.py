"""Packets of Onbon BX-5K/6K font cards to values and back: escaping, header, check sum, commands, answers.

No I/O here (drivers/display.py owns the link), and no text: what is shown is laid out in drivers/wire/onbon_area.py.
All numbers are little-endian. Serial and network carry the same bytes.
Source: "BX-5(M)K/6K protocol V4.2, user edition" through the maker's published samples; vectors with their origin in
tests/drivers/wire/test_onbon.py.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

BAUD = 57600  # factory setting; some cards 9600
PC = 0x8000  # our own address
ANY_TYPE = 0xFE
BROADCAST_SILENT = 0xFFFF
MAX_BRIGHTNESS = 15
MAX_PACKET = 8192  # our bound; the longest published packet is 404 bytes, the field would allow 65,535

_START, _END, _START_ESCAPE, _END_ESCAPE = 0xA5, 0x5A, 0xA6, 0x5B
_LEAD = bytes((_START,)) * 8
_ESCAPES = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_UNESCAPES = {escaped: bytes((raw,)) for raw, escaped in _ESCAPES.items()}
_HEADER = struct.Struct("<HH3xBBBBBH")  # dst, src, reserved, option, CRC mode, display mode, type, version, length
_VERSION = 0x02
_ERRORS = (
    "none", "unknown group", "unknown command", "busy", "memory", "check sum", "no such file", "flash", "download",
    "file name", "file type", "file check sum", "font missing", "firmware type", "date or time", "file exists",
    "block number", "controller type", "screen parameter", "controller id",
)  # fmt: skip


_ADVICE = {
    4: "the text is too long for the card",
    5: "noise on the line: check the A/B wires and the ground",
    12: "a font is missing on the card: load GB2312 fonts with the maker's tool",
    17: "option device_type does not fit this card",
    18: "the area does not fit the panel: check options width, height and in_pixels",
    19: "option screen is another card's number",
}
_COMMANDS = {
    b"\xa2\x00": "ping", b"\xa2\x02": "status", b"\xa2\x03": "clock", b"\xa3\x00": "power", b"\xa3\x02": "brightness",
    b"\xa3\x06": "text", b"\xa3\x10": "clear",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet with a right check sum."""

    to: int
    sender: int
    payload: bytes
    device_type: int = ANY_TYPE


@dataclass(frozen=True, slots=True)
class Ack:
    """The card has done it."""


@dataclass(frozen=True, slots=True)
class Nack:
    """The card will not. `error` as printed by the maker, `name` for the log."""

    error: int

    @property
    def name(self) -> str:
        """The maker's word for the error."""
        return _ERRORS[self.error] if self.error < len(_ERRORS) else f"error {self.error}"

    @property
    def advice(self) -> str:
        """What the technician may do about it; empty when the name says all we know."""
        return _ADVICE.get(self.error, "")


@dataclass(frozen=True, slots=True)
class ScreenStatus:
    """Answer to `query_status`. `areas` are the dynamic areas now in the card's memory (lost at power-off)."""

    is_on: bool
    brightness: int
    areas: tuple[int, ...]


Answer = Ack | Nack | ScreenStatus


def crc16(body: bytes, start: int = 0) -> int:
    """CRC-16/ARC: polynomial 8005 reflected, start 0, no final XOR. With start FFFF it is the one of Modbus."""
    crc = start
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def framed(packet: Packet) -> bytes:
    """Put a payload on the wire. Errors: ValueError when it is longer than the card's memory allows."""
    if len(packet.payload) > MAX_PACKET - _HEADER.size - 2:
        raise ValueError(f"payload of {len(packet.payload)} bytes is too long")
    header = _HEADER.pack(packet.to, packet.sender, 0, 0, 0, packet.device_type, _VERSION, len(packet.payload))
    body = header + packet.payload
    body += struct.pack("<H", crc16(body))
    return _LEAD + b"".join(_ESCAPES.get(byte, bytes((byte,))) for byte in body) + bytes((_END,))


def command_name(payload: bytes) -> str:
    """What a payload asks for, for the log."""
    return _COMMANDS.get(payload[:2], f"command {payload[:2].hex()}")


def ping() -> bytes:
    """Payload: are you there?"""
    return _request(0xA2, 0x00)


def query_status() -> bytes:
    """Payload: how are you, and which areas do you hold? Some cards answer with Nack."""
    return _request(0xA2, 0x02)


def set_clock(now: datetime) -> bytes:
    """Payload: set the card's clock to this local time."""
    two = [now.year % 100, now.year // 100, now.month, now.day, now.hour, now.minute, now.second]
    return _request(0xA2, 0x03, bytes(map(_bcd, two)) + bytes((now.isoweekday(),)))


def power(on: bool) -> bytes:
    """Payload: switch the LEDs on or off; the card itself stays awake."""
    return _request(0xA3, 0x00, b"\x01" if on else b"\x02")


def brightness(level: int) -> bytes:
    """Payload: manual brightness 0..15, the same for each of the 48 half hours."""
    if not 0 <= level <= MAX_BRIGHTNESS:
        raise ValueError(f"brightness {level} is not in 0..{MAX_BRIGHTNESS}")
    return _request(0xA3, 0x02, bytes((1, level)) + b"\x01" * 48)


def clear() -> bytes:
    """Payload: blank the screen."""
    return _request(0xA3, 0x10)


def update_areas(areas: Sequence[bytes], delete: Sequence[int] = ()) -> bytes:
    """Payload: delete these area ids, then put these encoded areas up."""
    put = b"".join(struct.pack("<H", len(area)) + area for area in areas)
    return _request(0xA3, 0x06, bytes((len(delete), *delete, len(areas))) + put)


def delete_all_areas() -> bytes:
    """Payload: forget every dynamic area."""
    return _request(0xA3, 0x06, b"\xff\x00")


def ack() -> bytes:
    """Payload of the card's own yes (for simulators)."""
    return bytes((0xA0, 0x00, 0, 0, 0))


def nack(error: int) -> bytes:
    """Payload of the card's own no (for simulators)."""
    return bytes((0xA0, 0x01, error, 0, 0))


def status_answer(status: ScreenStatus) -> bytes:
    """Payload of the card's answer to `query_status` (for simulators); its other fields are empty."""
    head = bytes((0xA1, 0x02, 0, 0, 0, 1 if status.is_on else 2, status.brightness)) + bytes(8)
    return head + b"\0P000\0\0" + bytes((len(status.areas), *status.areas)) + b"0" * 16 + bytes(12)


def answer(payload: bytes) -> Answer | None:
    """Read a payload from the card; None when it is no answer known here."""
    match payload[:2]:
        case b"\xa0\x00" if len(payload) == 5:
            return Ack()
        case b"\xa0\x01" if len(payload) == 5:
            return Nack(payload[2])
        case b"\xa1\x02":
            return _status(payload)
    return None


class Parser:
    """Bytes to packets, for both ends. A raw A5 starts afresh, a raw 5A ends; neither occurs inside by escaping."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inside = False
        self.rejected = 0

    def reset(self) -> None:
        """Forget a half packet."""
        self.rejected += len(self._buffer)
        self._buffer.clear()
        self._inside = False

    def feed(self, chunk: bytes) -> list[Packet]:
        """Take bytes as they come and return the packets completed by them."""
        packets = []
        for byte in chunk:
            if byte == _START:
                self.reset()
                self._inside = True
            elif not self._inside:
                self.rejected += 0 if byte == _END else 1  # some cards send the end mark twice
            elif byte == _END:
                packet = unframed(bytes(self._buffer))
                if packet is not None:
                    self._buffer.clear()
                    packets.append(packet)
                self.reset()
            elif len(self._buffer) >= 2 * MAX_PACKET:  # every byte may be escaped
                self.reset()
            else:
                self._buffer.append(byte)
        return packets


def unframed(escaped: bytes) -> Packet | None:
    """Read what stood between the start and end marks; None when escapes, length, version or check sum are wrong."""
    body = _unescaped(escaped)
    if body is None or len(body) < _HEADER.size + 2:
        return None
    to, sender, option, crc_mode, _mode, device_type, version, length = _HEADER.unpack_from(body)
    if option != 0 or crc_mode != 0 or version != _VERSION or len(body) != _HEADER.size + length + 2:
        return None
    if crc16(body[:-2]) != int.from_bytes(body[-2:], "little"):
        return None
    return Packet(to, sender, body[_HEADER.size : -2], device_type)


def _request(group: int, command: int, rest: bytes = b"") -> bytes:
    return bytes((group, command, 0x01, 0, 0)) + rest  # 01: an answer is wanted


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10


def _status(payload: bytes) -> ScreenStatus | None:
    count_at = 22  # group, command, error, 2 reserved, on, brightness, 8 time, programs, 4 name, 2 special
    if len(payload) <= count_at or len(payload) < count_at + 1 + payload[count_at]:
        return None
    areas = payload[count_at + 1 : count_at + 1 + payload[count_at]]
    return ScreenStatus(payload[5] == 1, payload[6], tuple(areas))


def _unescaped(escaped: bytes) -> bytes | None:
    plain = bytearray()
    rest = iter(escaped)
    for byte in rest:
        if byte in (_START_ESCAPE, _END_ESCAPE):
            raw = _UNESCAPES.get(bytes((byte, next(rest, 0))))
            if raw is None:
                return None
            plain += raw
        else:
            plain.append(byte)
    return bytes(plain)
