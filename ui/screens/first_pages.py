"""The page of a terminal that has no settings yet: its code, how far it is, what is wrong, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kivy.uix.widget import Widget

from edge.steps import FirstStart, ProfileRefused
from ui.screens import theme
from ui.screens.chrome import language_button
from ui.screens.kit import Kit
from ui.screens.mistake_lines import laid_out
from ui.screens.qr import QrCode
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels.first import GOOD, PROFILE_WORDS, WORDS, FirstPage

HEAD, CALL, CODE = 15.0, 17.0, 15.0
SIDE, SAID = 4.0, 16.0  # the page's edge; how far it is, above a list
CARD, LIST_CARD = 18.0, 14.0  # a card without a list, with its gap; what a card with one takes besides the list
SLACK = 0.5  # of a width, for rounding to whole dots


def first(kit: Kit) -> Widget:
    """Head, code and words, and below them the network and what may be pressed."""
    page = kit.frame.state
    assert isinstance(page, FirstPage)
    key = "first.title_broken" if page.told.state == "bad_settings" else "first.title"
    title = kit.text(kit.t(key), theme.STAFF_TITLE, bold=True, colour=theme.SLATE_DEEP)
    head = row(weigh(title, 1), language_button(kit), gap=kit.mm(3))
    body = _question(kit) if page.asks_go_on else _body(kit, page.told)
    return column(
        fix(head, height=kit.mm(HEAD)), weigh(body, 1), fix(_foot(kit, page), height=kit.mm(theme.STAFF_BUTTON)),
        gap=kit.mm(3), pad=(kit.mm(4), kit.mm(3), kit.mm(4), kit.mm(3)),
    )  # fmt: skip


def _body(kit: Kit, told: FirstStart) -> Widget:
    if not told.code:
        return column(*_words(kit, told), Widget(), gap=kit.mm(3))
    picture = kit.card(QrCode(told.qr), fill=theme.WHITE, pad=1)
    words = column(*_call(kit, told), *_words(kit, told), Widget(), gap=kit.mm(2))
    if kit.portrait:
        return column(weigh(picture, 2), weigh(words, 3), gap=kit.mm(4))
    return row(weigh(picture, 2), weigh(words, 3), gap=kit.mm(5))


def _call(kit: Kit, told: FirstStart) -> list[Widget]:
    said = kit.t("first.call", phone=told.phone) if told.phone else kit.t("first.call_any")
    return [
        kit.text(said, theme.STAFF_TITLE, height=CALL, valign="bottom"),
        kit.text(told.code, theme.BIG, bold=True, floor=7, height=CODE),
    ]


def _words(kit: Kit, told: FirstStart) -> list[Widget]:
    """How far it is, then what was found and cannot be used, each with its own sentence."""
    word = told.state if told.state in WORDS else "other"
    said = kit.t(f"first_state.{word}", site=told.site, file=told.file)
    colour = theme.SLATE_DEEP if word in GOOD else theme.BRICK_DEEP
    is_alone = not told.refusals and not told.mistakes
    em, height = (
        (theme.STAFF_TITLE, 40.0) if is_alone and not told.code else (theme.STAFF_MAIN, 24.0 if is_alone else SAID)
    )
    found: list[Widget] = [kit.text(said, em, bold=True, colour=colour, height=height, valign="top")]
    if is_alone and told.code:
        found.append(kit.text(kit.t("first.next"), theme.STAFF_LESS, colour=theme.SOFT, height=22, valign="top"))
    refusals = told.refusals[: 1 if told.code else 2]
    room = _room(kit, told, refusals)
    if told.mistakes:
        found.append(laid_out(kit, told.mistakes, room.width, room.height).drawn(kit))
    return found + [_refusal(kit, each, room) for each in refusals]


@dataclass(frozen=True, slots=True)
class _Room:
    """What is left for one list of mistakes. Units: millimetres."""

    width: float
    height: float


def _room(kit: Kit, told: FirstStart, refusals: Sequence[ProfileRefused]) -> _Room:
    panel = kit.ruler.panel
    width = panel.width_mm / panel.scale - 2 * SIDE
    height = panel.height_mm / panel.scale - HEAD - theme.STAFF_BUTTON - 12 - SAID - 3
    if told.code and kit.portrait:
        height = (height + SAID + 3 - 4) * 3 / 5 - SAID - CALL - CODE - 8
    elif told.code:
        width = (width - 5) * 3 / 5
        height -= CALL + CODE + 1
    lists = [each for each in refusals if each.mistakes]
    height -= len(lists) * LIST_CARD + (len(refusals) - len(lists)) * CARD
    return _Room(width - SLACK, height / (len(lists) + bool(told.mistakes) or 1))


def _refusal(kit: Kit, refusal: ProfileRefused, room: _Room) -> Widget:
    word = refusal.word if refusal.word in PROFILE_WORDS else "damaged"
    where = kit.t(f"first_source.{refusal.source}")
    said = kit.t(f"first_profile.{word}", where=where, detail=refusal.detail or "?")
    high = 7.0 if refusal.mistakes else 12.0
    style = {"colour": theme.BRICK_DEEP, "on": theme.BRICK_PALE, "height": high, "valign": "top"}
    card: list[Widget] = [kit.text(said, theme.STAFF_LESS, bold=True, **style)]
    if refusal.mistakes:
        lines = laid_out(kit, refusal.mistakes, room.width - 6, room.height)
        card.append(lines.drawn(kit, theme.BRICK_PALE))
        high += 1 + lines.height
    return kit.card(*card, fill=theme.BRICK_PALE, border=theme.BRICK_DEEP, pad=(3, 1.5), gap=1, height=high + 3)


def _question(kit: Kit) -> Widget:
    return column(
        Widget(),
        kit.text(kit.t("first.go_on_title"), theme.STAFF_TITLE, bold=True, height=14),
        kit.text(kit.t("first.go_on_why"), theme.STAFF_MAIN, height=44, valign="top"),
        Widget(),
        gap=kit.mm(3),
    )


def _foot(kit: Kit, page: FirstPage) -> Widget:
    told = page.told
    acts: list[Widget] = []
    if page.asks_go_on:
        acts = [
            kit.button("no", kit.t("first.no"), look="line", width=44),
            kit.button("yes", kit.t("first.yes"), theme.HELP, width=44),
        ]
    elif told.state == "refused":
        acts = [kit.button("again", kit.t("first.again"), look="line", width=58)]
    elif told.may_go_on:
        acts = [kit.button("go_on", kit.t("first.go_on"), look="line", width=58)]
    net = kit.t(f"first_net.{told.network}", address=told.address) if told.network else ""
    ill = told.network not in ("", "up")
    line = kit.text(net, theme.STAFF_LESS, bold=ill, colour=theme.BRICK_DEEP if ill else theme.SOFT)
    return row(weigh(line, 1), *acts, gap=kit.mm(3))
