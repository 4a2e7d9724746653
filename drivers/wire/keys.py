"""Typed keys of a scanner that acts as a keyboard to one text per code. Integers in, values out; no I/O, no clock.

The scanner must be set to a US keyboard. Only what is listed here becomes text; any other key poisons the code until
its end, so a bar code that types control keys yields no text at all.
Source: Linux input-event-codes.h for the numbers; key positions of control characters from scanner manuals
(Datalogic QuickScan "Ctrl+key", Hand Held Products 3060 function table) and field reports on Alt+029 and F8.
"""

from __future__ import annotations

from drivers.base import Flaw
from drivers.wire.scans import IDLE_MS, MAX_CODE, Bursts, Scan

EV_SYN, EV_KEY, SYN_DROPPED = 0, 1, 3
_UP, _DOWN = 0, 1  # 2 is the kernel's auto-repeat after a late key-up: never a character

_ENTER, _TAB, _CAPS, _NUM = (28, 96), 15, 58, 69
_SHIFT, _CTRL, _ALT = (42, 54), (29, 97), (56, 100)
_MODIFIERS = frozenset(_SHIFT + _CTRL + _ALT)
_SWALLOWED = frozenset((_NUM, 60, 101))  # NumLock; F2 and LINEFEED are the LF of a CR LF
_DOWN_ARROW = 108  # GS on Hand Held Products; LF of a CR LF on others, then right after ENTER

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)
_PLAIN = {first + i: char for first, chars, _ in _ROWS for i, char in enumerate(chars)} | {57: " "}
_SHIFTED = {first + i: char for first, _, chars in _ROWS for i, char in enumerate(chars)} | {57: " "}
_KEYPAD = dict(zip(range(71, 84), "789-456+1230.", strict=True)) | {55: "*", 98: "/", 117: "=", 121: ","}
_CONTROL_KEYS = {_DOWN_ARROW: "\x1d", 66: "\x1d", 103: "\x1c", 105: "\x1e", 106: "\x1f"}  # DOWN, F8, UP, LEFT, RIGHT
_WITH_CTRL = {27: "\x1d", 43: "\x1c", 7: "\x1e", 12: "\x1f", 32: "\x04"}  # ] \ 6 - D
_CTRL_ENDS = frozenset((36, 50))  # Ctrl+J, Ctrl+M
_SEPARATORS = frozenset("\x04\x1c\x1d\x1e\x1f")
_MAX_ALT_DIGITS = 7  # Unicode ends at 1,114,111


