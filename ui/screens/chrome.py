"""What every page has at the same place: title and help above, back, home and language below."""

from __future__ import annotations

from kivy.uix.widget import Widget

from ui import words
from ui.screens import theme
from ui.screens.kit import Kit
from ui.screens.theme import Accent
from ui.screens.widgets import Card, column, fix, row, weigh
from ui.viewmodels import Frame

PAD, GAP, HEAD, FOOT = 4.0, 3.0, 15.5, 15.0


Head = tuple[str, Accent, str]  # the title, the colour of its task, its pictogram


def villager_page(kit: Kit, head: Head, body: Widget, leave: bool = True) -> Widget:
    """A page for villagers: one title, one question, help at hand. `leave` False: a door is open, no way back."""
    return column(
        _head(kit, *head),
        weigh(body, 1),
        _foot(kit, leave),
        gap=kit.mm(GAP),
        pad=(kit.mm(PAD), kit.mm(3), kit.mm(PAD), kit.mm(3)),
    )


def _head(kit: Kit, title: str, accent: Accent, icon: str) -> Widget:
    side = HEAD - 1.5
    badge = kit.card(kit.icon(icon, 8.5, theme.WHITE, accent.fill), fill=accent.fill, border=accent.fill, pad=2.7)
    fix(badge, kit.mm(side), kit.mm(side))
    badge.pos_hint = {"center_y": 0.5}
    word = kit.text(title, theme.TITLE, bold=True, colour=accent.deep)
    return fix(row(badge, weigh(word, 1), help_button(kit), gap=kit.mm(3.5)), height=kit.mm(HEAD))


def help_button(kit: Kit) -> Widget:
    return kit.button(
        "help", kit.t("chrome.help"), theme.HELP, look="line", icon="person", width=56, height=HEAD, em=theme.LESS
    )


def language_button(kit: Kit, width: float = 27) -> Widget:
    return kit.button("lang", kit.t("chrome.lang"), theme.STAFF, look="line", width=width, height=FOOT, em=theme.LESS)


def _foot(kit: Kit, leave: bool) -> Widget:
    line: list[Widget] = []
    if leave:
        line.append(
            kit.button("back", kit.t("chrome.back"), theme.STAFF, look="line", icon="back", width=38, height=FOOT)
        )
        if kit.frame.state.screen != "home":
            line.append(
                kit.button("home", kit.t("chrome.home"), theme.STAFF, look="line", icon="home", width=38, height=FOOT)
            )
    line += [weigh(status(kit), 1), language_button(kit)]
    return fix(row(*line, gap=kit.mm(GAP)), height=kit.mm(FOOT))


def status(kit: Kit) -> Widget:
    """The clock, or, without a line, what still works."""
    if kit.frame.link.online:
        return kit.live_text(lambda frame: _clock_line(kit, frame), theme.FLOOR, colour=theme.SOFT, align="center")
    days = kit.frame.link.days_offline
    said = kit.t("chrome.offline_days", n=days) if days > 0 else kit.t("chrome.offline")
    text = kit.text(said, theme.FLOOR, colour=theme.INK, on=theme.AMBER_PALE)
    return kit.card(
        row(kit.icon("offline", 6.5, theme.INK, theme.AMBER_PALE), weigh(text, 1), gap=kit.mm(2.5)),
        fill=theme.AMBER_PALE,
        border=theme.AMBER_PALE,
        pad=(3, 1),
    )


def _clock_line(kit: Kit, frame: Frame) -> str:
    return f"{kit.frame.face.site_name}  {frame.now.clock}".strip()


