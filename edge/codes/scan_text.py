"""From the text of a gun to the payload: AIM prefix, control characters, full-width signs, set-up strings."""

import re
from dataclasses import dataclass

GS = "\x1d"
LONGEST = 4096  # a QR code holds at most 4,296 characters; every code met at a counter is far below this
LONGEST_1D = 512  # no linear symbology in use carries more; longer means glued or endless reads

_AIM = re.compile(r"\]([A-Za-z][0-9A-F])")
_ADD_ON = re.compile(r"([0-9]{8,13})\]E[12][0-9]{2,5}")
_LINEAR = frozenset("ACEFGIMRSXe")
_GS1_SYMBOLOGIES = frozenset({"C1", "d2", "d5", "Q3", "Q4", "e0", "e1", "e2", "J1", "J4", "h2", "z1", "z4"})
_CONTROL = "".join(chr(c) for c in [*range(0x20), *range(0x7F, 0xA0)])
_EDGE = _CONTROL.replace(GS, "") + " \u3000\ufeff"  # a leading GS says "GS1" and is looked at before it goes
_INNER_CONTROL = re.compile(f"[{re.escape(_CONTROL.replace(GS, '').translate({9: None}))}]")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

# Strings a gun types when it is told to echo the set-up codes it reads, and wrapper lines of batch uploads.
_SET_UP = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"%%%[!-~]*",  # Micrelec CS2600
        r"<UPL>:.*",  # Baracoda upload
        r"nls[0-9][ -~]*",  # Newland, legacy text commands
        r"\.[A-Z][0-9]{3}\$",  # Conrad
        r"[@#][A-Z]{3}[!-~]*;",  # Newland, unified command
        r"[@#][A-Z]{6}[0-9]{0,5}",  # the same without its end mark
        r"\$[A-Z][A-Z0-9]{2,15}\$?",  # Micrelec programming
    )
)


@dataclass(frozen=True, slots=True)
class Scan:
    """One read, split. `payload` keeps its case, as GS1 and addresses need; `code` is in upper case."""

    payload: str
    symbology: str | None
    says_gs1: bool

    @property
    def code(self) -> str:
        return self.payload.upper() if self.payload.isascii() else self.payload

    @property
    def gun_says_gs1(self) -> bool:
        return self.symbology in _GS1_SYMBOLOGIES

    @property
    def is_linear(self) -> bool:
        return self.symbology is not None and self.symbology[0] in _LINEAR

    @property
    def is_retail(self) -> bool:
        """Tell whether the gun itself says EAN or UPC, which no courier uses."""
        return self.symbology is not None and self.symbology[0] == "E"


def split(text: str) -> Scan:
    """Take the AIM prefix and the terminators off and fold full-width signs; never fails."""
    text = text.strip(_EDGE)
    symbology = None
    if (match := _AIM.match(text)) is not None:
        symbology = match[1]
        # ]Yn, a system expansion, carries n + 1 further characters (ISO/IEC 15424).
        further = int(symbology[1], 16) + 1 if symbology[0] == "Y" else 0
        text = text[match.end() + further :]
    text = text.translate(_FULL_WIDTH).strip(_EDGE)
    says_gs1 = symbology in _GS1_SYMBOLOGIES or text.startswith(GS)
    text = text.strip(_EDGE + GS)
    if symbology is not None and symbology[0] == "E":
        text = _without_add_on(text, symbology)
    return Scan(text, symbology, says_gs1)


def lines(scan: Scan) -> tuple[str, ...] | None:
    """Give the different lines of a read with line ends inside, each under the symbology of the whole; else None."""
    parts = scan.payload.replace("\r", "\n").split("\n")
    if len(parts) == 1 or is_set_up(scan):
        return None
    prefix = f"]{scan.symbology}" if scan.symbology else ""
    return tuple(dict.fromkeys(part if _AIM.match(part) else prefix + part for part in parts if part.strip(_EDGE + GS)))


def has_inner_control(payload: str) -> bool:
    """Tell whether control characters other than GS and TAB sit inside the payload."""
    return _INNER_CONTROL.search(payload) is not None


def without_blanks(payload: str) -> str:
    """Give the payload without blanks and control characters, as a payment screen groups its digits."""
    return payload.translate(dict.fromkeys(map(ord, _EDGE + GS)))


def is_set_up(scan: Scan) -> bool:
    """Tell whether this talks to the gun, not to us; `]Z` is a text keyed in at the gun."""
    if scan.symbology is not None and scan.symbology[0] == "Z":
        return True
    return any(pattern.fullmatch(scan.payload) for pattern in _SET_UP)


def _without_add_on(text: str, symbology: str) -> str:
    """Drop the 2 or 5 digits beside a book's or paper's code: a second packet, or behind 13 digits under ]E3."""
    if (match := _ADD_ON.fullmatch(text)) is not None:
        return match[1]
    if symbology == "E3" and len(text) in {15, 18}:
        return text[:13]
    return text
