"""What an ESC/POS printer says of itself, and what can be laid out without it: wrapped text, Code 128. No I/O.

The commands that draw a slip come from a library (drivers/printer.py). Status bytes carry no name, so one question is
asked at a time. Source: three makers' manuals for DLE EOT; the mark behind a slip (GS r) is from memory of the command
set, so a printer that does not know it counts as one that does not confirm. Vectors in
tests/drivers/wire/test_escpos.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BAUD = 9600  # 9600 to 115200 are met
MAX_BARCODE = 80  # signs; more fits on no paper
CHARSETS = ("gb18030", "gbk")
_UNKNOWN = "？"
_QUIET = 20  # modules of white that a reader needs around a code


@dataclass(frozen=True, slots=True)
class Form:
    """The paper and how it is drawn on. Units: dots; 384 is paper of 58 mm, 576 of 80 mm, at 8 dots a millimetre."""

    dots: int = 384
    charset: str = "gb18030"
    has_knife: bool = True
    draws_qr: bool = True  # False: the QR code is sent as a picture, for printers without the command

    @property
    def columns(self) -> int:
        """Latin signs in a line; a Chinese one takes two."""
        return self.dots // 12


@dataclass(frozen=True, slots=True)
class Causes:
    """Answer to `ask(CAUSES)`: why the printer does not print."""

    is_open: bool
    is_out: bool
    has_error: bool


@dataclass(frozen=True, slots=True)
class PaperSensors:
    """Answer to `ask(PAPER)`."""

    is_near_end: bool
    is_out: bool


ONLINE, CAUSES, PAPER = 1, 2, 4
MARK = b"\x1dr\x01"  # answered when everything before it is printed


def ask(what: int) -> bytes:
    """Question that is answered at once, also by a printer that is off-line."""
    return bytes((0x10, 0x04, what))


def is_status(byte: int) -> bool:
    """Whether a byte can be the answer to `ask`: bits 1 and 4 set, 0 and 7 clear."""
    return byte & 0x93 == 0x12


def is_mark(byte: int) -> bool:
    """Whether a byte can be the answer to `MARK`: bits 4 and 7 clear."""
    return byte & 0x90 == 0


def causes(byte: int) -> Causes:
    """Read the answer to `ask(CAUSES)`."""
    return Causes(bool(byte & 0x04), bool(byte & 0x20), bool(byte & 0x40))


def paper(byte: int) -> PaperSensors:
    """Read the answer to `ask(PAPER)`."""
    return PaperSensors(bool(byte & 0x0C), bool(byte & 0x60))


def encoded(text: str, charset: str) -> bytes:
    """Text as the printer's own Chinese code; what it lacks as a full-width question mark, controls as spaces.

    A control sign in a name would be a command to the printer, so none passes.
    """
    clean = "".join(sign if sign.isprintable() else " " for sign in text)
    return b"".join(_one(sign, charset) for sign in clean)


def wrapped(text: str, columns: int) -> list[str]:
    """Cut text into lines that fit; a Chinese sign takes two columns. Line breaks in it stay. Never empty."""
    lines = []
    for part in text.splitlines() or [""]:
        line, used = "", 0
        for sign in part:
            width = 1 if sign.isascii() else 2
            if used + width > columns:
                lines.append(line)
                line, used = "", 0
            line, used = line + sign, used + width
        lines.append(line)
    return lines


def code128(text: str) -> tuple[str, int]:
    """Text as the printer wants Code 128 (sets B and C, digits in pairs where that is shorter), and its modules.

    Errors: ValueError for anything but printable ASCII, nothing, or more than MAX_BARCODE signs.
    """
    if not 1 <= len(text) <= MAX_BARCODE or not all(" " <= sign <= "~" for sign in text):
        raise ValueError(f"a bar code takes 1 to {MAX_BARCODE} signs of printable ASCII")
    runs: list[tuple[str, str]] = []  # set, signs
    for run in filter(None, re.split(r"([0-9]{4,})", text)):
        odd = len(run) % 2 if _pairs(run) else len(run)
        if runs and runs[-1][0] == "B":
            runs[-1] = ("B", runs[-1][1] + run[:odd])
        elif odd:
            runs.append(("B", run[:odd]))
        if run[odd:]:
            runs.append(("C", run[odd:]))
    if re.search("\x10[\x04\x05\x14]", "".join(map(_run, runs))):  # reads as a real-time command, even in here
        runs = [("B", text)]
    symbols = sum(1 + (len(signs) if each == "B" else len(signs) // 2) for each, signs in runs)  # 1: start or switch
    return "".join(map(_run, runs)), 11 * (symbols + 1) + 13 + _QUIET  # and the check, the stop


def _pairs(run: str) -> bool:
    return len(run) >= 4 and run.isdecimal()


def _run(run: tuple[str, str]) -> str:
    kind, signs = run
    if kind == "B":
        return "{B" + signs.replace("{", "{{")
    return "{C" + "".join(chr(int(signs[at : at + 2])) for at in range(0, len(signs), 2))


def _one(sign: str, charset: str) -> bytes:
    try:
        return sign.encode(charset)
    except UnicodeEncodeError:
        return _UNKNOWN.encode(charset)
