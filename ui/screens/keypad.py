"""The keypad and the boxes the digits go into."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from ui.screens import theme
from ui.screens.kit import Kit
from ui.screens.theme import Accent, Colour
from ui.screens.widgets import Card, Tap, column, row
from ui.viewmodels import Frame

ROWS = (("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9"), ("clear", "0", "erase"))


def keypad(kit: Kit, able: Callable[[Frame], bool], rows: tuple[tuple[str, ...], ...] = ROWS) -> Widget:
    """Twelve keys of at least 16 mm; `able` False puts them to sleep."""
    lines = []
    for names in rows:
        keys = [kit.able(_key(kit, name), able) for name in names]
        lines.append(row(*keys, gap=kit.mm(2.4)))
    return column(*lines, gap=kit.mm(2.4))


def _key(kit: Kit, name: str) -> Tap:
    if name == "erase":
        return kit.button(name, kit.t("keys.erase"), look="pale", em=6, height=None, reach=1.2)
    if name == "clear":
        return kit.button(name, kit.t("keys.clear"), look="pale", em=6, height=None, reach=1.2)
    shown = "-" if name == "dash" else name
    return kit.button(name, shown, look="key", em=10.5, height=None, reach=1.2)


def boxes(kit: Kit, count: int, shown: Callable[[Frame], str], accent: Accent, size: float = 13.0) -> Widget:
    """`count` boxes in a row; the next one to fill has the accent's border."""
    cells: list[tuple[Card, Widget]] = []
    for _ in range(count):
        sign = kit.text("", max(9, size * 0.6), bold=True, align="center", on=theme.CARD, floor=min(9, size * 0.6))
        cells.append(
            (kit.card(sign, pad=0.5, radius=2, width=size, height=size * 1.18, edge=max(2, kit.mm(0.6))), sign)
        )
    line = row(*[card for card, _ in cells], gap=kit.mm(1.8))
    line.size_hint = (None, None)
    line.size = (kit.mm(size) * count + kit.mm(1.8) * (count - 1), kit.mm(size * 1.18))

    def update(frame: Frame) -> None:
        text = shown(frame)
        for i, (card, sign) in enumerate(cells):
            sign.say(text[i] if i < len(text) else "")
            card.border(accent.fill if i == len(text) else kit.line)

    kit.live(update)
    return line


def echo(typed: str, lit: bool) -> str:
    """Secret digits as dots; the one just typed may be seen, so that a slip is noticed."""
    if not typed:
        return ""
    return "●" * (len(typed) - 1) + (typed[-1] if lit else "●")


def field(kit: Kit, shown: Callable[[Frame], str], empty: str, accent: Accent, height: float = 17.0) -> Widget:
    """One long box for a number of any length."""
    grey: Colour = theme.SOFT
    text = kit.text("", 9, bold=True, on=theme.CARD, floor=4.8)

    def update(frame: Frame) -> None:
        said = shown(frame)
        text.colour, text.bold, text.em = (theme.INK, True, 9) if said else (grey, False, 6)
        text.say(said or empty)

    kit.live(update)
    return kit.card(text, pad=(4, 1), radius=2.5, border=accent.fill, height=height)
