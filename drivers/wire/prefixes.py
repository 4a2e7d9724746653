"""What an installer made a gun type around and inside its codes: the gun's prefix, a visible sign for GS. Pure text.

A cheap dongle says nothing of the origin, so each gun gets a prefix of its own with its set-up codes, for example
"A:" and "B:". The prefix may stand before or after the AIM identifier; brands differ.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivers.mistakes import Unfit, unfit

MAX_PREFIX = 8  # guns allow ten signs at most (Newland CPRSET); one letter and a colon do

_AIM = re.compile(r"\][A-Za-z][0-9A-F]")


class GunPrefixes:
    """Prefixes of the guns; none at all means that the dongle is the scanner.

    Errors: Unfit for a prefix that could be the beginning of a code: it needs a sign besides letters and digits.
    """

    def __init__(self, prefixes: Sequence[str] = ()) -> None:
        self._guns = {prefix: _label(prefix) for prefix in sorted(prefixes, key=len, reverse=True)}
        if len(set(self._guns.values())) != len(prefixes):
            raise Unfit(unfit("prefixes", "same_prefixes", prefixes=tuple(prefixes)))

    @property
    def guns(self) -> tuple[str, ...]:
        """The names of the guns."""
        return tuple(sorted(self._guns.values()))

    def split(self, text: str) -> tuple[str | None, str]:
        """Give the gun, None when no prefix is there, and the text without the prefix."""
        match = _AIM.match(text)
        aim = match[0] if match else ""
        for prefix, gun in self._guns.items():
            if text.startswith(prefix):
                return gun, text[len(prefix) :]
            if aim and text.startswith(prefix, len(aim)):
                return gun, aim + text[len(aim) + len(prefix) :]
        return None, text


def read_prefixes(option: str) -> GunPrefixes:
    """Read the option: prefixes with commas between. Errors: Unfit."""
    return GunPrefixes([part.strip(" ") for part in option.split(",")] if option else [])


def read_gs_sign(option: str) -> str:
    """Read the sign that stands for GS, such as "<GS>", "{GS}", "#", "|" or "~". Errors: Unfit."""
    if option and (option.isalnum() or not option.isascii() or len(option) > MAX_PREFIX):
        raise Unfit(unfit("gs_sign", "gs_sign", most=MAX_PREFIX))
    return option


def _label(prefix: str) -> str:
    label = "".join(sign for sign in prefix if sign.isalnum())
    if not label or len(prefix) > MAX_PREFIX or prefix.isalnum() or not prefix.isascii():
        raise Unfit(unfit("prefixes", "prefix", prefix=prefix, most=MAX_PREFIX))
    return label
