"""What the wizard's pages share: the frame of a page with large keys, the name of a step, the look of a result."""

from __future__ import annotations

from kivy.uix.widget import Widget

from ui.screens import theme
from ui.screens.chrome import PAD, notice, status_badge
from ui.screens.kit import Kit
from ui.screens.technician_pages import BAD, DOUBT, GOOD, Look
from ui.screens.theme import Accent
from ui.screens.widgets import Card, Tap, column, fix, row, weigh

KEY = 16.5  # millimetres: every key of the wizard, for it is worked standing, with gloves, by people who see it once
BIG = 11.0
ICONS = {
    "scan": "scan", "door": "door", "line": "show", "price": "money", "weigh": "scale", "print": "printer",
    "touch": "touch", "sound": "sound", "hub": "sync",
}  # fmt: skip
LOOKS: dict[str, Look] = {
    "done": GOOD,
    "failed": BAD,
    "skipped": DOUBT,
    "later": DOUBT,
    "": (theme.CARD, theme.INK, "ring"),
}


def wizard_page(kit: Kit, title: str, icon: str, body: Widget, *actions: Widget, back: bool = True) -> Widget:
    """A slate bar above, the one question, keys of 16 mm below. `back` False: a door is open, no way back."""
    word = kit.text(title, theme.STAFF_TITLE, bold=True, colour=theme.WHITE, on=theme.SLATE)
    clock = kit.live_text(
        lambda frame: frame.now.clock, theme.STAFF_MAIN, colour=theme.WHITE, on=theme.SLATE, align="right", width=18
    )
    bar = Card(theme.SLATE, 0, orientation="horizontal", pad=(kit.mm(PAD), 0, kit.mm(PAD), 0), gap=kit.mm(3))
    bar.add(kit.icon(icon, 7.5, theme.WHITE, theme.SLATE), weigh(word, 1), status_badge(kit), clock)
    foot: list[Widget] = []
    if back:
        foot.append(key(kit, "back", kit.t("chrome.back"), look="line", icon="back", width=38))
    foot.append(weigh(notice(kit), 1))
    foot += [*actions, key(kit, "lang", kit.t("chrome.lang"), look="line", width=24)]
    lower = column(
        weigh(body, 1),
        fix(row(*foot, gap=kit.mm(3)), height=kit.mm(KEY)),
        gap=kit.mm(3),
        pad=(kit.mm(PAD), kit.mm(3), kit.mm(PAD), kit.mm(3)),
    )
    return column(fix(bar, height=kit.mm(13)), weigh(lower, 1))


def key(kit: Kit, name: str, label: str, accent: Accent = theme.STAFF, **style: object) -> Tap:
    """A key of the wizard: never lower than its least height."""
    return kit.button(name, label, accent, **{"height": KEY, **style})


def step_name(kit: Kit, what: str, device: str) -> str:
    """What is tried, and on which device."""
    said = kit.t(f"wizard_step.{what}")
    return f"{said}  {device}" if device else said


def measured(kit: Kit, what: str, detail: str) -> str:
    """What a step measured, with a word of what it is."""
    return kit.t(f"wizard_detail.{what}", text=detail) if detail else ""


def question(kit: Kit, said: str, hint: str = "") -> Widget:
    """The one question of a page, and a hint below it."""
    tall = kit.portrait
    parts: list[Widget] = [
        kit.text(said, BIG, bold=True, align="center", height=40 if tall else 27, floor=6.5, valign="middle")
    ]
    if hint:
        parts.append(kit.text(hint, 6, align="center", height=24 if tall else 14, colour=theme.SOFT, floor=4.4))
    return column(*parts, gap=kit.mm(1))


def stacked(kit: Kit, *parts: Widget, gap: float = 3) -> Widget:
    """Parts in the middle of the page, as high as they are."""
    return column(Widget(), *parts, Widget(), gap=kit.mm(gap))


def natural(widget: Widget) -> Widget:
    """Let a column be as high as its parts of fixed height."""
    heights = [child.height for child in widget.children]
    return fix(widget, height=sum(heights) + widget.spacing * max(0, len(heights) - 1))
