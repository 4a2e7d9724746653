"""The one table of fault codes: which number a technician reads out for each fault, and how grave it is.

A code is a letter for what it is about and a number for what is wrong; the number means the same behind every letter.
Codes are stable: a number is never given to another fault. Sentences are in ui/catalogue, table `doctor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.faults import Fault

# Scanners are G for gun: S1 to S4 are the store's own codes on the closed screen. C is the customer's display, A audio.
LETTERS: Mapping[str, str] = {
    "lock": "L",
    "scanner": "G",
    "display": "D",
    "price_display": "C",
    "scale": "W",
    "printer": "P",
    "speaker": "A",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault of a device: its number, how grave it is, and what it can happen to."""

    number: int
    level: str
    kinds: tuple[str, ...]

    def code(self, what: str) -> str:
        """The code behind the letter of this kind of device."""
        return f"{LETTERS[what]}{self.number:02d}"


_ALL = tuple(LETTERS)
_TALKS = ("lock", "display", "price_display", "scale")  # answers can be garbled
_SHOWS = ("display", "price_display")
DEVICE_FAULTS: Mapping[Fault, Entry] = {
    Fault.STARTING: Entry(0, "unknown", _ALL),
    Fault.NO_PORT: Entry(1, "fault", _ALL),
    Fault.HELD: Entry(2, "fault", _ALL),
    Fault.NO_RIGHT: Entry(3, "fault", _ALL),
    Fault.LOST: Entry(4, "fault", _ALL),
    Fault.NO_HOST: Entry(5, "fault", ("lock", "display", "price_display", "scale", "printer")),
    Fault.PORT_ERROR: Entry(6, "fault", _ALL),
    Fault.SILENT: Entry(11, "fault", ("lock", "display", "price_display", "scale", "printer", "speaker")),
    Fault.GARBLED: Entry(12, "fault", _TALKS),
    Fault.NOISY: Entry(13, "warn", _TALKS),
    Fault.REFUSED: Entry(14, "fault", ("lock", "scanner", "display")),
    Fault.ECHO: Entry(15, "warn", ("lock",)),
    Fault.PART_SILENT: Entry(21, "fault", ("lock",)),
    Fault.ALL_OPEN: Entry(22, "fault", ("lock",)),
    Fault.WRONG_DOOR: Entry(23, "fault", ("lock",)),
    Fault.STUCK: Entry(24, "fault", ("lock",)),
    Fault.LOCK_REFUSED: Entry(25, "fault", ("lock",)),
    Fault.UNCONFIRMED: Entry(26, "warn", ("lock",)),
    Fault.NO_SENSOR: Entry(27, "ok", ("lock",)),  # as the settings say; the operator looks with the eyes
    Fault.OTHER_DEVICE: Entry(31, "fault", ("scanner",)),
    Fault.TWIN: Entry(32, "warn", ("scanner",)),
    Fault.NO_LIBRARY: Entry(33, "fault", ("scanner", "speaker")),
    Fault.DEAF: Entry(34, "warn", ("scanner",)),
    Fault.CODES_LOST: Entry(35, "warn", ("scanner",)),
    Fault.BAD_CODES: Entry(36, "warn", ("scanner",)),
    Fault.BLIND: Entry(41, "unknown", (*_SHOWS, "printer")),
    Fault.CANNOT_SHOW: Entry(42, "warn", _SHOWS),
    Fault.NO_FONT: Entry(43, "fault", ("display",)),
    Fault.TOO_LONG: Entry(44, "fault", ("display",)),
    Fault.WRONG_AREA: Entry(45, "fault", ("display",)),
    Fault.WRONG_TYPE: Entry(46, "fault", ("display",)),
    Fault.WRONG_NUMBER: Entry(47, "fault", ("display",)),
    Fault.BUSY: Entry(48, "warn", ("display",)),
    Fault.BAD_CHECK: Entry(49, "fault", ("display",)),
    Fault.SETTING_REFUSED: Entry(50, "warn", ("display",)),
    Fault.UNIT: Entry(51, "fault", ("scale",)),
    Fault.NOT_ZEROED: Entry(52, "fault", ("scale",)),
    Fault.RANGE: Entry(53, "fault", ("scale",)),
    Fault.OVERLOAD: Entry(54, "warn", ("scale",)),
    Fault.RESTLESS: Entry(55, "warn", ("scale",)),
    Fault.PAPER_OUT: Entry(61, "fault", ("printer",)),
    Fault.PAPER_LOW: Entry(62, "warn", ("printer",)),
    Fault.COVER_OPEN: Entry(63, "fault", ("printer",)),
    Fault.PRINT_ERROR: Entry(64, "fault", ("printer",)),
}
# Faults that each kind of device words in its own way; all others have one sentence for every kind.
OWN_WORDS: Mapping[Fault, tuple[str, ...]] = {
    Fault.NO_PORT: ("scanner", "speaker"),
    Fault.NO_RIGHT: ("speaker",),
    Fault.NO_LIBRARY: ("speaker",),
    Fault.SILENT: ("lock", "display", "price_display", "scale", "printer", "speaker"),
    Fault.GARBLED: ("lock", "display", "price_display", "scale"),
    Fault.REFUSED: ("scanner",),
    Fault.BLIND: ("printer",),
}