class KeyScans:
    """Key events of one scanner to scans. Ends: ENTER, TAB, or a pause of `idle_ms`."""

    def __init__(self, idle_ms: int = IDLE_MS, tab_ends: bool = True, alt_is_gbk: bool = False) -> None:
        self.idle_ms = idle_ms
        self._tab_ends = tab_ends
        self._alt_is_gbk = alt_is_gbk
        self._bursts = Bursts()
        self._held: set[int] = set()
        self._has_caps = False
        self._text: list[str] = []
        self._flaw: Flaw | None = None
        self._alt_digits: str | None = None
        self._began_ms = 0
        self._last_ms = 0
        self._just_entered = False

    @property
    def is_partial(self) -> bool:
        """Whether a code has begun and not ended."""
        return bool(self._text) or self._flaw is not None

    def feed(self, kind: int, code: int, value: int, at_ms: int) -> list[Scan]:
        """Take one input event and return the scan completed by it, if any."""
        scans = self.idle(at_ms)
        if kind == EV_SYN and code == SYN_DROPPED:
            self._held.clear()
            self._has_caps = False
            self._alt_digits = None
            self._poison(at_ms)
        elif kind == EV_KEY and code in _MODIFIERS:
            self._modifier(code, value, at_ms)
        elif kind == EV_KEY and value == _DOWN:
            scans += self._pressed(code, at_ms)
        return scans

    def idle(self, now_ms: int) -> list[Scan]:
        """Tell the time; returns the code that a pause has ended, if any."""
        if self.is_partial and now_ms - self._last_ms >= self.idle_ms:
            return self._end()
        return []

    def lost(self) -> None:
        """The device vanished: drop the half code and all held keys."""
        self._held.clear()
        self._has_caps = False
        self._forget()

    def _modifier(self, code: int, value: int, at_ms: int) -> None:
        if value == _DOWN:
            self._held.add(code)
            if code in _ALT:
                self._alt_digits = ""
        elif value == _UP:
            self._held.discard(code)
            if code in _ALT and self._alt_digits is not None:
                self._alt_ended(at_ms)

    def _pressed(self, code: int, at_ms: int) -> list[Scan]:
        was_enter, self._just_entered = self._just_entered, False
        if self._holds(_ALT):
            self._alt_pressed(code, at_ms)
        elif code in _ENTER or (self._holds(_CTRL) and code in _CTRL_ENDS) or (code == _TAB and self._tab_ends):
            self._just_entered = True
            return self._end(at_ms, "\t" if code == _TAB else "\r")
        elif self._holds(_CTRL):
            self._take(_WITH_CTRL.get(code), at_ms)
        elif code == _CAPS:
            self._has_caps = not self._has_caps
        elif code in _SWALLOWED or (code == _DOWN_ARROW and was_enter and not self.is_partial):
            self._just_entered = was_enter
        else:
            self._take(self._char(code), at_ms)
        return []

    def _char(self, code: int) -> str | None:
        if code in _KEYPAD:
            return _KEYPAD[code]  # digits whatever NumLock says: the keypad of a grabbed scanner is no cursor pad
        if code == _TAB:
            return "\t"
        if code in _CONTROL_KEYS:
            return _CONTROL_KEYS[code]
        plain = _PLAIN.get(code)
        if plain is None:
            return None
        shifted = self._holds(_SHIFT) is not (self._has_caps and plain.isalpha())
        return _SHIFTED[code] if shifted else plain

    def _alt_pressed(self, code: int, at_ms: int) -> None:
        digit = _KEYPAD.get(code, "")
        if digit.isdigit() and self._alt_digits is not None and len(self._alt_digits) < _MAX_ALT_DIGITS:
            self._alt_digits += digit
            self._touch(at_ms)
        else:
            self._alt_digits = None  # Alt with anything else is a command to a desktop
            self._poison(at_ms)

    def _alt_ended(self, at_ms: int) -> None:
        digits, self._alt_digits = self._alt_digits, None
        if digits:
            self._take(_alt_char(int(digits), self._alt_is_gbk), at_ms)

    def _take(self, char: str | None, at_ms: int) -> None:
        if char is None:
            self._poison(at_ms)
            return
        self._touch(at_ms)
        if len(self._text) < MAX_CODE:
            self._text.append(char)
        else:
            self._flaw = self._flaw or Flaw.OVERLONG

    def _poison(self, at_ms: int) -> None:
        self._touch(at_ms)
        self._flaw = Flaw.DAMAGED

    def _touch(self, at_ms: int) -> None:
        if not self.is_partial:
            self._began_ms = at_ms
        self._last_ms = at_ms

    def _holds(self, keys: tuple[int, int]) -> bool:
        return not self._held.isdisjoint(keys)

    def _end(self, at_ms: int | None = None, ended: str = "") -> list[Scan]:
        if not self.is_partial:
            return []
        ended_ms = self._last_ms if at_ms is None else at_ms
        text = "" if self._flaw else "".join(self._text)
        burst = self._bursts.number(self._began_ms, ended_ms)
        scan = Scan(text, ended_ms, burst, self._flaw, self._began_ms, ended=ended)
        self._forget()
        return [scan]

    def _forget(self) -> None:
        self._text.clear()
        self._flaw = None
        self._alt_digits = None


def _alt_char(number: int, is_gbk: bool) -> str | None:
    """The character typed as Alt and a decimal number; None for a control that is no separator and for no character."""
    if is_gbk and 0xFF < number <= 0xFFFF:
        try:
            return number.to_bytes(2, "big").decode("gbk")
        except UnicodeDecodeError:
            return None
    char = chr(number) if number < 0x110000 else ""
    return char if (char and char.isprintable()) or char in _SEPARATORS else None
