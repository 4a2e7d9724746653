"""How fast scans are decoded: keys of a keyboard-like scanner, bytes of serial ones. Pure decoders, no device.

The floor is what the wire can bring: a full-speed USB keyboard reports at most once a millisecond and a key is two
reports, so no gun types more than 500 keys in a second; a line at 115,200 baud brings 11,520 bytes. What the language
itself takes to look at each event or byte once is told beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from table import Figure, Rounds

from drivers.wire.honeywell import Honeywell, framed
from drivers.wire.keys import KeyScans
from drivers.wire.newland import Newland
from drivers.wire.scans import LineScans
from drivers.wire.ssi import DECODE_DATA, DECODER, Ssi, sealed

CODE = "SF1385628716739"
USB_KEYS = 500.0  # per second, see above
LINE_BYTES = 11_520.0  # per second at 115,200 baud, 8N1
TIMES = 20  # faster than the wire, so that decoding is noise beside everything else
SHIFT, ENTER = 42, 28
_ROWS = ((2, "1234567890"), (16, "qwertyuiop"), (30, "asdfghjkl"), (44, "zxcvbnm"))
_KEYS = {char: code for first, row in _ROWS for code, char in enumerate(row, first)}


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Measure all decoders; `folder` is not needed."""
    rounds, codes = (3, 1_000) if quick else (7, 5_000)
    packet = sealed(DECODE_DATA, b"\x03" + CODE.encode(), DECODER)
    line, frame = CODE.encode() + b"\r", framed(CODE)
    by_line: dict[str, tuple[bytes, Callable[[], float]]] = {
        "line": (line, lambda: _lines(line, codes)),
        "ssi": (packet, lambda: _gun(Ssi, packet, codes)),
        "newland": (line, lambda: _gun(Newland, line, codes)),
        "honeywell": (frame, lambda: _gun(Honeywell, frame, codes)),
    }
    figures = [
        _figure(
            "keys decoded", "keys/s", USB_KEYS, [keys_per_s(codes) for _ in range(rounds)],
            bare(typed(CODE), (len(CODE) + 1) * codes, codes),
        )
    ]  # fmt: skip
    for name, (sent, run) in by_line.items():
        taken = [run() for _ in range(rounds)]
        loop = bare(sent, len(sent) * codes, codes)
        figures.append(_figure(f"{name} bytes decoded", "bytes/s", LINE_BYTES, taken, loop))
    return figures


def bare(items: Sequence[object], units: int, codes: int) -> float:
    """Units a second when each item is only looked at."""
    began, seen = time.perf_counter(), 0
    for _ in range(codes):
        for item in items:
            if item is not None:
                seen += 1
    took = time.perf_counter() - began
    assert seen == codes * len(items)
    return units / took


def keys_per_s(codes: int) -> float:
    """Decode a waybill so many times, as the kernel reports it: scan code, down, report, up, report."""
    scans, events = KeyScans(), typed(CODE)
    began, read = time.perf_counter(), 0
    for at_ms in range(0, codes * 1000, 1000):
        for kind, code, value in events:
            read += len(scans.feed(kind, code, value, at_ms))
    took = time.perf_counter() - began
    assert read == codes
    return codes * (len(CODE) + 1) / took


def typed(text: str) -> list[tuple[int, int, int]]:
    """The input events of a text of capitals and digits, with Enter."""
    events: list[tuple[int, int, int]] = []
    for code, is_shifted in [*((_KEYS[char.lower()], char.isupper()) for char in text), (ENTER, False)]:
        stroke = [(4, 4, code), (1, code, 1), (0, 0, 0), (4, 4, code), (1, code, 0), (0, 0, 0)]
        events += [(1, SHIFT, 1), (0, 0, 0), *stroke, (1, SHIFT, 0), (0, 0, 0)] if is_shifted else stroke
    return events


def _lines(line: bytes, codes: int) -> float:
    scans = LineScans()
    return _bytes_per_s(lambda at_ms: len(scans.feed(line, at_ms)), len(line), codes)


def _gun(make: Callable[[], Ssi | Newland | Honeywell], frame: bytes, codes: int) -> float:
    wire = make()
    return _bytes_per_s(lambda at_ms: len(wire.feed(frame, at_ms).scans), len(frame), codes)


def _bytes_per_s(decode: Callable[[int], int], size: int, codes: int) -> float:
    began = time.perf_counter()
    read = sum(decode(at_ms) for at_ms in range(0, codes * 1000, 1000))
    took = time.perf_counter() - began
    assert read == codes
    return codes * size / took


def _figure(name: str, unit: str, wire: float, values: list[float], loop: float) -> Figure:
    taken = Rounds(tuple(values))
    note = f"a bare loop over the same: {loop:,.0f} {unit}, {loop / taken.median:.1f} times as fast; limit: the wire"
    return Figure(name, unit, taken, Rounds((wire,)), at_least=TIMES, note=note, extra={"bare_loop": loop})