# Parts of the terminal: key of the sentence -> (code, level). T the machine, N the line, B the books.
TERMINAL: Mapping[str, tuple[str, str]] = {
    "disk_ok": ("", "ok"),
    "disk_low": ("T01", "warn"),
    "disk_full": ("T02", "fault"),
    "disk_read_only": ("T03", "fault"),
    "disk_worn": ("T04", "warn"),
    "disk_worn_out": ("T05", "fault"),
    "disk_unknown": ("T06", "fault"),
    "reserve_ok": ("", "ok"),
    "reserve_gone": ("T07", "fault"),
    "clock_ok": ("", "ok"),
    "clock_unsynced": ("T11", "warn"),
    "clock_back": ("T12", "fault"),
    "clock_off": ("T13", "fault"),
    "memory_ok": ("", "ok"),
    "memory_low": ("T21", "warn"),
    "memory_gone": ("T22", "fault"),
    "memory_unknown": ("T20", "unknown"),
    "heat_ok": ("", "ok"),
    "heat_warm": ("T31", "warn"),
    "heat_hot": ("T32", "fault"),
    "heat_unknown": ("T30", "unknown"),
    "fonts_ok": ("", "ok"),
    "fonts_gone": ("T41", "fault"),
    "link_ok": ("", "ok"),
    "link_none": ("", "ok"),
    "link_sending": ("", "ok"),
    "link_unknown": ("N00", "unknown"),
    "link_off": ("N01", "warn"),
    "link_off_long": ("N02", "fault"),
    "link_login": ("N03", "fault"),
    "link_not_allowed": ("N04", "fault"),
    "link_stuck": ("N05", "fault"),
    "link_fork": ("N06", "fault"),
    # N07 is given no more: N21 to N24 say which of its causes it is.
    "link_hub": ("N08", "fault"),
    "link_hub_clock": ("N09", "fault"),
    "link_revoked": ("N21", "fault"),
    "link_expired": ("N22", "fault"),
    "link_stranger": ("N23", "fault"),
    "link_no_certificate": ("N24", "fault"),
    "certificate_none": ("", "ok"),
    "certificate_ok": ("", "ok"),
    "certificate_soon": ("N11", "warn"),
    "certificate_over": ("N12", "fault"),
    "certificate_unread": ("N13", "fault"),
    "certificate_late": ("N14", "warn"),
    "certificate_ended": ("N15", "fault"),
    "certificate_torn": ("N16", "fault"),
    "certificate_missing": ("N17", "warn"),
    "backup_ok": ("", "ok"),
    "backup_old": ("B01", "warn"),
    "backup_never": ("B02", "warn"),
    "backup_far": ("B03", "fault"),
    "books_ok": ("", "ok"),
    "books_new": ("B10", "unknown"),
    "books_damaged": ("B11", "fault"),
    "books_broken": ("B12", "fault"),
    "books_unread": ("B13", "fault"),
    "books_key": ("B14", "fault"),
    "kiosk_mute": ("B15", "fault"),
}
STORE = frozenset({"disk", "reserve", "backup", "books", "kiosk"})  # what the store stands on
