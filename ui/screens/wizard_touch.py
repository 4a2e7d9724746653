"""The wizard's touch test on paper: the panel small, each of its five targets with the miss in millimetres."""

from __future__ import annotations

from kivy.uix.widget import Widget

from ui.screens import theme
from ui.screens.kit import Kit
from ui.screens.technician_pages import BAD, DOUBT, GOOD
from ui.screens.widgets import column, fix, row
from ui.viewmodels.wizard_states import WizardGrid

FAR_TENTHS = 60
PLACES = ((0, None, 1), (None, 2, None), (3, None, 4))  # the targets as they lie on the panel


def misses(kit: Kit, grid: WizardGrid) -> Widget:
    """Where each target was hit, and by how much it was missed."""
    met = {number: (right, up) for number, right, up in grid.hits}
    lines = [row(*[_target(kit, number, met) for number in line], gap=kit.mm(2)) for line in PLACES]
    return fix(column(*lines, gap=kit.mm(1.5)), height=kit.mm(36))


def _target(kit: Kit, number: int | None, met: dict[int, tuple[int, int]]) -> Widget:
    if number is None:
        return Widget()
    hit = met.get(number)
    if hit is None:
        look, said = BAD, kit.t("wizard.dead_spot")
    else:
        miss = (hit[0] ** 2 + hit[1] ** 2) ** 0.5
        look, said = DOUBT if miss > FAR_TENTHS else GOOD, kit.t("touching.mm", n=f"{miss / 10:.1f}")
    ground, ink, icon = look
    line = row(kit.icon(icon, 5.5, ink, ground), kit.text(said, theme.STAFF_MAIN, bold=True, on=ground, colour=ink),
               gap=kit.mm(2))  # fmt: skip
    return kit.card(line, fill=ground, border=ink, pad=(3, 0.5), radius=2)