def staff_page(kit: Kit, title: str, body: Widget, icon: str, *actions: Widget, back: bool = True) -> Widget:
    """A page for operator and technician: slate bar above, actions below."""
    kit_frame = kit.frame
    word = kit.text(title, theme.STAFF_TITLE, bold=True, colour=theme.WHITE, on=theme.SLATE)
    who = kit.text(
        kit.t("chrome.operator", name=kit_frame.operator) if kit_frame.operator else "",
        theme.STAFF_LESS, colour=theme.WHITE, on=theme.SLATE, align="right", width=48,
    )  # fmt: skip
    clock = kit.live_text(
        lambda frame: frame.now.clock, theme.STAFF_MAIN, colour=theme.WHITE, on=theme.SLATE, align="right", width=18
    )
    bar = Card(theme.SLATE, 0, orientation="horizontal", pad=(kit.mm(PAD), 0, kit.mm(PAD), 0), gap=kit.mm(3))
    bar.add(kit.icon(icon, 7.5, theme.WHITE, theme.SLATE), weigh(word, 1), status_badge(kit), who, clock)
    foot: list[Widget] = []
    if back:
        foot.append(kit.button("back", kit.t("chrome.back"), look="line", icon="back", width=38))
    foot.append(weigh(notice(kit), 1))
    foot += [*actions, kit.button("lang", kit.t("chrome.lang"), look="line", width=22)]
    lower = column(
        weigh(body, 1),
        fix(row(*foot, gap=kit.mm(GAP)), height=kit.mm(theme.STAFF_BUTTON)),
        gap=kit.mm(GAP),
        pad=(kit.mm(PAD), kit.mm(3), kit.mm(PAD), kit.mm(3)),
    )
    return column(fix(bar, height=kit.mm(13)), weigh(lower, 1))


def status_badge(kit: Kit) -> Widget:
    """The state of the line, in words: 离线第 n 天, 待传 m 条."""
    if kit.frame.link.online:
        return kit.live_text(
            lambda frame: _online(kit, frame),
            theme.STAFF_LESS,
            colour=theme.WHITE,
            on=theme.SLATE,
            align="right",
            width=44,
        )
    text = kit.live_text(
        lambda frame: kit.t("chrome.staff_offline", days=frame.link.days_offline, n=frame.link.pending),
        theme.STAFF_LESS, colour=theme.INK, on=theme.AMBER_PALE, align="center", bold=True,
    )  # fmt: skip
    badge = kit.card(text, fill=theme.AMBER_PALE, border=theme.AMBER_PALE, pad=(2, 0.5), width=66, height=9)
    badge.pos_hint = {"center_y": 0.5}
    return badge


def _online(kit: Kit, frame: Frame) -> str:
    pending = frame.link.pending
    return kit.t("chrome.sending", n=pending) if pending else kit.t("chrome.online")


def notice(kit: Kit) -> Widget:
    """One line of news for the operator: what was refused, what was done."""
    news = kit.frame.notice
    if news is None or (kit.quiet and news.bad):
        return Widget()
    said = notice_text(kit, news.key, dict(news.slots))
    ground = theme.BRICK_PALE if news.bad else theme.JADE_PALE
    ink = theme.BRICK_DEEP if news.bad else theme.JADE_DEEP
    text = kit.text(said, theme.STAFF_MAIN if kit.staff else theme.LESS, bold=True, colour=ink, on=ground)
    icon = kit.icon("warn" if news.bad else "check", 6, ink, ground)
    return kit.card(row(icon, weigh(text, 1), gap=kit.mm(2)), fill=ground, border=ink, pad=(2.5, 0.8))


def notice_text(kit: Kit, key: str, slots: dict[str, str | int]) -> str:
    family, _, code = key.partition(".")
    return refusal_text(kit, code, slots) if family == "refused" else kit.t(key, **slots)


def refusal_text(kit: Kit, code: str, slots: dict[str, str | int]) -> str:
    """A refusal without its own sentence gets the general one: a new code must not leave the person without words."""
    if code == "locked_out" and not slots.get("minutes"):
        return kit.t("refused.locked_short")
    if not words.known(f"refused.{code}", kit.lang):
        return kit.t("refused.other")
    return kit.t(f"refused.{code}", **slots).strip()
