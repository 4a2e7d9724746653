"""What an Onbon font card shows: text in the card's own encoding, and the dynamic area that carries it.

No packets (drivers/wire/onbon.py) and no I/O. The card draws strict GB2312 from fonts in its own memory; it takes a
backslash for the start of a control string, so a backslash of ours never reaches it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

PIXELS = 0x8000  # in X and width: unit is the pixel; without it eight pixels (5K1 generation)
NEW_LINE = b"\\n"  # control string of the card

_UNKNOWN = "？"  # full-width, in GB2312: one cell wide like the character it stands for
_REPLACED = str.maketrans({"\\": "＼", "—": "―", "·": "・"})  # the codec's GB2312 table has the second form only
_HEAD = struct.Struct("<BHHHHBBBHB")
_TAIL = struct.Struct("<BBBBBBBBI")
_CENTRED = 0b1010  # bits 1-0 horizontal centre, bits 3-2 vertical middle


class Motion(IntEnum):
    """How the text appears."""

    STATIC = 1
    QUICK = 2
    LEFT = 3
    RIGHT = 4
    UP = 5
    DOWN = 6


@dataclass(frozen=True, slots=True)
class Voice:
    """Separate text for cards that speak (6K-YY)."""

    text: bytes
    speaker: int = 0
    volume: int = 0
    speed: int = 0


@dataclass(frozen=True, slots=True)
class Area:
    """One dynamic area. Units: pixels, seconds for `timeout`, half seconds for `hold`; `speed` 0 is fastest."""

    text: bytes
    width: int
    height: int
    number: int = 0
    x: int = 0
    y: int = 0
    in_pixels: bool = True
    run_mode: int = 0
    timeout: int = 0
    align: int = _CENTRED
    is_single_line: bool = True
    wraps: bool = False
    motion: Motion = Motion.STATIC
    speed: int = 0
    hold: int = 0
    voice: Voice | None = None


def text(plain: str) -> bytes:
    """Encode one line: strict GB2312, unmappable characters as a full-width question mark, controls as spaces.

    Never fails, and never yields a backslash: second bytes of strict GB2312 are all above A0.
    """
    clean = "".join(char if char.isprintable() else " " for char in plain.translate(_REPLACED))
    return b"".join(_encoded(char) for char in clean)


def lines(plain: Sequence[str]) -> bytes:
    """Encode several lines with the card's own line break between them."""
    return NEW_LINE.join(text(line) for line in plain)


def columns(encoded: bytes) -> int:
    """Width in half cells: one per byte, as the card's 16-dot fonts draw 8 pixels per byte of GB2312."""
    return max((len(line) for line in encoded.split(NEW_LINE)), default=0)


def encode(area: Area) -> bytes:
    """Lay an area out. Errors: struct.error for a number that does not fit its field (a bug of the caller)."""
    x, width = (area.x | PIXELS, area.width | PIXELS) if area.in_pixels else (area.x // 8, -(-area.width // 8))
    head = _HEAD.pack(0, x, area.y, width, area.height, area.number, 0, area.run_mode, area.timeout, _voice_kind(area))
    tail = _TAIL.pack(
        0, area.align, 1 if area.is_single_line else 2, 2 if area.wraps else 1,
        area.motion, 0, area.speed, area.hold, len(area.text),
    )  # fmt: skip
    return head + _voice(area.voice) + tail + area.text


def decode(encoded: bytes) -> Area | None:
    """Read an area back (for simulators); None when it is no area laid out as above."""
    try:
        kind, x, y, width, height, number, _, run_mode, timeout, voice_kind = _HEAD.unpack_from(encoded)
        voice, used = _read_voice(encoded[_HEAD.size :], voice_kind)
        at = _HEAD.size + used
        extra, align, single, wrap, motion, _, speed, hold, length = _TAIL.unpack_from(encoded, at)
        shown = encoded[at + _TAIL.size :]
        if kind != 0 or extra != 0 or length != len(shown):
            return None
        unit = 1 if width & PIXELS else 8
        return Area(
            shown, (width & ~PIXELS) * unit, height, number, (x & ~PIXELS) * unit, y, bool(width & PIXELS),
            run_mode, timeout, align, single == 1, wrap == 2, Motion(motion), speed, hold, voice,
        )  # fmt: skip
    except (struct.error, ValueError):
        return None


def plain(encoded: bytes) -> list[str]:
    """Read shown bytes back into lines (for simulators). Control strings stay visible."""
    return [line.decode("gb2312", "replace") for line in encoded.split(NEW_LINE)]


def _encoded(char: str) -> bytes:
    try:
        return char.encode("gb2312")
    except UnicodeEncodeError:
        return _UNKNOWN.encode("gb2312")


def _voice_kind(area: Area) -> int:
    return 0 if area.voice is None else 2


def _voice(voice: Voice | None) -> bytes:
    if voice is None:
        return b""
    return struct.pack("<BBBI", voice.speaker, voice.volume, voice.speed, len(voice.text)) + voice.text


def _read_voice(encoded: bytes, kind: int) -> tuple[Voice | None, int]:
    if kind == 0:
        return None, 0
    if kind != 2:
        raise ValueError(f"voice kind {kind} is not laid out here")
    speaker, volume, speed, length = struct.unpack_from("<BBBI", encoded)
    if length > len(encoded) - 7:
        raise ValueError("voice text is cut off")
    return Voice(encoded[7 : 7 + length], speaker, volume, speed), 7 + length
