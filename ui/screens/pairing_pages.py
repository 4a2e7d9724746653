"""What stands instead of the clock while the hub has not let this terminal in: the claim code, and what to do."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps.pairing import Pairing
from ui.screens import theme
from ui.screens.chrome import help_button, language_button
from ui.screens.kit import Kit
from ui.screens.qr import QrCode
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.states import PAIRING_WORDS

FOOT = 15.0


def pairing(kit: Kit, told: Pairing) -> Widget:
    """Title, code and what to do; below, the way to the counter that needs no line."""
    title = weigh(kit.text(kit.t("pairing.title"), theme.TITLE, bold=True, colour=theme.JADE_DEEP), 1)
    head = row(title, language_button(kit), help_button(kit), gap=kit.mm(3))
    start = kit.button("start", kit.t("pairing.start"), theme.PICKUP, em=theme.MAIN, height=None, radius=4)
    body = _code(kit, told) if told.code else _words(kit, told)
    return column(
        fix(head, height=kit.mm(FOOT)), weigh(body, 1), fix(start, height=kit.mm(20)),
        gap=kit.mm(3), pad=(kit.mm(4), kit.mm(3), kit.mm(4), kit.mm(4)),
    )  # fmt: skip


def _code(kit: Kit, told: Pairing) -> Widget:
    picture = kit.card(QrCode(told.qr), fill=theme.WHITE, pad=1)
    if kit.portrait:
        return column(weigh(picture, 1), weigh(_words(kit, told), 1), gap=kit.mm(4))
    return row(weigh(picture, 2), weigh(_words(kit, told), 3), gap=kit.mm(6))


def _words(kit: Kit, told: Pairing) -> Widget:
    is_well = told.state in ("waiting", "granted")
    said = kit.t(f"pairing.{told.state if told.state in PAIRING_WORDS else 'other'}")
    align = "center" if kit.portrait else "left"
    parts: list[Widget] = [Widget()]
    if told.code:
        parts += [
            kit.text(kit.t("pairing.read_out"), theme.MAIN, height=22, valign="bottom", align=align),
            kit.text(told.code, theme.BIG, bold=True, floor=7, height=20, align=align),
        ]
    colour = theme.SOFT if is_well else theme.BRICK_DEEP
    words = kit.text(said, theme.MAIN, colour=colour, height=30, valign="top", align=align)
    return column(*parts, words, Widget(), gap=kit.mm(2))
