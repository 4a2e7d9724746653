"""How a slip fares at the printer, in one sentence with a hand movement, and the button to try again."""

from __future__ import annotations

from kivy.uix.widget import Widget

from ui.screens import theme
from ui.screens.kit import Kit
from ui.screens.theme import Accent
from ui.screens.widgets import fix, row, weigh
from ui.viewmodels.states import Slip

GOOD = ("printing", "done")
AGAIN = ("never", "sent")  # nothing went wrong, but somebody may want paper


def print_line(kit: Kit, state: Slip, accent: Accent) -> Widget:
    """At the foot of the slip's page; the number to write down stands at its head."""
    bad = state.printed not in (*GOOD, *AGAIN)
    text = kit.text(
        kit.t(f"print.{state.printed}"), 5.2, bold=True, on=theme.CARD, colour=theme.BRICK_DEEP if bad else accent.deep
    )
    if not state.can_print:
        return fix(text, height=kit.mm(14))
    key = "print.first" if state.printed == "never" else "print.again"
    again = kit.button("print", kit.t(key), accent, look="line", width=38, height=14, em=5.2)
    return fix(row(weigh(text, 1), again, gap=kit.mm(3)), height=kit.mm(14))
