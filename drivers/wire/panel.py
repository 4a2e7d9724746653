"""What the codec of a simple display offers: steps that bring a content up. No protocol of any maker, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

DIGITS = frozenset("0123456789.- ")


@dataclass(frozen=True, slots=True)
class Amount:
    """Money to show, in fen. `lamp`: 0 none, 1 price, 2 total, 3 received, 4 change."""

    fen: int
    lamp: int = 0


Content = Amount | tuple[str, ...]  # lines; none blank the display


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes to send, a pause after them, and how an expected answer is known in all that came back since."""

    chunk: bytes
    pause_s: float = 0.0
    is_answer: Callable[[bytes], bool] | None = None


class PanelWire(Protocol):
    """One display's codec. Every step may be repeated without harm."""

    answers: bool  # whether any step has an answer; without one nobody knows what is shown

    def setup(self) -> Sequence[Step]:
        """What a display needs that may just have got power."""

    def put(self, content: Content) -> Sequence[Step]:
        """Show this, instead of what was there."""

    def check(self, content: Content) -> Sequence[Step]:
        """Ask whether it still shows this; no steps where the display cannot tell."""

    def lacks(self, content: Content) -> str:
        """What of the content cannot be shown, for the log; empty when all of it can."""


def yuan(fen: int) -> str:
    """Fen as yuan with two places: -5 is "-0.05"."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"


def number(content: Content, digits: int) -> str:
    """What a display of so many digits shows of a content; points take no digit.

    A number too long becomes dashes: a cut amount would be a wrong amount. Of lines the first that has nothing but
    digits is shown; without one the display stays blank, as "A05" shown as "05" would be another number.
    """
    if isinstance(content, Amount):
        text = yuan(content.fen)
    else:
        text = next((line.strip() for line in content if line.strip() and DIGITS.issuperset(line)), "")
    return text if len(text.replace(".", "")) <= digits else "-" * digits


def lacks_digits(content: Content, digits: int) -> str:
    """What `number` leaves out of a content, for the log."""
    shown = number(content, digits)
    if isinstance(content, Amount):
        return f"an amount has more than {digits} digits" if shown != yuan(content.fen) else ""
    wanted = any(line.strip() for line in content)
    return "the lines are no number of so few digits" if wanted and shown.strip("-") == "" else ""
