"""What is wrong with the settings of a device, as data: which key, a code, and the values a sentence names. No words.

The sentences stand in ui/catalogue, as those of edge/mistakes.py.
"""

from __future__ import annotations

from dataclasses import dataclass

Value = str | int | float | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One mistake. Shape: `key` of the device's table, empty for the device as a whole; a tuple is a list."""

    key: str
    code: str
    values: tuple[tuple[str, Value], ...] = ()


class Unfit(ValueError):
    """No driver can be made from these settings. The technician acts; as a text it is for logs, with codes."""

    def __init__(self, *wrong: Wrong) -> None:
        self.wrong = wrong
        super().__init__("\n".join(_plain(each) for each in wrong))


def unfit(key: str, code: str, **values: Value) -> Wrong:
    """Make a mistake. The code is written out where this is called, so that a check finds all there are."""
    return Wrong(key, code, tuple(values.items()))


def _plain(wrong: Wrong) -> str:
    return " ".join([f"{wrong.key}:", wrong.code, *(f"{name}={value!r}" for name, value in wrong.values)])
