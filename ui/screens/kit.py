"""What a drawing has at hand: the frame, its words, the ruler, and ready-made texts, buttons and cards.

A drawing is a function `(Kit) -> Widget`. What changes while the screen stays (digits, seconds, the clock) is added by
`live`: it is called again with each new frame, without building the page anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from edge.steps import Finding
from ui import words
from ui.screens import theme
from ui.screens.icons import Icon
from ui.screens.text import Text, measure
from ui.screens.theme import Accent, Colour, Ruler
from ui.screens.widgets import Card, Tap, column, fix, gap, row, weigh
from ui.viewmodels import Frame

Live = Callable[[Frame], None]


class Kit:
    """Made anew for each page. `act` takes the name of a tapped button."""

    def __init__(self, frame: Frame, ruler: Ruler, act: Callable[[str], None]) -> None:
        self.frame, self.ruler, self.act = frame, ruler, act
        self.lang = frame.lang
        self.portrait = ruler.panel.portrait
        self.staff = frame.state.who == "staff"
        self.paper = theme.STAFF_PAPER if self.staff else theme.PAPER
        self.line = theme.STAFF_LINE if self.staff else theme.LINE
        self.lives: list[Live] = []
        self.quiet = False  # the page shows its news itself
        self.reach_limit = ruler.mm(1.5)

    def mm(self, length: float) -> float:
        return self.ruler.mm(length)

    def t(self, key: str, **slots: str | int) -> str:
        return words.t(key, self.lang, **slots)

    def found(self, finding: Finding) -> str:
        """What the check-up says of a device in one line: the code for the telephone, and the next hand movement."""
        said = self.t(f"doctor.{finding.key}", **dict(finding.slots))
        return f"{finding.code}  {said}" if finding.code else said

    def live(self, update: Live) -> None:
        self.lives.append(update)
        update(self.frame)

    def text(self, text: str, em: float = theme.MAIN, **style: Any) -> Text:
        """Text on the page's paper; `height` (mm) fixes its box."""
        height = style.pop("height", None)
        width = style.pop("width", None)
        style.setdefault("on", self.paper)
        style.setdefault("floor", theme.STAFF_FLOOR if self.staff else theme.FLOOR)
        made = Text(self.ruler, text, em=em, **style)
        fix(made, None if width is None else self.mm(width), None if height is None else self.mm(height))
        return made

    def live_text(self, say: Callable[[Frame], str], em: float = theme.MAIN, **style: Any) -> Text:
        made = self.text("", em, **style)
        self.live(lambda frame: made.say(say(frame)))
        return made

    def icon(self, name: str, side: float, colour: Colour, on: Colour | None = None) -> Widget:
        made = Icon(name, colour, on or self.paper)
        fix(made, self.mm(side), self.mm(side))
        made.pos_hint = {"center_x": 0.5, "center_y": 0.5}
        return made

    def card(self, *children: Widget, fill: Colour = theme.CARD, **style: Any) -> Card:
        """`pad`, `gap`, `radius`, `height`, `width` in millimetres."""
        height, width = style.pop("height", None), style.pop("width", None)
        made = Card(
            fill,
            self.mm(style.pop("radius", 3)),
            pad=tuple(self.mm(p) for p in _four(style.pop("pad", 4))),
            gap=self.mm(style.pop("gap", 2)),
            border=style.pop("border", self.line),
            edge=style.pop("edge", max(1, self.mm(0.25))),
            **style,
        ).add(*children)
        fix(made, None if width is None else self.mm(width), None if height is None else self.mm(height))
        return made

    def button(self, name: str, label: str, accent: Accent = theme.STAFF, **style: Any) -> Tap:
        """A button of this screen.

        Shape: `look` is "fill" (accent ground), "line" (white, accent border) or "pale"; `icon`, `em`, `height`,
               `width` in millimetres, `stack` puts the icon above the word, `sub` is a smaller second line.
        """
        look = style.get("look", "fill")
        fill, ink = self._look(look, accent)
        border = self.line if look == "key" else accent.fill
        pressed = accent.deep if look == "fill" else theme.KEY_PRESSED
        tap = Tap(
            f"{self.frame.state.screen}.{name}" if "." not in name else name,
            self.act,
            fill,
            pressed,
            radius=self.mm(style.get("radius", 3)),
            reach=min(self.reach_limit, self.mm(style.get("reach", 0))),
            border=border,
            edge=max(1, self.mm(0.6 if look == "line" else 0.25)) if look != "fill" else 0,
            pad=tuple(self.mm(p) for p in _four(style.get("pad", (3, 1.5)))),
        )
        tap.add(self._face(label, ink, fill, style))
        height = style.get("height", theme.STAFF_BUTTON if self.staff else theme.VILLAGER_BUTTON)
        fix(tap, self._px(style.get("width")), self._px(height) if height else None)
        return tap

    def able(self, tap: Tap, test: Callable[[Frame], bool]) -> Tap:
        """Keep a button's power to act in step with the frame; a sleeping one is pale."""

        def update(frame: Frame) -> None:
            tap.enabled = test(frame)
            tap.opacity = 1.0 if tap.enabled else 0.35

        self.live(update)
        return tap

    def _px(self, length: float | None) -> float | None:
        return None if length is None else self.mm(length)

    @staticmethod
    def _look(look: str, accent: Accent) -> tuple[Colour, Colour]:
        if look == "fill":
            return accent.fill, theme.WHITE
        if look == "pale":
            return accent.pale, accent.deep
        return theme.CARD, (theme.INK if look == "key" else accent.fill)

    def _face(self, label: str, ink: Colour, ground: Colour, style: dict[str, Any]) -> Widget:
        """The word of a button, with its icon beside or above it."""
        em = style.get("em", theme.STAFF_MAIN if self.staff else theme.LESS)
        icon, sub, stack = style.get("icon"), style.get("sub"), style.get("stack", False)
        align = "center" if (stack or not icon) and not style.get("left") else "left"
        floor = style.get("floor", theme.STAFF_FLOOR if self.staff else theme.FLOOR)
        word: Widget = self.text(label, em, bold=True, colour=ink, on=ground, align=align, floor=floor)
        if sub:
            small = self.text(sub, style.get("sub_em", em * 0.7), colour=ink, on=ground, align=align, floor=floor)
            word.valign, small.valign = "bottom", "top"
            word = column(word, small, gap=self.mm(0.5))
        if not icon:
            return word
        size = style.get("icon_size", em * (2.6 if stack else 1.15))
        picture = self.icon(icon, size, ink, ground)
        if stack:
            middle = row(Widget(), picture, Widget())
            lower = fix(word, height=self.mm((em * 1.6) + (em * 1.3 if sub else 0)))
            return column(Widget(), fix(middle, height=self.mm(size)), gap(height=self.mm(2)), lower, Widget())
        if style.get("left"):
            return row(picture, weigh(word, 1), gap=self.mm(style.get("icon_gap", 2.5)))
        return self._centred(picture, word, self.mm(size), measure(label, self.mm(em), True))

    def _centred(self, picture: Widget, word: Widget, side: float, natural: float) -> Widget:
        """Icon and word together in the middle of the button."""
        space = self.mm(2)
        line = row(Widget(), picture, fix(word, width=natural), Widget(), gap=space)

        def share(_line: Widget, width: float) -> None:
            word.width = max(1.0, min(natural + space, width - side - 3 * space))

        line.bind(width=share)
        return line


def _four(pad: float | tuple[float, ...]) -> tuple[float, ...]:
    if isinstance(pad, int | float):
        return (pad, pad, pad, pad)
    return pad if len(pad) == 4 else (pad[0], pad[1], pad[0], pad[1])
