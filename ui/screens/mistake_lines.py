"""Mistakes of settings as lines on a page: large where all of them fit, else small and as many as fit, with a count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivy.uix.widget import Widget

from edge.mistakes import Problem, mistake
from ui.mistakes import lines_of, sentence
from ui.screens import theme
from ui.screens.kit import Kit
from ui.screens.text import measure
from ui.screens.widgets import column, fix
from ui.wrap import wrap

LINE = 1.49  # height of a line, in em
SIZES = (theme.STAFF_LESS, theme.STAFF_FLOOR)


@dataclass(frozen=True, slots=True)
class MistakeLines:
    """Laid out. Shape: each text with the lines it takes. Units: `em` millimetres."""

    em: float
    rows: tuple[tuple[str, int], ...]

    @property
    def height(self) -> float:
        """In millimetres."""
        return self.em * LINE * sum(lines for _, lines in self.rows)

    def drawn(self, kit: Kit, ground: theme.Colour = theme.STAFF_PAPER) -> Widget:
        """As widgets, as high as they are."""
        high = self.em * LINE
        texts = [
            kit.text(text, self.em, on=ground, colour=theme.INK, height=high * lines, valign="top")
            for text, lines in self.rows
        ]
        return fix(column(*texts), height=kit.mm(self.height))


def laid_out(kit: Kit, problems: Sequence[Problem], width: float, height: float) -> MistakeLines:
    """Lay the mistakes out in so much room. Units: millimetres."""
    for em in SIZES:
        found = MistakeLines(em, _rows(kit, lines_of(problems, kit.lang), em, width))
        if found.height <= height:
            return found
    most = max(2, int(height / (SIZES[-1] * LINE)))
    return MistakeLines(SIZES[-1], _as_many_as_fit(kit, problems, width, most))


def _as_many_as_fit(kit: Kit, problems: Sequence[Problem], width: float, most: int) -> tuple[tuple[str, int], ...]:
    """The first ones, and how many more there are on the last line."""
    rows = _rows(kit, lines_of(problems, kit.lang), SIZES[-1], width)
    kept = len(rows)
    while kept > 1 and sum(lines for _, lines in rows[:kept]) > most - 1:
        kept -= 1
    more = sentence(mistake("more", n=sum(map(_count, problems[kept:]))), kit.lang)
    shown = [(text, min(lines, most - 1)) for text, lines in rows[:kept]]
    return (*shown, (more, 1)) if kept < len(rows) else tuple(shown)


def _count(problem: Problem) -> int:
    return int(str(dict(problem.mistake.values)["n"])) if problem.mistake.code == "more" else 1


def _rows(kit: Kit, texts: Sequence[str], em: float, width: float) -> tuple[tuple[str, int], ...]:
    px = kit.mm(em)
    return tuple((text, len(wrap(text, kit.mm(width), lambda unit: measure(unit, px, False)))) for text in texts)
