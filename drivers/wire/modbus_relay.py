"""Modbus RTU frames of relay boards with inputs ("Modbus RTU Relay (D)" and its like) to values and back. No I/O here.

Relay n opens lock n, input n is its door contact. Three requests are built: all relays off (at start), flash one relay
(function 05, register 0200h + relay: the board itself ends the pulse), read the inputs (function 02). No frame that
leaves a relay on can be built: a terminal that dies between "on" and "off" would burn the coil. Boards without the
flash register answer with an exception and open nothing.

Shape:  ADDR FC .. CRC16 (poly 8005h reflected, start FFFFh, low byte first). No head and no length: what a frame is
        follows from its function and its CRC. Writes are answered by the same bytes, so an answer to an opening says
        only that the board took it; on an adapter with echo not even that.
Units:  the pulse goes in steps of 100 ms, rounded up.
Doubt:  whether an input is triggered by an open or a shut door depends on the contact's wiring (polarity). The control
        mode of each channel must be 0 ("normal") at commissioning: in linkage mode the relay would follow the door.
Source: the maker's wiki as quoted by several projects, an open locker project for the rules (vectors with their keys in
        tests/drivers/wire/test_modbus_relay.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.wire.frame_hunt import MORE, NO_FRAME, Found, HuntingParser, within
from drivers.wire.lock import BoardState, Calmed, Declined, Echoed, LockEvent, Look, OpenReply, UsualManners

BAUD = 9600  # factory setting; 8N1
WAYS = (4, 8, 16, 24, 32)
PULSE_MS = 500  # locks want 300 to 700
MAX_PULSE_MS = 2000  # a coil for 12 V / 2 A must cool
ADDRESSES = range(1, 248)  # 0 would be all boards, and nobody answers

_READ_INPUTS, _WRITE_ONE = 0x02, 0x05
_IS_EXCEPTION = 0x80
_ALL_RELAYS, _FLASH_ON = 0x00FF, 0x0200
_STEP_MS = 100
_WRITE_FRAME, _EXCEPTION_FRAME = 8, 5


def crc16(frame: bytes) -> int:
    """The check of Modbus RTU."""
    crc = 0xFFFF
    for byte in frame:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def sealed(body: bytes) -> bytes:
    """Append the check, low byte first."""
    return body + crc16(body).to_bytes(2, "little")


def is_sealed(frame: bytes) -> bool:
    """Tell whether the last two bytes are the check of the others."""
    return crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC = tuple(_crc_of(byte) for byte in range(256))


@dataclass(frozen=True, slots=True)
class ModbusRelay(UsualManners):
    """The codec of one bus of such boards. `first` is the unit number of board 1."""

    ways: int = 8
    first: int = 1
    pulse_ms: int = PULSE_MS

    def __post_init__(self) -> None:
        if self.ways not in WAYS:
            raise ValueError(f"ways must be one of {WAYS}, not {self.ways}")
        if self.first not in ADDRESSES:
            raise ValueError(f"first must be 1..{ADDRESSES[-1]}, not {self.first}")
        if not 0 < self.pulse_ms <= MAX_PULSE_MS:
            raise ValueError(f"pulse_ms must be 1..{MAX_PULSE_MS}, not {self.pulse_ms}")

    def open(self, board: int, lock: int) -> bytes:
        """Flash one relay. Errors: ValueError outside the board."""
        relay = within(lock, self.ways, "lock") - 1
        return self._request(board, _WRITE_ONE, _FLASH_ON + relay, -(-self.pulse_ms // _STEP_MS))

    def read_all(self, board: int) -> bytes:
        """Ask for all inputs of a board."""
        return self._request(board, _READ_INPUTS, 0, self.ways)

    def looks(self, board: int, lock: int | None = None) -> Sequence[Look]:  # noqa: ARG002  one frame tells all
        """Build the question for all contacts."""
        return (Look(self.read_all(board), range(1, self.ways + 1)),)

    def at_start(self, board: int) -> Sequence[bytes]:
        """All relays off: whoever spoke to the board before may have left one on."""
        return (self._request(board, _WRITE_ONE, _ALL_RELAYS, 0),)

    def parser(self) -> ParserModbus:
        """Make a fresh parser for one bus."""
        return ParserModbus(self.ways, self.first)

    def _request(self, board: int, function: int, register: int, value: int) -> bytes:
        address = self.first + within(board, ADDRESSES[-1] - self.first + 1, "board") - 1
        return sealed(bytes((address, function, *divmod(register, 256), *divmod(value, 256))))


class ParserModbus(HuntingParser):
    """Bytes to values."""

    def __init__(self, ways: int, first: int) -> None:
        super().__init__()
        self._ways = ways
        self._state_bytes = -(-ways // 8)
        self._first = first

    def _front(self, buffer: bytearray) -> Found:
        board = buffer[0] - self._first + 1
        if board < 1 or buffer[0] not in ADDRESSES:
            return NO_FRAME
        if len(buffer) < 3:
            return MORE
        length = self._length(buffer)
        if length is None:
            return NO_FRAME
        if len(buffer) < length:
            return MORE
        frame = bytes(buffer[:length])
        return (length, self._event(board, frame)) if is_sealed(frame) else NO_FRAME

    def _length(self, buffer: bytearray) -> int | None:
        match buffer[1]:
            case 0x02 if buffer[2] == self._state_bytes:
                return 5 + self._state_bytes
            case 0x02 | 0x05 if buffer[2] <= _FLASH_ON >> 8:  # of a request, the high byte of the register
                return _WRITE_FRAME
            case 0x82 | 0x85:
                return _EXCEPTION_FRAME
        return None

    def _event(self, board: int, frame: bytes) -> LockEvent | None:
        function, register = frame[1], int.from_bytes(frame[2:4], "big")
        if function & _IS_EXCEPTION:
            return Declined(board, None, f"exception {frame[2]:02X}", is_certain=True)
        if function == _READ_INPUTS:
            if frame == self._asked:
                return Echoed(board)
            return BoardState(board, self._bits(frame[3:-2])) if frame[2] == self._state_bytes else None
        if register == _ALL_RELAYS and frame[4:6] == b"\0\0":
            return Calmed(board)
        relay = register - _FLASH_ON
        return OpenReply(board, relay + 1, None) if 0 <= relay < self._ways else None

    def _bits(self, inputs: bytes) -> tuple[bool, ...]:
        """Shape: bit 0 of the first byte is input 1; 1 triggered."""
        bits = int.from_bytes(inputs, "little")
        return tuple(bool(bits >> lock & 1) for lock in range(self._ways))
